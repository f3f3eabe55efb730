#include "tests/catch.hpp"
#include "tests/support/webhook_receiver.hpp"
#include <atomic>

// Outgoing webhooks: the real binary, and a receiver of our own on the other side.
namespace {
using namespace jumun::tests;
const texts local{"--webhooks-allow-private", "--webhooks-hurry=1000"}; // 5 s is 5 ms

/// A server with something to sell, and what one does about its webhooks.
struct webhook_shop {
  open_shop shop;
  std::unique_ptr<shop_client> connected;
  explicit webhook_shop(texts args = local) : shop(std::move(args)) {
    reconnect();
    people().sell("americano", 4'500, 100'000);
  }
  void reconnect() { connected = std::make_unique<shop_client>(shop.at); }
  shop_client& people() { return *connected; }
  static std::string path(const std::string& id = "") {
    return "/admin/v1/webhooks" + (id.empty() ? "" : "/" + id);
  }
  json create(const json& body) { return need(people().ops.post(path(), body), 201).json(); }
  json webhook(const std::string& id) { return need(people().ops.get(path(id)), 200).json(); }
  json patch(const std::string& id, const json& body) {
    return need(people().ops.send("PATCH", path(id), body.dump()), 200).json();
  }
  json deliveries(const std::string& id) {
    return need(people().ops.get(path(id) + "/deliveries?limit=200"), 200).json().at("data");
  }
  json delivery(const std::string& id, const std::string& message) {
    for (auto& d : deliveries(id))
      if (d.at("id") == message) return d;
    return nullptr;
  }
  std::string order() {
    const auto placed =
      need(people().api.post(
             "/v1/orders", order_body("tok_approve", {{"americano", 1}}), {{"Prefer", "wait=30"}}),
        201);
    CHECK(placed.json().at("status") == "preparing");
    return placed.json().at("id");
  }
  /// The events of /v1/events with one of these topics, in their order.
  json fed(const std::set<std::string>& topics = {"orders", "deliveries"}) {
    auto out = json::array();
    for (std::string after = "0";;) {
      const auto page = need(people().api.get("/v1/events?limit=200&after=" + after), 200).json();
      for (const auto& e : page.at("data"))
        if (topics.count(e.at("topic")) > 0) out.push_back(e);
      if (page.at("data").empty()) return out;
      after = page.at("data").back().at("cursor");
    }
  }
};

texts ids_of(const json& events) { return shop_client::each(events, "id"); }
texts ids_of(const std::vector<webhook_message>& all) {
  texts out;
  for (const auto& m : all) out.push_back(m.id);
  return out;
}
/// Each id where it comes first.
texts first_of_each(const texts& ids) {
  texts out;
  for (const auto& id : ids)
    if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(id);
  return out;
}
} // namespace

TEST_CASE("an endpoint gets the events of its topics, signed, in order, once each", "[webhooks]") {
  webhook_receiver receiver;
  webhook_shop at;
  at.order(); // before there was an endpoint: not its business
  const auto before = at.fed().size();
  const auto made = at.create({{"url", receiver.url()}, {"description", "the till"}});
  CHECK(made.at("id").get<std::string>().starts_with("whk_"));
  CHECK(made.at("topics") == json{"orders", "deliveries"});
  const auto secret = made.at("secret").get<std::string>();
  CHECK(secret.starts_with("whsec_"));
  std::string order;
  for (int n = 0; n < 5; ++n) order = at.order();
  need(at.people().report(order, "picked_up"), 200);
  auto wanted = at.fed();
  wanted.erase(wanted.begin(), wanted.begin() + static_cast<int>(before));
  REQUIRE(wanted.size() >= 11);
  const auto got = receiver.wait_for(wanted.size());
  CHECK(ids_of(got) == ids_of(wanted));
  for (std::size_t n = 0; n < got.size(); ++n) {
    CHECK(got[n].body() == wanted[n]); // as /v1/events renders it
    CHECK(got[n].signed_by(secret));
    CHECK(got[n].content_type == "application/json");
    CHECK(got[n].traceparent == wanted[n].value("traceparent", ""));
    CHECK_FALSE(got[n].traceparent.empty());
  }
}

TEST_CASE("a message that fails is tried again before the next one goes", "[webhooks]") {
  webhook_receiver receiver{[](const webhook_message&, std::size_t n) {
    return n == 0 ? 500 : n == 1 ? 302 : 200;
  }};
  webhook_shop at;
  const auto id = at.create({{"url", receiver.url()}}).at("id").get<std::string>();
  at.order();
  const auto wanted = ids_of(at.fed());
  const auto got = ids_of(receiver.wait_for(wanted.size() + 2));
  CHECK(first_of_each(got) == wanted);
  CHECK(texts(got.begin(), got.begin() + 3) == texts(3, wanted[0]));
  ask_until([&] { return at.deliveries(id).size() == wanted.size(); });
  const auto attempts = at.delivery(id, wanted[0]).at("attempts");
  REQUIRE(attempts.size() == 3);
  CHECK(attempts[0].at("status") == 500);
  CHECK(attempts[1].at("status") == 302);
  CHECK(attempts[2].at("status") == 200);
  const auto page = at.people().ops.get(at.path(id) + "/deliveries?limit=1").json();
  CHECK(page.at("data")[0].at("id") == wanted.back()); // newest first
  CHECK(page.at("next_cursor").is_string());
}

TEST_CASE("an endpoint that was down catches up, in order", "[webhooks]") {
  std::atomic<bool> up = false;
  webhook_receiver receiver{
    [&](const webhook_message&, std::size_t) { return up ? 200 : hangs_up; }};
  webhook_shop at;
  at.create({{"url", receiver.url()}});
  for (int n = 0; n < 10; ++n) at.order();
  const auto failed = receiver.wait_for(2);
  const auto id = at.people().ops.get(at.path()).json().at("data")[0].at("id").get<std::string>();
  CHECK(failed[1].id == failed[0].id);
  CHECK(at.shop.at.stop() == 0); // a restart in between forgets nothing
  at.shop.at.restart();
  at.reconnect();
  const auto wanted = ids_of(at.fed());
  CHECK(at.delivery(id, wanted[0]).at("state") == "retrying");
  up = true;
  need(at.people().ops.send("POST", at.path(id) + "/deliveries/" + wanted[0] + "/redeliver"), 202);
  const auto got =
    receiver.wait_until([&](const auto& all) { return all.back().id == wanted.back(); });
  CHECK(first_of_each(ids_of(got)) == wanted);
}

TEST_CASE("a receiver that hangs holds up no order, no other endpoint and no stop", "[webhooks]") {
  webhook_receiver dead{[](const webhook_message&, std::size_t) { return hangs; }}, alive;
  webhook_shop at;
  at.create({{"url", dead.url()}});
  at.create({{"url", alive.url()}});
  at.order();
  (void)dead.wait_for(1);
  for (int n = 0; n < 20; ++n) at.order();
  (void)alive.wait_for(at.fed().size());
  CHECK(dead.so_far().size() == 1); // it still has the first one
  CHECK(at.shop.at.stop() == 0);
}

TEST_CASE("kill -9 sends again what was under way, and loses nothing", "[webhooks]") {
  std::atomic<std::size_t> dies_at = 7;
  std::atomic<bool> dying = false;
  webhook_receiver receiver{[&](const webhook_message&, std::size_t n) {
    dying = dying || n + 1 == dies_at;
    return dying ? hangs : 200; // whoever is killed hears no answer
  }};
  webhook_shop at;
  const auto id = at.create({{"url", receiver.url()}}).at("id").get<std::string>();
  for (int life = 0; life < 3; ++life) {
    for (int n = 0; n < 4; ++n) at.order();
    (void)receiver.wait_for(dies_at);
    at.shop.at.kill9();
    dies_at = life == 2 ? 0 : dies_at + 8; // the last life is a long one
    dying = false;
    at.shop.at.restart();
    at.reconnect();
  }
  const auto wanted = ids_of(at.fed());
  const auto got =
    ids_of(receiver.wait_until([&](const auto& all) { return all.back().id == wanted.back(); }));
  CHECK(first_of_each(got) == wanted);
  CHECK(got.size() >= wanted.size() + 3);
  ask_until([&] { return at.webhook(id).at("behind") == 0; });
  CHECK(at.shop.at.stop() == 0);
  const auto checked = run_jumun({"check", at.shop.at.data_dir().string()});
  CAPTURE(checked.out);
  CHECK(checked.how.exit_code == 0);
}

TEST_CASE("a message that used up its schedule is listed, and delivered by hand", "[webhooks]") {
  std::atomic<bool> broken = true;
  webhook_receiver receiver{[&](const webhook_message& m, std::size_t) {
    return broken && m.body().at("type") == "OrderPlaced" ? 500 : 200;
  }};
  webhook_shop at{{"--webhooks-allow-private", "--webhooks-hurry=1000000"}};
  const auto id = at.create({{"url", receiver.url()}}).at("id").get<std::string>();
  at.order();
  const auto wanted = ids_of(at.fed());
  const auto got = ids_of(receiver.wait_for(10 + wanted.size() - 1));
  CHECK(std::count(got.begin(), got.end(), wanted[0]) == 10);
  CHECK(first_of_each(got) == wanted);
  ask_until([&] { return at.deliveries(id).size() == wanted.size(); });
  const auto failed =
    at.people().ops.get(at.path(id) + "/deliveries?state=failed").json().at("data");
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].at("id") == wanted[0]);
  CHECK(failed[0].at("attempts").size() == 10);
  broken = false;
  const auto again = at.path(id) + "/deliveries/" + wanted[0] + "/redeliver";
  need(at.people().ops.send("POST", again), 202);
  CHECK(receiver.wait_for(got.size() + 1).back().id == wanted[0]);
  ask_until([&] { return at.delivery(id, wanted[0]).at("state") == "delivered"; });
  CHECK(at.delivery(id, wanted[0]).at("attempts").back().at("by_hand") == true);
  need(at.people().ops.send("POST", at.path(id) + "/deliveries/evt_none/redeliver"), 404);
}

TEST_CASE("after a rotation old and new secret both sign", "[webhooks]") {
  webhook_receiver receiver;
  webhook_shop at;
  const auto made = at.create({{"url", receiver.url()}});
  const auto id = made.at("id").get<std::string>(), old = made.at("secret").get<std::string>();
  const auto rotated =
    need(at.people().ops.send("POST", at.path(id) + "/rotate-secret"), 200).json();
  const auto fresh = rotated.at("secret").get<std::string>();
  CHECK(fresh != old);
  CHECK(rotated.at("old_secret_signs_until").is_string());
  const auto test = need(at.people().ops.send("POST", at.path(id) + "/test"), 200).json();
  CHECK(test.at("accepted") == true);
  at.order();
  for (const auto& m : receiver.wait_for(3)) {
    CHECK(m.signed_by(old));
    CHECK(m.signed_by(fresh));
    CHECK_FALSE(m.signed_by("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  }
  CHECK(receiver.so_far()[0].body().at("type") == "WebhookTest");
  // Neither stands anywhere but in the two answers.
  const auto log = at.shop.at.log();
  const auto everything =
    log + at.people().ops.get(at.path()).body + at.people().ops.get(at.path(id)).body
    + at.people().ops.get("/admin/v1/audit").body + at.people().ops.get("/admin/v1/config").body
    + at.people().ops.get(at.path(id) + "/deliveries").body;
  CHECK(everything.find("webhook.rotate-secret") != std::string::npos);
  CHECK(log.find("planted-in-url") == std::string::npos);
  for (const auto& secret : {old, fresh})
    CHECK(everything.find(secret.substr(6, 20)) == std::string::npos);
}

TEST_CASE("410 switches an endpoint off, and switched on it goes on where it was", "[webhooks]") {
  std::atomic<bool> gone = true;
  webhook_receiver receiver{[&](const webhook_message&, std::size_t) { return gone ? 410 : 200; }};
  webhook_shop at;
  const auto id = at.create({{"url", receiver.url()}}).at("id").get<std::string>();
  at.order();
  ask_until([&] { return at.webhook(id).at("disabled_reason") == "gone"; });
  CHECK(receiver.so_far().size() == 1);
  const auto wanted = ids_of(at.fed());
  const auto again = at.path(id) + "/deliveries/" + wanted[0] + "/redeliver";
  CHECK(need(at.people().ops.send("POST", again), 409).json().at("code") == "webhook-disabled");
  CHECK(at.shop.at.log().find("webhook.disabled") != std::string::npos);
  gone = false;
  CHECK(at.patch(id, {{"enabled", true}}).at("enabled") == true);
  CHECK(first_of_each(ids_of(receiver.wait_for(1 + wanted.size()))) == wanted);
}

TEST_CASE("a deleted endpoint and one that is switched off get nothing", "[webhooks]") {
  webhook_receiver deleted, off, other;
  webhook_shop at;
  const auto first = at.create({{"url", deleted.url()}}).at("id").get<std::string>();
  const auto second =
    at.create({{"url", off.url()}, {"enabled", false}}).at("id").get<std::string>();
  at.create({{"url", other.url()}, {"topics", {"payments"}}, {"event_types", {"OrderPlaced"}}});
  need(at.people().ops.send("DELETE", at.path(first)), 204);
  need(at.people().ops.get(at.path(first)), 404);
  at.order();
  const auto got = other.wait_for(2); // so the event has gone to whom it may concern
  CHECK(got[0].body().at("type") == "OrderPlaced");
  CHECK(got[1].body().at("type") == "PaymentApproved");
  CHECK(deleted.so_far().empty());
  CHECK(off.so_far().empty());
  at.patch(second, {{"enabled", true}});
  CHECK(off.wait_for(1)[0].body().at("type") == "OrderPlaced");
}

TEST_CASE(
  "a private address is refused: in a URL at once, behind a name when connecting", "[webhooks]") {
  webhook_receiver receiver;
  temp_dir dir;
  std::string id;
  {
    server open{dir.path() / "data", local};
    shop_client people{open};
    people.sell("americano", 4'500, 10);
    id =
      need(people.ops.post("/admin/v1/webhooks", {{"url", receiver.url()}}), 201).json().at("id");
    CHECK(open.stop() == 0);
  }
  server strict{dir.path() / "data"};
  shop_client people{strict};
  for (const char* url : {"http://shop.example/", "https://127.0.0.1/", "https://[::1]/",
         "https://169.254.169.254/latest", "https://localhost/", "https://10.0.0.7/"}) {
    CAPTURE(url);
    const auto r = people.ops.post("/admin/v1/webhooks", {{"url", url}});
    CHECK(r.status == 422);
    CHECK(r.json().at("errors")[0].at("pointer") == "/url");
  }
  need(people.api.post("/v1/orders", order_body("tok_approve", {{"americano", 1}})), 201);
  const auto path = "/admin/v1/webhooks/" + id + "/deliveries";
  ask_until([&] { return !people.ops.get(path).json().at("data").empty(); });
  const auto tried = people.ops.get(path).json().at("data")[0].at("attempts")[0];
  CHECK(tried.at("error") == "the address is not allowed");
  CHECK(receiver.so_far().empty());
}

TEST_CASE("what a webhook can't be is refused with the field's name", "[webhooks]") {
  webhook_shop at;
  const auto url = "http://127.0.0.1:9/";
  const std::vector<std::pair<json, std::string>> table{{json::object(), "/url"},
    {{{"url", 7}}, "/url"}, {{{"url", "ftp://a/"}}, "/url"},
    {{{"url", url}, {"topics", {"coffee"}}}, "/topics"},
    {{{"url", url}, {"topics", "orders"}}, "/topics"},
    {{{"url", url}, {"event_types", {"OrderPlced"}}}, "/event_types"},
    {{{"url", url}, {"topics", json::array()}}, "/topics"},
    {{{"url", url}, {"enabled", "yes"}}, "/enabled"},
    {{{"url", url}, {"description", std::string(300, 'x')}}, "/description"},
    {{{"url", url}, {"secret", "mine"}}, "/secret"}};
  for (const auto& [body, pointer] : table) {
    CAPTURE(body.dump());
    const auto r = at.people().ops.post(at.path(), body);
    CHECK(r.status == 422);
    if (r.status == 422) CHECK(r.json().at("errors")[0].at("pointer") == pointer);
  }
  const auto made = at.people().ops.post(at.path(), {{"url", url}});
  const auto where = made.field("location");
  CHECK(where == at.path(made.json().at("id")));
  const auto tag = at.people().ops.get(where).field("etag");
  CHECK(at.people().ops.get(where, {{"If-None-Match", tag}}).status == 304);
  const json off{{"enabled", false}};
  CHECK(at.people().ops.send("PATCH", where, off.dump(), {{"If-Match", "\"99\""}}).status == 412);
  CHECK(at.people().ops.send("PATCH", where, off.dump(), {{"If-Match", tag}}).status == 200);
  for (int n = 1; n < 32; ++n) need(at.people().ops.post(at.path(), {{"url", url}}), 201);
  CHECK(need(at.people().ops.post(at.path(), {{"url", url}}), 409).json().at("code")
        == "webhooks-full");
}
