#include "tests/catch.hpp"
#include "tests/support/shop_of_nodes.hpp"
#include "tests/support/sse_client.hpp"
#include <csignal>

// What the debug console asks for, of the real binary.
using namespace jumun::tests;

namespace {
json ask(client& ops, const std::string& target) { return need(ops.get(target), 200).json(); }
json rows_of(client& ops, const std::string& target) { return ask(ops, target).at("data"); }

/// A shop whose provider is given up on after 50 ms, so that a refund is soon blocked.
struct troubled_shop : open_shop {
  troubled_shop() : open_shop{{"--payment-timeout-ms", "50"}}, shop{client()} {
    shop.sell("tea", 100, 100);
  }
  shop_client shop;
  std::string stuck_refund() {
    const auto id = shop.placed("tok_refund_fails_1000", {{"tea", 3}}, {.wait_s = 20});
    need(shop.cancel(id), 202);
    shop.wait_for(id, [](const json& o) { return o.at("saga") == "blocked"; });
    return id;
  }
};
std::set<std::string> names_in(const json& rows, const std::string& field) {
  std::set<std::string> all;
  for (const auto& row : rows) all.insert(row.at(field).get<std::string>());
  return all;
}
} // namespace

TEST_CASE("the console's page is served, relative to where it is", "[console]") {
  open_shop shop;
  auto c = shop.client();
  const auto there = need(c.ops.get("/console"), 308);
  CHECK(there.field("location") == "console/");
  const auto page = need(c.ops.get("/console/"), 200);
  CHECK(page.field("content-type") == "text/html; charset=utf-8");
  CHECK(page.field("vary") == "Accept-Encoding");
  CHECK(page.field("content-security-policy").find("unsafe") == std::string::npos);
  CHECK(c.ops.get("/console/", {{"If-None-Match", page.field("etag")}}).status == 304);
  CHECK(c.ops.get("/console/nothing.js").status == 404);
  CHECK(c.api.get("/console/").status == 404); // on the ops listener alone
}

TEST_CASE(
  "the overview has what happened in the last seconds, and streams the next ones", "[console]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 100, 100);
  for (int i = 0; i < 3; ++i) c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  c.placed("tok_decline", {{"tea", 1}}, {.wait_s = 20});
  ask_until([&] {
    const auto h = ask(c.ops, "/admin/v1/overview").at("nodes").at(0).at("history");
    if (h.is_null()) return false; // not a second old
    double accepted = 0;
    for (const auto& n : h.at("accepted")) accepted += n.get<double>();
    return accepted > 0;
  });
  const auto all = ask(c.ops, "/admin/v1/overview");
  const auto o = all.at("nodes").at(0);
  CHECK(all.at("missing_nodes").empty());
  CHECK(o.at("node") == "n1");
  CHECK(o.at("funnel").at("accepted") == 4);
  CHECK(o.at("funnel").at("preparing") == 3);
  CHECK(o.at("funnel").at("rejected") == 1);
  CHECK(o.at("sagas").at("running") == 0);
  CHECK(o.at("oldest_open").is_null());
  CHECK(o.at("breakers").at(0).at("name") == "payment-provider");
  const auto& h = o.at("history");
  for (const auto* column : {"accepted", "settle_p99_ms", "commit_p50_us", "open"})
    CHECK(h.at(column).size() == h.at("requests").size());
  double settled = 0, slowest = 0;
  for (const auto& n : h.at("settled")) settled += n.get<double>();
  for (const auto& n : h.at("settle_p99_ms"))
    if (!n.is_null()) slowest = std::max(slowest, n.get<double>());
  CHECK(settled > 0);
  CHECK(slowest > 0);
  CHECK(ask(c.ops, "/admin/v1/overview?history=no").at("nodes").at(0).at("history").is_null());
  CHECK(c.ops.get("/admin/v1/overview?history=2").status == 422);

  sse_client reader{shop.at.ops_port(), "/admin/v1/overview", {{"accept", "text/event-stream"}}};
  REQUIRE(reader.status == 200);
  const auto first = reader.next_event();
  CHECK(first->event == "overview");
  CHECK(first->json().at("nodes").at(0).at("history").is_object());
  const auto second = reader.next_event(), third = reader.next_event();
  CHECK(second->event == "sample");
  CHECK(second->json().at("nodes").at(0).at("history").is_null());
  CHECK(second->json().at("nodes").at(0).at("at") < third->json().at("nodes").at(0).at("at"));
  shop.at.child().send(SIGTERM);
  std::string last;
  while (const auto frame = reader.next_event()) last = frame->event;
  CHECK(last == "drain");
}

TEST_CASE("actors are listed by page, filter and figure, and added up by kind", "[console]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 100, 10);
  const auto id = c.placed("tok_slow_20000", {{"tea", 1}});
  c.wait_for(id, "paying");
  std::vector<int> ids;
  for (std::string cursor;;) {
    const auto page = ask(c.ops,
      "/admin/v1/actors?kind=payment&limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& a : page.at("data")) {
      CHECK(a.at("kind") == "payment");
      ids.push_back(std::stoi(a.at("id").get<std::string>()));
    }
    if (page.at("next_cursor").is_null()) break;
    cursor = page.at("next_cursor");
  }
  CHECK(ids.size() == 256);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  CHECK(std::set<int>(ids.begin(), ids.end()).size() == 256);

  const auto name = "saga/" + id;
  const auto saga = rows_of(c.ops, "/admin/v1/actors?name=" + name);
  REQUIRE(saga.size() == 1);
  const auto parent = saga.at(0).at("parent").get<std::string>();
  const auto children = names_in(rows_of(c.ops, "/admin/v1/actors?parent=" + parent), "name");
  const auto shard = parent.substr(parent.find('/'));
  CHECK(children
        == std::set<std::string>{"inventory" + shard, "payment" + shard, "delivery" + shard, name});
  CHECK(
    names_in(rows_of(c.ops, "/admin/v1/actors?parent="), "name") == std::set<std::string>{"node"});
  // The shelf has sold tea: no inventory has handled more.
  const auto busy = ask(c.ops, "/admin/v1/actors?kind=inventory&sort=messages_handled&limit=3");
  CHECK(busy.at("data").size() == 3);
  CHECK(busy.at("next_cursor").is_null());
  CHECK(
    busy.at("data").at(0).at("messages_handled") >= busy.at("data").at(1).at("messages_handled"));
  CHECK(busy.at("data").at(0).at("messages_handled") > 0);
  const auto by_name = ask(c.ops, "/admin/v1/actors/" + std::string{"saga%2F"} + id);
  CHECK(by_name.at("live_state").at("phase") == "charging");
  for (const auto* wrong : {"kind=clerk", "shard=256", "state=asleep", "sort=name",
         "sort=restarts&cursor=c1", "limit=201"}) {
    CAPTURE(wrong);
    CHECK(c.ops.get(std::string{"/admin/v1/actors?"} + wrong).status == 422);
  }
  CHECK(c.ops.get("/admin/v1/actors?cursor=nonsense").status == 400);

  std::map<std::string, json> totals;
  for (const auto& t : rows_of(c.ops, "/admin/v1/actor-totals")) totals[t.at("kind")] = t;
  CHECK(totals.at("supervisor").at("count") == 256);
  CHECK(totals.at("saga").at("running") == 1);
  CHECK(totals.at("inventory").at("messages_handled") > 0);
}

TEST_CASE("whatever has an id is found by it", "[console]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 100, 10);
  const headers traced{{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"}};
  const auto id =
    need(c.api.post("/v1/orders", order_body("tok_approve", {{"tea", 1}}), traced), 201)
      .json()
      .at("id")
      .get<std::string>();
  c.wait_settled(id);
  const auto tail = id.substr(3);
  const auto event = c.history(id).at(1).at("id").get<std::string>();
  const auto kind_of = [&](const std::string& text) {
    const auto found = rows_of(c.ops, "/admin/v1/find?q=" + text);
    return found.size() == 1 ? found.at(0).at("kind").get<std::string>() : "";
  };
  CHECK(kind_of(id) == "order");
  CHECK(kind_of("pay" + tail) == "payment");
  CHECK(kind_of("dlv" + tail) == "delivery");
  CHECK(kind_of("cxl" + tail) == ""); // it was not cancelled
  CHECK(kind_of(event) == "event");
  CHECK(kind_of("0af7651916cd43dd8448eb211c80319c") == "trace");
  CHECK(kind_of("tea") == "sku");
  CHECK(kind_of("c-42") == "customer");
  CHECK(kind_of("payment%2F7") == "actor");
  CHECK(kind_of("1") == "actor");
  for (const auto& text :
    {id, "pay" + tail, event, std::string{"0af7651916cd43dd8448eb211c80319c"}})
    CHECK(rows_of(c.ops, "/admin/v1/find?q=" + text).at(0).at("order_id") == id);
  CHECK(rows_of(c.ops, "/admin/v1/find?q=te").empty());
  CHECK(c.ops.get("/admin/v1/find").status == 422);
}

TEST_CASE(
  "an order's messages are recorded while that is wanted, and tell its timeline", "[console]") {
  open_shop shop{{"--payment-timeout-ms", "20000"}};
  auto c = shop.client();
  c.sell("tea", 100, 10);
  const auto id = c.placed("tok_slow_1500", {{"tea", 2}});
  c.wait_for(id, "paying");
  const auto path = "/admin/v1/orders/" + id + "/recording";
  CHECK(c.ops.get(path).status == 404);
  const auto begun = need(c.ops.post(path, {{"seconds", 60}, {"messages", 100}}), 201).json();
  CHECK(begun.at("state") == "recording");
  CHECK(begun.at("of") == id);
  c.wait_settled(id);
  const auto recorded = ask(c.ops, path);
  std::vector<std::string> seen;
  for (const auto& m : recorded.at("messages")) {
    CHECK(m.at("order_id") == id);
    seen.push_back(m.at("message"));
  }
  const auto has = [&](const std::string& message, const std::string& from, const std::string& to) {
    for (const auto& m : recorded.at("messages"))
      if (m.at("message") == message && m.at("to").get<std::string>().starts_with(to)
          && (m.at("from").is_null() ? from.empty()
                                     : m.at("from").get<std::string>().starts_with(from)))
        return m.at("wait_us").is_number() && m.at("took_us").get<int>() >= 0;
    return false;
  };
  CAPTURE(recorded.dump());
  CHECK(has("provider_answered", "provider", "payment/"));
  CHECK(has("payment_answered", "payment/", "supervisor/"));
  CHECK(has("payment_answered", "supervisor/", "saga/ord_"));
  CHECK(has("start_delivery", "saga/ord_", "delivery/"));
  CHECK(has("delivery_answered", "delivery/", "saga/ord_"));
  CHECK(has("commit_stock", "saga/ord_", "inventory/"));
  CHECK(has("stock_answered", "inventory/", "saga/ord_"));
  CHECK(recorded.dump().find("tok_") == std::string::npos);

  const auto timeline = ask(c.ops, "/admin/v1/orders/" + id + "/timeline");
  CHECK(timeline.at("order_id") == id);
  CHECK(names_in(timeline.at("lanes"), "id").count("payment") == 1);
  std::set<std::string> events;
  std::int64_t before = 0;
  int messages = 0;
  for (const auto& e : timeline.at("entries")) {
    CHECK(e.at("at_us") >= before);
    before = e.at("at_us");
    if (e.at("kind") == "event") events.insert(e.at("name").get<std::string>());
    messages += e.at("kind") == "message";
  }
  const auto types = c.event_types(id);
  CHECK(events == std::set<std::string>(types.begin(), types.end()));
  CHECK(messages >= static_cast<int>(seen.size()));
  CHECK(timeline.at("recording").at("messages").is_null());

  need(c.ops.send("DELETE", path), 204);
  CHECK(c.ops.send("DELETE", path).status == 404);
  const auto ended = ask(c.ops, path);
  need(c.cancel(id), 202);
  c.wait_for(id, "cancelled");
  const auto later = ask(c.ops, path);
  CHECK(later.at("state") == "ended");
  CHECK(later.at("seen") == ended.at("seen")); // nothing came behind its end
  CHECK(rows_of(c.ops, "/admin/v1/audit?action=recording.start").size() == 1);
  CHECK(c.ops.post(path, {{"seconds", 601}}).status == 422);
  CHECK(c.ops.post("/admin/v1/actors/none/recording", json::object()).status == 404);
}

TEST_CASE("an actor's messages are recorded in its next life, too, and only the newest are kept",
  "[console]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 100, 100);
  const auto name = rows_of(c.ops, "/admin/v1/find?q=tea").at(0).at("actor").get<std::string>();
  const auto path = "/admin/v1/actors/inventory%2F" + name.substr(10) + "/recording";
  need(c.ops.post(path, {{"messages", 3}}), 201);
  const auto actor = [&] {
    for (const auto& a : rows_of(c.ops, "/admin/v1/actors?name=" + name))
      if (a.at("name") == name) return a;
    throw std::runtime_error{"it is not listed"};
  };
  const auto id = actor().at("id").get<std::string>();
  need(c.ops.post("/admin/v1/actors/" + id + "/restart", {{"reason", "to see"}}), 202);
  ask_until([&] { return actor().at("restarts") == 1 && actor().at("state") == "running"; });
  for (int i = 0; i < 3; ++i) c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  const auto r = ask(c.ops, path);
  CHECK(r.at("messages").size() == 3);
  CHECK(r.at("seen") > 5);
  CHECK(r.at("messages").at(2).at("message") == "commit_stock");
  CHECK(r.at("messages").at(2).at("from").get<std::string>().starts_with("saga/ord_"));
  CHECK(rows_of(c.ops, "/admin/v1/audit?action=actor.restart").at(0).at("reason") == "to see");
}

TEST_CASE("what an action would do is told before, for one order and for many", "[console]") {
  troubled_shop t;
  auto& c = t.shop;
  const auto stuck = t.stuck_refund(), other = t.stuck_refund();
  const auto well = c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  const auto one = need(
    c.ops.post("/admin/v1/sagas/" + stuck + "/actions", {{"action", "resolve"}, {"dry_run", true}}),
    200)
                     .json();
  CHECK(one.at("outcome") == "would-act");
  CHECK(one.at("saga").at("from") == "blocked");
  CHECK(one.at("phase").at("from") == "refunding");
  CHECK(one.at("phase").at("to") == "releasing");
  CHECK(one.at("sends") == json::array({"release_stock"}));
  CHECK(ask(c.ops, "/admin/v1/sagas/" + stuck).at("phase") == "refunding"); // nothing was done

  const auto at_risk = json::array({{{"amount", 600}, {"currency", "KRW"}}});
  const auto groups = rows_of(c.ops, "/admin/v1/attention");
  REQUIRE(groups.size() == 1);
  CHECK(groups.at(0).at("count") == 2);
  CHECK(groups.at(0).at("phase") == "refunding");
  CHECK(groups.at(0).at("money_at_risk") == at_risk);
  ask_until([&] { // priced in the background
    return ask(c.ops, "/admin/v1/overview?history=no").at("nodes").at(0).at("money_at_risk")
           == at_risk;
  });
  const auto oldest = ask(c.ops, "/admin/v1/overview?history=no").at("nodes").at(0);
  CHECK(oldest.at("oldest_open").at("order_id") == stuck);

  auto nobody = stuck;
  nobody.back() = nobody.back() == '0' ? '1' : '0';
  json batch{{"action", "resolve"}, {"reason", "the bank did it"},
    {"orders", {stuck, other, well, nobody}}, {"dry_run", true}};
  const auto outcomes = [](const json& r) {
    return texts{shop_client::each(r.at("data"), "outcome")};
  };
  const auto foreseen = need(c.ops.post("/admin/v1/sagas/actions", batch), 200).json();
  CHECK(outcomes(foreseen) == texts{"would-act", "would-act", "action-not-allowed", "not-found"});
  CHECK(rows_of(c.ops, "/admin/v1/audit?action=saga.batch").empty());
  CHECK(ask(c.ops, "/admin/v1/sagas/" + other).at("phase") == "refunding");

  batch["dry_run"] = false;
  const auto done = need(c.ops.post("/admin/v1/sagas/actions", batch), 200).json();
  CHECK(outcomes(done) == texts{"done", "done", "action-not-allowed", "not-found"});
  c.wait_for(stuck, "cancelled");
  c.wait_for(other, "cancelled");
  CHECK(rows_of(c.ops, "/admin/v1/audit?action=saga.resolve").size() == 3); // the refused one, too
  const auto line = rows_of(c.ops, "/admin/v1/audit?action=saga.batch").at(0);
  CHECK(line.at("reason") == "the bank did it");
  CHECK(line.at("outcome") == "2 refused");
  CHECK(rows_of(c.ops, "/admin/v1/attention").empty());
  for (const json& wrong : {json{{"action", "resolve"}, {"orders", {stuck}}}, // no reason
         json{{"action", "burn"}, {"reason", "r"}, {"orders", {stuck}}},
         json{{"action", "resolve"}, {"reason", "r"}, {"orders", json::array()}},
         json{{"action", "resolve"}, {"reason", "r"}, {"orders", {"pay_1"}}}})
    CHECK(c.ops.post("/admin/v1/sagas/actions", wrong).status == 422);
}

TEST_CASE("open sagas are listed by their phase", "[console]") {
  troubled_shop t;
  const auto stuck = t.stuck_refund();
  const auto ids = [&](const std::string& query) {
    return names_in(rows_of(t.shop.ops, "/admin/v1/sagas?" + query), "order_id");
  };
  CHECK(ids("phase=refunding,voiding") == std::set<std::string>{stuck});
  CHECK(ids("phase=charging").empty());
  CHECK(t.shop.ops.get("/admin/v1/sagas?phase=sleeping").status == 422);
}

TEST_CASE("live reservations are listed with their orders, and a shelf adds up", "[console]") {
  open_shop shop{{"--payment-timeout-ms", "20000"}};
  auto c = shop.client();
  c.sell("tea", 100, 50);
  c.placed("tok_approve", {{"tea", 5}}, {.wait_s = 20}); // committed: no longer live
  std::set<std::string> held;
  for (int i = 0; i < 3; ++i) {
    const auto id = c.placed("tok_slow_20000", {{"tea", 2}});
    c.wait_for(id, "paying");
    held.insert(id);
  }
  std::set<std::string> listed;
  for (std::string cursor;;) {
    const auto page = ask(c.ops,
      "/admin/v1/inventory/tea/reservations?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& r : page.at("data")) {
      CHECK(r.at("quantity") == 2);
      listed.insert(r.at("order_id").get<std::string>());
    }
    if (page.at("next_cursor").is_null()) break;
    cursor = page.at("next_cursor");
  }
  CHECK(listed == held);
  const auto sums = ask(c.ops, "/admin/v1/inventory/tea/check");
  CHECK(sums.at("on_hand") == 45);
  CHECK(sums.at("movements_sum") == 45);
  CHECK(sums.at("reserved") == 6);
  CHECK(sums.at("live_reservations_sum") == 6);
  CHECK(sums.at("consistent") == true);
  CHECK(c.ops.get("/admin/v1/inventory/coffee/check").status == 404);
  CHECK(c.ops.get("/admin/v1/inventory/tea/reservations?cursor=x").status == 400);
  std::int64_t open = 0, decisions = 0;
  for (const auto& s : rows_of(c.ops, "/admin/v1/shards")) {
    open += s.at("sagas_open").get<std::int64_t>();
    decisions += s.at("decisions").get<std::int64_t>();
  }
  CHECK(open == 3);
  CHECK(decisions >= 4);
}

TEST_CASE("each node of a cluster tells of all of them", "[console][cluster]") {
  shop_of_nodes shop{3};
  const texts skus{shop.sku_of(0, "tea-"), shop.sku_of(1, "tea-"), shop.sku_of(2, "tea-")};
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < 3; ++i) {
    auto c = shop.client(i);
    c.sell(skus[i], 100, 10);
    ids.push_back(c.placed("tok_approve", {{skus[i], 1}}, {.wait_s = 20}));
  }
  auto ops = shop.at(1).ops();
  ask_until([&] {
    std::int64_t accepted = 0;
    const auto now = ask(ops, "/admin/v1/overview?history=no");
    for (const auto& n : now.at("nodes"))
      accepted += n.at("funnel").at("accepted").get<std::int64_t>();
    return accepted == 3;
  });
  CHECK(names_in(ask(ops, "/admin/v1/overview").at("nodes"), "node")
        == std::set<std::string>{"n0", "n1", "n2"});
  sse_client reader{shop.at(0).ops_port(), "/admin/v1/overview", {{"accept", "text/event-stream"}}};
  CHECK(reader.next_event()->json().at("nodes").size() == 3);
  CHECK(reader.next_event()->json().at("nodes").size() == 3);

  std::set<std::string> supervisors;
  for (std::string cursor;;) {
    const auto page = ask(ops,
      "/admin/v1/actors?kind=supervisor&limit=50" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& name : names_in(page.at("data"), "name"))
      CHECK(supervisors.insert(name).second);
    if (page.at("next_cursor").is_null()) break;
    cursor = page.at("next_cursor");
  }
  CHECK(supervisors.size() == 256);
  for (const auto& a : rows_of(ops, "/admin/v1/actors?node=n2&limit=20"))
    CHECK(a.at("node") == "n2");
  CHECK(names_in(rows_of(ops, "/admin/v1/actor-totals"), "node").size() == 3);
  for (const auto& id : ids) {
    CHECK(rows_of(ops, "/admin/v1/find?q=" + id).at(0).at("order_id") == id);
    CHECK(ask(ops, "/admin/v1/orders/" + id + "/timeline").at("order_id") == id);
  }
  for (const auto& sku : skus)
    CHECK(ask(ops, "/admin/v1/inventory/" + sku + "/check").at("consistent") == true);

  // An order whose stock lies on all three: its recording and its timeline are whole.
  auto c = shop.client(0);
  const auto wide =
    c.placed("tok_slow_1500", {{skus[0], 1}, {skus[1], 1}, {skus[2], 1}}, {.wait_s = 0});
  c.wait_for(wide, "paying");
  const auto path = "/admin/v1/orders/" + wide;
  CHECK(
    need(ops.post(path + "/recording", json::object()), 201).json().at("missing_nodes").empty());
  c.wait_settled(wide);
  const auto recorded = ask(ops, path + "/recording");
  std::set<std::string> committed, shelves, homes;
  for (const auto& m : recorded.at("messages"))
    if (m.at("message") == "commit_stock" && m.at("from") == "saga/" + wide)
      committed.insert(m.at("to").get<std::string>());
  for (const auto& sku : skus)
    shelves.insert("inventory/" + std::to_string(jumun::domain::shard_of(std::string_view{sku})));
  CAPTURE(recorded.dump());
  CHECK(committed == shelves);
  const auto timeline = ask(ops, path + "/timeline");
  std::int64_t before = 0;
  std::set<std::string> rows;
  for (const auto& e : timeline.at("entries")) {
    CHECK(e.at("at_us") >= before);
    before = e.at("at_us");
    if (e.at("name") == "reservation row") rows.insert(e.at("lane").get<std::string>());
  }
  CHECK(rows == shelves);
  for (const auto& l : timeline.at("lanes"))
    if (shelves.contains(l.at("id").get<std::string>()))
      homes.insert(l.at("node").get<std::string>());
  CHECK(homes == std::set<std::string>{"n0", "n1", "n2"});
  CHECK(timeline.at("recording").at("seen") == recorded.at("messages").size());
  need(ops.send("DELETE", path + "/recording"), 204);
  CHECK(ops.send("DELETE", path + "/recording").status == 404);
  CHECK(ask(ops, path + "/recording").at("state") == "ended");
  ids.push_back(wide);

  const json batch{{"action", "cancel"}, {"reason", "all of them"}, {"orders", ids}};
  const auto done = need(ops.post("/admin/v1/sagas/actions", batch), 200).json();
  CHECK(
    texts{shop_client::each(done.at("data"), "outcome")} == texts{"done", "done", "done", "done"});
  for (const auto& id : ids) c.wait_for(id, "cancelled");

  shop.at(2).kill9();
  ask_until([&] {
    return ask(ops, "/admin/v1/overview?history=no").at("missing_nodes") == json::array({"n2"});
  });
}
