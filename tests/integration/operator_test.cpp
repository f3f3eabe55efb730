#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

namespace {
using namespace jumun::tests;

/// A shop, and the operator's desk.
struct desk : open_shop {
  /// A provider that is given up on after 50 ms, so that a refund is soon blocked.
  explicit desk(std::vector<std::string> args = {"--payment-timeout-ms", "50"})
      : open_shop(std::move(args)), shop(std::make_unique<shop_client>(at)) {
    shop->sell("tea", 100, 10);
  }
  std::unique_ptr<shop_client> shop;

  static std::string path(const std::string& id) { return "/admin/v1/sagas/" + id; }
  response act(const std::string& id, const std::string& action, const headers& more = {}) {
    return shop->ops.post(
      path(id) + "/actions", {{"action", action}, {"reason", "the bank called"}}, more);
  }
  json saga(const std::string& id) { return need(shop->ops.get(path(id)), 200).json(); }
  json sagas(const std::string& query) {
    return need(shop->ops.get("/admin/v1/sagas?" + query), 200).json().at("data");
  }
  json audit(const std::string& query) {
    return need(shop->ops.get("/admin/v1/audit?" + query), 200).json().at("data");
  }
  int acted(const std::string& id) {
    const auto types = shop->event_types(id);
    return static_cast<int>(std::count(types.begin(), types.end(), "OperatorActed"));
  }
  std::string refund_stuck(const std::string& token) {
    const auto id = shop->placed(token, {{"tea", 3}}, {.wait_s = 20});
    need(shop->cancel(id), 202);
    shop->wait_for(id, [](const json& o) { return o.at("saga") == "blocked"; });
    return id;
  }
  void start_again() {
    at.kill9();
    at.restart();
    shop = std::make_unique<shop_client>(at);
  }
};
} // namespace

TEST_CASE("a paused saga sends nothing, over kill -9, until it is resumed", "[operators]") {
  desk d{{"--payment-timeout-ms", "20000"}};
  const auto id = d.shop->placed("tok_slow_700", {{"tea", 2}});
  d.shop->wait_for(id, "paying"); // the provider is at work
  const auto paused = need(d.act(id, "pause"), 202).json();
  CHECK(paused.at("saga") == "paused");
  CHECK(paused.at("order_id") == id);
  CHECK(paused.at("allowed_actions") == json{"resume", "cancel"});
  CHECK(paused.at("explain").get<std::string>().find("paused") != std::string::npos);
  // The late answer is taken, and its next step is not.
  const auto heard =
    d.shop->wait_for(id, [](const json& o) { return o.at("payment").at("status") == "approved"; });
  CHECK(heard.at("saga") == "paused");
  CHECK(heard.at("delivery").at("status") == "none");
  CHECK(d.shop->event_types(id).back() == "PaymentApproved");

  const auto other = d.shop->placed("tok_slow_700", {{"tea", 1}});
  d.shop->wait_for(other, "paying");
  need(d.act(other, "pause"), 202);
  need(d.shop->cancel(other), 202); // accepted, and acted on after the resume
  CHECK(d.shop->order(other).at("status") == "cancelling");
  d.start_again();
  // Whoever would be sent something is asked for something else first: its answer shows that all
  // that a recovery sends has been sent.
  d.shop->wait_settled(d.shop->placed("tok_approve", {{"tea", 1}}));
  CHECK(d.saga(id).at("saga") == "paused");
  CHECK(d.shop->order(id).at("delivery").at("status") == "none");
  CHECK(d.shop->money(id) == money_moved{1, 0, 0, 200});
  CHECK(d.saga(other).at("saga") == "paused");
  CHECK(d.shop->money(other).refunds + d.shop->money(other).voids == 0);
  CHECK(d.sagas("state=paused").size() == 2);
  need(d.act(id, "resume"), 202);
  need(d.act(other, "resume"), 202);
  CHECK(d.shop->wait_settled(id).at("status") == "preparing");
  d.shop->wait_for(other, "cancelled");
  CHECK(d.shop->money(other).kept == 0);
  CHECK(d.shop->complaints() == texts{});
}

TEST_CASE("a step that fell due while paused is not taken", "[operators]") {
  desk d;
  const auto id = d.refund_stuck("tok_refund_fails_1000000");
  need(d.act(id, "pause"), 202);
  const auto stands = d.saga(id);
  CHECK(stands.at("next_attempt_at").is_null());
  CHECK(stands.at("money_at_risk") == krw(300));
  const auto attempts = stands.at("attempts").get<int>();
  d.shop->wait_settled(d.shop->placed("tok_slow_300", {{"tea", 1}})); // time for another attempt
  CHECK(d.saga(id).at("attempts") == attempts);
  CHECK(d.saga(id).at("version") == stands.at("version"));
}

TEST_CASE(
  "an action is one event and one line of the audit log, durable with its effect", "[operators]") {
  desk d;
  const auto id = d.refund_stuck("tok_refund_fails_1000000");
  need(d.act(id, "pause"), 202);
  need(d.act(id, "pause"), 202); // already so
  CHECK(d.acted(id) == 1);
  d.start_again();
  const auto events = d.shop->history(id);
  CHECK(events.back().at("type") == "OperatorActed");
  CHECK(events.back().at("data").at("action") == "pause");
  CHECK(events.back().at("data").at("reason") == "the bank called");
  CHECK(d.act(id, "retry_now").status == 409);
  const auto lines = d.audit("target=" + id);
  REQUIRE(lines.size() == 3); // newest first
  CHECK(shop_client::each(lines, "outcome") == texts{"action-not-allowed", "no-op", "done"});
  CHECK(shop_client::each(lines, "action") == texts{"saga.retry_now", "saga.pause", "saga.pause"});
  CHECK(lines[2].at("principal") == "dev");
  CHECK(lines[2].at("roles") == "admin");
  CHECK(lines[2].at("reason") == "the bank called");
  CHECK(d.audit("action=saga.pause&target=" + id).size() == 2);
  const auto page = need(d.shop->ops.get("/admin/v1/audit?limit=2&target=" + id), 200);
  CHECK(page.json().at("data").size() == 2);
  CHECK(page.json().at("next_cursor").is_string());
}

TEST_CASE("what can't be done now is 409 with what can, and a bad action is 422", "[operators]") {
  desk d;
  const auto id = d.shop->placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  const auto no = need(d.act(id, "retry_now"), 409);
  CHECK(no.json().at("code") == "action-not-allowed");
  CHECK(no.json().at("allowed_actions") == json{"cancel"});
  CHECK(need(d.act(id, "explode"), 422).json().at("errors")[0].at("pointer") == "/action");
  const auto ask = [&](const json& body) {
    return d.shop->ops.post(desk::path(id) + "/actions", body).status;
  };
  CHECK(ask({{"action", "cancel"}}) == 422);
  CHECK(ask({{"action", "cancel"}, {"reason", ""}}) == 422);
  CHECK(ask({{"action", "cancel"}, {"reason", "a\nb"}}) == 422);
  CHECK(ask({{"action", "cancel"}, {"reason", std::string(257, 'x')}}) == 422);
  CHECK(ask({{"action", "cancel"}, {"reason", "x"}, {"force", true}}) == 422);
  CHECK(d.act("ord_0000000000000000000000000G", "pause").status == 404);
  CHECK(d.act("nonsense", "pause").status == 404);
  CHECK(d.acted(id) == 0);
  CHECK(d.shop->ops.get("/admin/v1/sagas?older_than=soon").status == 422);
}

TEST_CASE("of operators that race with the version they saw one wins", "[operators]") {
  desk d;
  const auto id = d.refund_stuck("tok_refund_fails_1000000");
  need(d.act(id, "pause"), 202);
  const auto tag = need(d.shop->ops.get(desk::path(id)), 200).field("ETag");
  const auto answers = all_at_once(d.at, 6, [&](shop_client& c, std::size_t i) {
    return c.ops.post(desk::path(id) + "/actions",
      {{"action", i % 2 ? "resolve" : "resume"}, {"reason", "mine"}}, {{"If-Match", tag}});
  });
  std::map<int, int> statuses;
  for (const auto& a : answers) ++statuses[a.status];
  CHECK(statuses == std::map<int, int>{{202, 1}, {412, 5}});
  CHECK(d.acted(id) == 2);
}

TEST_CASE("retry_now pre-empts the back-off of a refund", "[operators]") {
  desk d;
  const auto id = d.refund_stuck("tok_refund_fails_7");
  for (int tries = 0; tries < 100 && d.saga(id).at("status") == "cancelling"; ++tries)
    d.act(id, "retry_now"); // 202, or 409 once it is done
  d.shop->wait_for(id, "cancelled");
  CHECK(d.shop->money(id) == money_moved{1, 1, 0, 0});
  CHECK(d.acted(id) >= 1);
  CHECK(d.shop->complaints() == texts{});
}

TEST_CASE(
  "a refund that a person made is resolved, and the books say whose it was", "[operators]") {
  desk d;
  const auto id = d.refund_stuck("tok_refund_fails_1000000");
  need(d.act(id, "resolve"), 202);
  const auto o = d.shop->wait_for(id, "cancelled");
  CHECK(o.at("saga") == "done");
  CHECK(o.at("payment").at("status") == "resolved");
  CHECK(o.at("payment").at("refunded") == krw(0)); // the provider gave nothing back
  CHECK(d.shop->money(id) == money_moved{1, 0, 0, 300});
  const auto types = d.shop->event_types(id);
  CHECK(std::count(types.begin(), types.end(), "PaymentCanceled") == 0);
  const auto events = d.shop->history(id);
  const auto said = std::find_if(
    events.begin(), events.end(), [](const json& e) { return e.at("type") == "OperatorActed"; });
  REQUIRE(said != events.end());
  CHECK(said->at("data").at("amount") == krw(300));
  CHECK(d.shop->figures("tea") == "10/0/10");
  need(d.act(id, "resolve"), 202); // already so
  CHECK(d.acted(id) == 1);
  CHECK(d.at.stop() == 0);
  const auto report = run_jumun({"check", d.at.data_dir().string()});
  CAPTURE(report.out);
  CHECK(report.how.exit_code == 0);
}

TEST_CASE("after a failed delivery an operator cancels or resolves", "[operators]") {
  desk d;
  const auto not_brought = [&] {
    const auto id = d.shop->placed("tok_approve", {{"tea", 2}}, {.wait_s = 20});
    need(d.shop->report(id, "picked_up"), 200);
    need(d.shop->report(id, "failed"), 200);
    CHECK(d.shop->cancel(id).status == 409); // customers can't
    CHECK(d.saga(id).at("allowed_actions") == json{"cancel", "resolve"});
    return id;
  };
  const auto back = not_brought();
  need(d.act(back, "cancel"), 202);
  d.shop->wait_for(back, "cancelled");
  CHECK(d.shop->money(back) == money_moved{1, 1, 0, 0});
  CHECK(d.shop->figures("tea") == "10/0/10"); // the goods came back
  const auto brought = not_brought();
  CHECK(need(d.act(brought, "resolve"), 202).json().at("status") == "delivered");
  CHECK(d.shop->order(brought).at("saga") == "done");
  CHECK(d.shop->event_types(brought).back() == "OrderCompleted");
  CHECK(d.sagas("state=blocked").empty());
  CHECK(d.shop->complaints() == texts{});
  CHECK(d.at.stop() == 0);
  CHECK(run_jumun({"check", d.at.data_dir().string()}).how.exit_code == 0);
}

TEST_CASE("an order that was set aside comes back by an operator", "[operators]") {
  desk d{{"--failpoints", "saga.throw:poison*6"}}; // it crashes until it is set aside, then no more
  d.shop->sell("poison", 700, 10);
  const auto id = d.shop->placed("tok_approve", {{"poison", 1}});
  d.shop->wait_for(id, [](const json& o) { return o.at("saga") == "blocked"; });
  CHECK(d.saga(id).at("allowed_actions") == json{"resume", "retry_now", "cancel"});
  SECTION("by retry_now") { need(d.act(id, "retry_now"), 202); }
  SECTION("by resume") { need(d.act(id, "resume"), 202); }
  SECTION("by the restart button") {
    std::string actor;
    const auto all = need(d.shop->ops.get("/admin/v1/actors"), 200).json();
    for (const auto& a : all.at("data"))
      if (a.at("name") == "saga/" + id) actor = a.at("id");
    need(d.shop->ops.post("/admin/v1/actors/" + actor + "/restart", json::object()), 202);
  }
  CHECK(d.shop->wait_for(id, "preparing").at("saga") == "done");
  CHECK(d.shop->money(id) == money_moved{1, 0, 0, 700});
  CHECK(d.sagas("state=blocked").empty());
}

TEST_CASE("sagas are found by state, customer, SKU and age; a customer's orders by their index",
  "[operators]") {
  desk d;
  const auto id = d.refund_stuck("tok_refund_fails_1000000");
  const auto done = d.shop->placed("tok_approve", {{"tea", 1}}, {.customer = "c-7", .wait_s = 20});
  CHECK(d.sagas("state=blocked&customer_id=c-42&sku=tea&older_than=0").size() == 1);
  CHECK(d.sagas("customer_id=c-7").empty()); // it is done
  CHECK(shop_client::each(d.sagas("state=done&customer_id=c-7"), "order_id") == texts{done});
  CHECK(d.sagas("sku=coffee").empty());
  CHECK(d.sagas("older_than=1h").empty());
  CHECK(shop_client::each(d.shop->all_of("/v1/orders?customer_id=c-42"), "id") == texts{id});
  CHECK(shop_client::each(d.shop->all_of("/v1/orders?customer_id=c-7"), "id") == texts{done});
}
