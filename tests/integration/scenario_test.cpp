#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

/// The seed's scenario and API.md's conventions, from outside.
namespace {
using namespace jumun::tests;

const texts event_names{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted",
  "OrderCanceled", "PaymentCanceled", "DeliveryCanceled", "StockIncreased", "StockRejected",
  "PaymentDeclined", "PaymentOutcomeUnknown", "DeliveryPickedUp", "DeliveryCompleted",
  "DeliveryFailed", "OrderRejected", "OrderCompleted", "SagaBlocked", "OperatorActed",
  "StockAdjusted", "ProductChanged"};

/// RFC 3339, UTC, milliseconds: 2024-05-01T00:00:00.000Z.
bool is_time(const json& t) {
  const auto s = t.get<std::string>();
  return s.size() == 24 && s[4] == '-' && s[10] == 'T' && s[19] == '.' && s.back() == 'Z';
}
bool has_id_form(const json& id, const std::string& prefix) {
  const auto s = id.get<std::string>();
  return s.rfind(prefix, 0) == 0 && s.size() > prefix.size()
         && s.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", prefix.size())
              == std::string::npos;
}
void check_cloud_event(const json& e, const std::string& partition) {
  CAPTURE(e);
  CHECK(e.at("specversion") == "1.0");
  CHECK(has_id_form(e.at("id"), "evt_"));
  CHECK(e.at("source").get<std::string>() != "");
  CHECK(std::count(event_names.begin(), event_names.end(), e.at("type").get<std::string>()) == 1);
  CHECK(e.at("subject").get<std::string>() != "");
  CHECK(is_time(e.at("time")));
  CHECK(e.at("partitionkey") == partition);
  CHECK(e.at("data").is_object());
}
/// The feed by `after=`, `limit` events at a time, to its end.
json read_feed(shop_client& c, const std::string& filter, int limit) {
  auto all = json::array();
  for (std::string after;;) {
    const auto page = need(c.api.get("/v1/events?limit=" + std::to_string(limit) + filter
                                     + (after.empty() ? "" : "&after=" + after)),
      200)
                        .json()
                        .at("data");
    if (page.empty()) return all;
    REQUIRE(page.size() <= static_cast<std::size_t>(limit));
    for (const auto& e : page) all.push_back(e);
    after = page.back().at("cursor").get<std::string>();
  }
}
void check_problem(const response& r, int status, const std::string& code) {
  CAPTURE(r.body);
  CHECK(r.status == status);
  CHECK(r.field("content-type") == "application/problem+json");
  const auto p = r.json();
  CHECK(p.at("status") == status);
  CHECK(p.at("type").is_string());
  CHECK(p.at("title").is_string());
  CHECK(p.at("trace_id").is_string());
  if (!code.empty()) CHECK(p.at("code") == code);
}
struct cafe : open_shop {
  cafe() {
    auto c = client();
    c.sell("americano", 4'500, 20);
    c.sell("latte", 5'000, 10);
    c.sell("cake", 6'000, 5);
  }
};
} // namespace

TEST_CASE("an order goes from the menu to the customer's door", "[scenario]") {
  const cafe shop;
  auto c = shop.client();
  const auto menu = need(c.api.get("/v1/products"), 200).json().at("data");
  REQUIRE(menu.size() == 3);
  for (const auto& p : menu)
    for (const auto* field : {"sku", "name", "unit_price", "available"}) CHECK(p.contains(field));

  const auto trace = std::string{"4bf92f3577b34da6a3ce929d0e0e4736"};
  const auto r =
    need(c.api.post("/v1/orders",
           order_body("tok_approve", {{"americano", 2}, {"latte", 1}, {"cake", 3}},
             {.expected_total = krw(32'000)}),
           {{"Prefer", "wait=20"}, {"traceparent", "00-" + trace + "-00f067aa0ba902b7-01"}}),
      201);
  CHECK(r.field("preference-applied").rfind("wait", 0) == 0);
  const auto o = r.json();
  const auto id = o.at("id").get<std::string>();
  CHECK(has_id_form(o.at("id"), "ord_"));
  CHECK(r.field("location") == c.path(id));
  CHECK(r.field("etag") == '"' + o.at("version").dump() + '"');
  CHECK(o.at("status") == "preparing");
  CHECK(o.at("saga") == "done");
  CHECK(o.at("customer_id") == "c-42");
  CHECK(o.at("total") == krw(32'000));
  REQUIRE(o.at("lines").size() == 3);
  CHECK(o.at("lines")[0]
        == json{{"sku", "americano"}, {"name", "The americano"}, {"quantity", 2},
          {"unit_price", krw(4'500)}});
  CHECK(has_id_form(o.at("payment").at("id"), "pay_"));
  CHECK(o.at("payment").at("amount") == krw(32'000));
  CHECK(o.at("payment").at("refunded") == krw(0));
  CHECK(has_id_form(o.at("delivery").at("id"), "dlv_"));
  CHECK(o.at("cancellation").is_null());
  CHECK(o.at("failure").is_null());
  CHECK(o.at("allowed_actions") == json{"cancel"});
  CHECK(is_time(o.at("created_at")));
  CHECK(is_time(o.at("updated_at")));
  CHECK(need(c.api.get(r.field("location")), 200).json() == o);
  CHECK(r.body.find("tok_approve") == std::string::npos);

  CHECK(c.figures("americano") == "18/0/18");
  CHECK(c.figures("latte") == "9/0/9");
  CHECK(c.figures("cake") == "2/0/2");
  CHECK(need(c.api.get("/v1/products/cake"), 200).json().at("available") == 2);
  const auto sold = c.all_of("/v1/inventory/cake/movements").at(0);
  CHECK(sold.at("delta") == -3);
  CHECK(sold.at("order_id") == id);
  CHECK(sold.at("reason").is_string());
  CHECK(is_time(sold.at("time")));

  const auto payment =
    need(c.api.get("/v1/payments/" + o.at("payment").at("id").get<std::string>()), 200).json();
  CHECK(payment.at("id") == o.at("payment").at("id"));
  CHECK(payment.at("amount") == krw(32'000));
  const auto delivery_at = "/v1/deliveries/" + o.at("delivery").at("id").get<std::string>();
  CHECK(need(c.api.get(delivery_at), 200).json().at("id") == o.at("delivery").at("id"));

  CHECK(c.report(id, "picked_up").status == 200);
  CHECK(c.order(id).at("status") == "shipped");
  CHECK(c.order(id).at("allowed_actions") == json::array());
  CHECK(need(c.api.get(delivery_at), 200).json().at("status") == "picked_up");
  CHECK(c.report(id, "delivered").status == 200);
  CHECK(c.order(id).at("status") == "delivered");
  CHECK(c.order(id).at("saga") == "done");

  const auto history = c.history(id);
  CHECK(
    c.each(history, "type")
    == texts{"OrderPlaced", "StockDecreased", "StockDecreased", "StockDecreased", "PaymentApproved",
      "DeliveryStarted", "DeliveryPickedUp", "DeliveryCompleted", "OrderCompleted"});
  for (std::size_t i = 0; i < history.size(); ++i) {
    check_cloud_event(history[i], id);
    CHECK(history[i].at("sequence") == i + 1);
    const auto told = history[i].at("traceparent").get<std::string>();
    if (i < 6) CHECK(told.find(trace) != std::string::npos);
  }
  CHECK(c.money(id) == money_moved{1, 0, 0, 32'000});
  CHECK(c.complaints() == texts{});
}

TEST_CASE("available falls at the reservation, on_hand when the delivery starts", "[scenario]") {
  const open_shop shop{{"--payment-timeout-ms", "60000"}};
  auto c = shop.client();
  c.sell("tea", 4'500, 10);
  const auto id = c.placed("tok_slow_60000", {{"tea", 3}});
  c.wait_for(id, "paying");
  CHECK(c.figures("tea") == "10/3/7");
  CHECK(need(c.api.get("/v1/products/tea"), 200).json().at("available") == 7);
  CHECK(c.all_of("/v1/inventory/tea/movements").size() == 1); // nothing has left the shelf

  // Not below what is reserved, neither by a movement nor by a count.
  check_problem(c.adjust("tea", -8), 409, "insufficient-stock");
  const auto etag = c.api.get("/v1/inventory/tea").field("etag");
  check_problem(c.api.put("/v1/inventory/tea", {{"on_hand", 2}}, {{"If-Match", etag}}), 409,
    "insufficient-stock");
  CHECK(c.adjust("tea", -7).status == 201);
  CHECK(c.figures("tea") == "3/3/0");
  // Sold out for the next one, until the first is cancelled.
  CHECK(c.order(c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20})).at("status") == "rejected");
  CHECK(c.cancel(id).status == 202);
  c.wait_for(id, "cancelled");
  CHECK(c.figures("tea") == "3/0/3");
  CHECK(c.order(c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20})).at("status") == "preparing");
  CHECK(c.figures("tea") == "0/0/0");
  CHECK(c.complaints() == texts{});
}

TEST_CASE("the feed tells every event once, in order, from any cursor on", "[scenario]") {
  const cafe shop;
  auto c = shop.client();
  const auto kept = c.placed("tok_approve", {{"americano", 1}, {"latte", 1}}, {.wait_s = 20});
  const auto undone = c.placed("tok_approve", {{"cake", 1}}, {.wait_s = 20});
  CHECK(c.cancel(undone).status == 202);
  c.wait_for(undone, "cancelled");
  CHECK(c.event_types(undone)
        == texts{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted",
          "OrderCanceled", "DeliveryCanceled", "PaymentCanceled", "StockIncreased"});

  const auto all = read_feed(c, "", 200);
  CHECK(read_feed(c, "", 1) == all);
  CHECK(read_feed(c, "", 3) == all);
  std::map<std::string, std::uint64_t> last;
  std::set<std::string> ids;
  for (const auto& e : all) {
    const auto key = e.at("partitionkey").get<std::string>();
    check_cloud_event(e, key);
    CHECK(e.at("sequence") == ++last[key]); // gapless per key
    CHECK(ids.insert(e.at("id").get<std::string>()).second);
  }
  CHECK(last.count(kept) + last.count(undone) + last.count("americano") + last.count("cake") == 4);

  for (const auto& id : {kept, undone}) { // the same facts as in the order's own history
    const auto of_order = read_feed(c, "&key=" + id, 3);
    CHECK(c.each(of_order, "type") == c.event_types(id));
    CHECK(c.each(of_order, "id") == c.each(c.history(id), "id"));
  }
  CHECK(c.each(read_feed(c, "&key=cake", 50), "type") == texts{"ProductChanged", "StockAdjusted"});
  std::size_t by_topic = 0;
  for (const std::string topic : {"orders", "payments", "inventory", "deliveries"})
    by_topic += read_feed(c, "&topic=" + topic, 2).size();
  CHECK(by_topic == all.size());
  const auto paid = read_feed(c, "&topic=payments&key=" + undone, 50);
  CHECK(c.each(paid, "type") == texts{"PaymentApproved", "PaymentCanceled"});
  CHECK(need(c.api.get("/v1/events?topic=nonsense"), 422).status == 422);
}

TEST_CASE("lists are paged, newest first, filtered, and linked", "[scenario]") {
  const cafe shop;
  auto c = shop.client();
  texts placed;
  for (int i = 0; i < 7; ++i)
    placed.insert(placed.begin(),
      c.placed(i % 2 == 0 ? "tok_approve" : "tok_decline", {{i < 3 ? "latte" : "americano", 1}},
        {.customer = i < 4 ? "ann" : "bob", .wait_s = 20}));
  const auto ids = [&](const std::string& query, int limit = 2) {
    return c.each(c.all_of("/v1/orders" + query, limit), "id");
  };
  CHECK(ids("") == placed);
  CHECK(ids("", 7) == placed);
  const auto page = need(c.api.get("/v1/orders?limit=2"), 200);
  CHECK(page.json().at("partial") == false);
  CHECK(page.json().at("missing_shards") == json::array());
  const auto link = page.field("link");
  CHECK(link.find("rel=\"next\"") != std::string::npos);
  const auto next = need(c.api.get(link.substr(1, link.find('>') - 1)), 200).json();
  CHECK(next.at("data")[0].at("id") == placed[2]);

  CHECK(ids("?customer_id=ann") == texts(placed.begin() + 3, placed.end()));
  CHECK(ids("?status=rejected") == texts{placed[1], placed[3], placed[5]});
  CHECK(ids("?status=preparing&customer_id=bob") == texts{placed[0], placed[2]});
  CHECK(ids("?sku=latte") == texts(placed.begin() + 4, placed.end()));
  CHECK(ids("?saga=done").size() == 7);
  CHECK(ids("?saga=blocked").empty());
  const auto third = c.order(placed[4]).at("created_at").get<std::string>();
  const auto after = ids("?created_after=" + third), before = ids("?created_before=" + third);
  const auto then = c.each(c.all_of("/v1/orders"), "created_at");
  const auto same = static_cast<std::size_t>(std::count(then.begin(), then.end(), third));
  CHECK(after.size() + before.size() + same == placed.size()); // both bounds are strict
  CHECK(std::count(after.begin(), after.end(), placed[0]) == 1);
  CHECK(std::count(before.begin(), before.end(), placed[6]) == 1);
  CHECK(std::count(before.begin(), before.end(), placed[0]) == 0);
  for (const auto* bad :
    {"?limit=0", "?limit=201", "?limit=x", "?status=lost", "?created_after=yesterday"})
    check_problem(c.api.get(std::string{"/v1/orders"} + bad), 422, "validation-failed");
  CHECK(c.api.get("/v1/orders?cursor=nonsense").status == 400);

  CHECK(c.each(c.all_of("/v1/products", 1), "sku").size() == 3);
  CHECK(c.each(c.all_of("/v1/inventory", 1), "sku").size() == 3);
  const auto moved = c.all_of("/v1/inventory/latte/movements", 1);
  CHECK(moved == c.all_of("/v1/inventory/latte/movements"));
  CHECK(moved.back().at("delta") == 10); // the oldest is last
}

TEST_CASE("ETag, If-None-Match and If-Match are honoured on what has versions", "[scenario]") {
  const cafe shop;
  auto c = shop.client();
  const auto id = c.placed("tok_approve", {{"latte", 1}}, {.wait_s = 20});
  const auto o = c.order(id);
  for (const auto& at : {c.path(id), std::string{"/v1/inventory/latte"},
         "/v1/payments/" + o.at("payment").at("id").get<std::string>(),
         "/v1/deliveries/" + o.at("delivery").at("id").get<std::string>()}) {
    CAPTURE(at);
    const auto etag = need(c.api.get(at), 200).field("etag");
    CHECK(etag.size() > 2);
    const auto same = c.api.get(at, {{"If-None-Match", etag}});
    CHECK(same.status == 304);
    CHECK(same.body.empty());
    CHECK(same.field("etag") == etag);
    CHECK(c.api.get(at, {{"If-None-Match", "\"0\", \"x\""}}).status == 200);
    CHECK(c.api.send("HEAD", at).field("etag") == etag);
  }
  const auto tea = "/v1/products/tea";
  const json body{{"name", "Tea"}, {"unit_price", krw(3'000)}};
  CHECK(c.api.put(tea, body, {{"If-None-Match", "*"}}).status == 201);
  check_problem(c.api.put(tea, body, {{"If-None-Match", "*"}}), 412, "precondition-failed");
  const auto etag = need(c.api.get(tea), 200).field("etag");
  CHECK(c.api.put(tea, {{"name", "Tea"}, {"unit_price", krw(3'100)}}, {{"If-Match", etag}}).status
        == 200);
  check_problem(c.api.put(tea, body, {{"If-Match", etag}}), 412, "precondition-failed");
  CHECK(need(c.api.get(tea), 200).json().at("unit_price") == krw(3'100));

  const auto shelf = "/v1/inventory/tea";
  check_problem(c.api.put(shelf, {{"on_hand", 12}}), 428, "precondition-required");
  const auto seen = need(c.api.get(shelf), 200).field("etag");
  const auto counted = c.api.put(shelf, {{"on_hand", 12}}, {{"If-Match", seen}});
  CHECK(counted.status == 200);
  CHECK(counted.json().at("on_hand") == 12);
  check_problem(
    c.api.put(shelf, {{"on_hand", 13}}, {{"If-Match", seen}}), 412, "precondition-failed");
  CHECK(c.figures("tea") == "12/0/12");
  CHECK(c.complaints() == texts{});
}

TEST_CASE("a long poll answers at the change, and 304 when there is none", "[scenario]") {
  const open_shop shop{{"--payment-timeout-ms", "60000"}};
  auto c = shop.client();
  c.sell("tea", 4'500, 10);
  const auto id = c.placed("tok_slow_60000", {{"tea", 1}});
  const auto o = c.wait_for(id, "paying");
  const auto etag = '"' + o.at("version").dump() + '"';
  const auto none = c.api.get(c.path(id), {{"If-None-Match", etag}, {"Prefer", "wait=1"}});
  CHECK(none.status == 304);
  response changed;
  std::thread waits{[&] {
    changed = shop.client().api.get(c.path(id), {{"If-None-Match", etag}, {"Prefer", "wait=30"}});
  }};
  auto other = shop.client();
  CHECK(other.cancel(id).status == 202);
  waits.join();
  CHECK(changed.status == 200);
  CHECK(changed.json().at("version") > o.at("version"));
  CHECK(changed.json().at("cancellation").is_object());

  // Prefer: wait gives up when its time is over, and tells the order as it stands.
  const auto slow = need(c.place("tok_slow_60000", {{"tea", 1}}, {.wait_s = 1}), 201);
  CHECK(slow.json().at("status") == "paying");
  CHECK_FALSE(slow.field("preference-applied").empty());
  CHECK(c.cancel(slow.json().at("id")).status == 202);
  c.wait_for(slow.json().at("id"), "cancelled");
}

TEST_CASE("what is wrong with a request is said by its status and code", "[scenario]") {
  const cafe shop;
  auto c = shop.client();
  const auto order = order_body("tok_approve", {{"latte", 1}});
  const auto with = [&](const char* pointer, const json& value) {
    auto changed = order;
    changed[json::json_pointer{pointer}] = value;
    return changed;
  };
  const std::vector<std::pair<std::string, json>> invalid{
    {"/lines/0/quantity", with("/lines/0/quantity", 0)},
    {"/lines/0/quantity", with("/lines/0/quantity", 1'000'001)},
    {"/lines/0/quantity", with("/lines/0/quantity", 1.5)},
    {"/lines/0/quantity", with("/lines/0/quantity", "1")},
    {"/lines/0/sku", with("/lines/0/sku", "no-such-thing")},
    {"/lines", with("/lines", json::array())},
    {"/lines", with("/lines", json(101, order["lines"][0]))},
    {"/colour", with("/colour", "red")},
    {"/payment/cvv", with("/payment/cvv", "123")},
    {"/customer_id", with("/customer_id", nullptr)},
  };
  for (const auto& [pointer, body] : invalid) {
    const auto r = c.api.post("/v1/orders", body);
    CAPTURE(pointer, r.body);
    check_problem(r, 422, "validation-failed");
    const auto errors = r.json().at("errors");
    CHECK(std::any_of(errors.begin(), errors.end(),
      [p = pointer](const json& e) { return e.at("pointer") == p && e.at("detail").is_string(); }));
    CHECK(r.body.find("no-such-thing") == std::string::npos); // no body is echoed
  }
  const auto raw = [&](const std::string& body, const headers& fields = {}) {
    return c.api.send("POST", "/v1/orders", body, fields);
  };
  check_problem(raw("{\"lines\":"), 400, "malformed-json");
  check_problem(raw(R"({"lines":[],"lines":[]})"), 400, "malformed-json");
  check_problem(raw(order.dump(), {{"Content-Type", "text/plain"}}), 415, "");
  check_problem(c.api.get("/v1/orders", {{"Accept", "image/png"}}), 406, "");
  for (const auto* at : {"/v1/orders/ord_nothing", "/v1/products/nothing", "/v1/inventory/nothing",
         "/v1/payments/pay_nothing", "/v1/deliveries/dlv_nothing", "/v1/nothing", "/livez",
         "/v1/orders/ord_nothing/events", "/v1/inventory/nothing/movements"})
    check_problem(c.api.get(at), 404, "not-found");
  const auto wrong = c.api.send("DELETE", "/v1/orders");
  check_problem(wrong, 405, "");
  CHECK(wrong.field("allow").find("GET") != std::string::npos);
  CHECK(wrong.field("allow").find("POST") != std::string::npos);
  // Two listeners: the ops one has what the console asks for, too.
  CHECK(c.api.get("/admin/v1/cluster").status == 404);
  CHECK(c.ops.get("/v1/orders").status == 200);
  CHECK(c.ops.get("/readyz").status == 200);
  CHECK(c.all_of("/v1/orders").empty());
}
