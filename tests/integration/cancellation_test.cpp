#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

/// A cancellation at each moment of an order's life, by API.md, from outside.
namespace {
using namespace jumun::tests;

long count(const texts& all, const std::string& one) {
  return std::count(all.begin(), all.end(), one);
}
texts without(texts all, const std::string& one) {
  all.erase(std::remove(all.begin(), all.end(), one), all.end());
  return all;
}

/// What must be true once an order of three pieces of tea is cancelled, whatever it was doing
/// before.
void check_undone(shop_client& c, const std::string& id) {
  const auto o = c.wait_for(id, "cancelled");
  CHECK(o.at("saga") == "done");
  CHECK(o.at("allowed_actions") == json::array());
  CHECK(o.at("cancellation").is_object());
  CHECK(c.money(id).kept == 0);
  CHECK(c.figures("tea") == "10/0/10");
  CHECK(count(c.event_types(id), "OrderCanceled") == 1);
  CHECK(c.complaints() == texts{});
}

/// POST and both GETs of a cancellation agree with one another and with the order.
void check_cancellation(shop_client& c, const std::string& id, const response& asked) {
  const auto cxl = asked.json().at("id").get<std::string>();
  CHECK(cxl.rfind("cxl_", 0) == 0);
  CHECK(asked.field("location") == c.path(id) + "/cancellations/" + cxl);
  const auto list = need(c.api.get(c.path(id) + "/cancellations"), 200).json().at("data");
  REQUIRE(list.size() == 1);
  CHECK(list[0].at("id") == cxl);
  const auto one = need(c.api.get(c.path(id) + "/cancellations/" + cxl), 200).json();
  CHECK(one == list[0]);
  CHECK(one.at("reason") == "changed my mind");
  CHECK(c.order(id).at("cancellation").at("id") == cxl);
}

struct tea_shop : open_shop {
  explicit tea_shop(const std::string& patience_ms)
      : open_shop({"--payment-timeout-ms", patience_ms}) {
    client().sell("tea", 4'500, 10);
  }
};
} // namespace

TEST_CASE("cancelled while the charge is in flight: it never happens", "[cancellation]") {
  const tea_shop shop{"60000"};
  auto c = shop.client();
  const auto id = c.placed("tok_slow_60000", {{"tea", 3}});
  c.wait_for(id, "paying");
  CHECK(c.figures("tea") == "10/3/7");
  CHECK(c.order(id).at("allowed_actions") == json{"cancel"});
  CHECK(need(c.api.get(c.path(id) + "/cancellations"), 200).json().at("data").empty());
  CHECK(c.order(id).at("cancellation").is_null());

  const auto asked = c.cancel(id);
  CHECK(asked.status == 202);
  check_undone(c, id);
  check_cancellation(c, id, asked);
  CHECK(c.money(id) == money_moved{0, 0, 1, 0});
  CHECK(c.event_types(id)
        == texts{
          "OrderPlaced", "StockDecreased", "OrderCanceled", "PaymentCanceled", "StockIncreased"});
  // Once it is settled, asking again says so: the same one, and nothing happens.
  const auto version = c.order(id).at("version");
  const auto again = c.cancel(id);
  CHECK(again.status == 200);
  CHECK(again.json().at("id") == asked.json().at("id"));
  CHECK(c.order(id).at("version") == version);
}

TEST_CASE(
  "cancelled while the charge is in back-off: the pause is not waited for", "[cancellation]") {
  const tea_shop shop{"50"};
  auto c = shop.client();
  const auto id = c.placed("tok_flaky_1000000", {{"tea", 3}});
  // Some charges have failed, so the pauses are long.
  c.wait_for(id, [](const json& o) { return o.at("saga") == "waiting" && o.at("version") >= 9; });
  const auto asked = c.cancel(id);
  CHECK(asked.status == 202);
  check_undone(c, id);
  check_cancellation(c, id, asked);
  CHECK(c.money(id) == money_moved{0, 0, 1, 0});
  CHECK(without(c.event_types(id), "PaymentOutcomeUnknown")
        == texts{
          "OrderPlaced", "StockDecreased", "OrderCanceled", "PaymentCanceled", "StockIncreased"});
}

TEST_CASE(
  "cancelled while the charge's outcome is unknown, and nothing was taken", "[cancellation]") {
  const tea_shop shop{"50"};
  auto c = shop.client();
  const auto id = c.placed("tok_timeout", {{"tea", 3}});
  c.wait_for(
    id, [&](const json&) { return count(c.event_types(id), "PaymentOutcomeUnknown") > 0; });
  const auto asked = c.cancel(id);
  CHECK(asked.status == 202);
  check_undone(c, id);
  check_cancellation(c, id, asked);
  CHECK(c.money(id) == money_moved{0, 0, 1, 0});
}

TEST_CASE("cancelled while the charge is unanswered, yet the money was taken: it is given back",
  "[cancellation]") {
  const tea_shop shop{"60000"}; // so long that the provider's silence is all that is known
  auto c = shop.client();
  const auto id = c.placed("tok_unknown_charged", {{"tea", 3}});
  ask_until([&] { return c.money(id).charges == 1; });
  CHECK(c.cancel(id).status == 202);
  check_undone(c, id);
  CHECK(c.money(id) == money_moved{1, 1, 0, 0});
  CHECK(c.order(id).at("payment").at("refunded") == krw(13'500));
  const auto types = c.event_types(id); // what was undone was said to have happened
  CHECK(count(types, "PaymentApproved") == 1);
  CHECK(count(types, "PaymentCanceled") == 1);
}

TEST_CASE("cancelled while preparing: delivery, payment, stock are undone in this order",
  "[cancellation]") {
  const tea_shop shop{"1000"};
  auto c = shop.client();
  const auto id = c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20});
  CHECK(c.order(id).at("status") == "preparing");
  CHECK(c.figures("tea") == "7/0/7"); // it has left the shelf
  const auto asked = c.cancel(id);
  CHECK(asked.status == 202);
  check_undone(c, id);
  check_cancellation(c, id, asked);
  CHECK(c.event_types(id)
        == texts{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted",
          "OrderCanceled", "DeliveryCanceled", "PaymentCanceled", "StockIncreased"});
  CHECK(c.money(id) == money_moved{1, 1, 0, 0});
  CHECK(c.report(id, "picked_up").status == 409); // the courier has come too late
  const auto restock = c.all_of("/v1/inventory/tea/movements").at(0);
  CHECK(restock.at("delta") == 3);
  CHECK(restock.at("order_id") == id);
}

TEST_CASE(
  "a delivery that failed before it was picked up can still be cancelled", "[cancellation]") {
  const tea_shop shop{"1000"};
  auto c = shop.client();
  const auto id = c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20});
  CHECK(c.report(id, "failed").status == 200);
  CHECK(c.order(id).at("saga") == "blocked");
  CHECK(c.cancel(id).status == 202);
  check_undone(c, id);
  CHECK(need(c.ops.get("/admin/v1/sagas?state=blocked"), 200).json().at("data").empty());
}

TEST_CASE("from shipped on, and once rejected, it is 409 not-cancellable", "[cancellation]") {
  const tea_shop shop{"1000"};
  auto c = shop.client();
  const auto refused = [&](const std::string& id) {
    const auto before = c.order(id);
    CHECK(before.at("allowed_actions") == json::array());
    const auto r = c.cancel(id);
    CHECK(r.status == 409);
    CHECK(r.field("content-type") == "application/problem+json");
    CHECK(r.json().at("code") == "not-cancellable");
    CHECK(c.order(id) == before);
    CHECK(need(c.api.get(c.path(id) + "/cancellations"), 200).json().at("data").empty());
  };
  const auto id = c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20});
  CHECK(c.report(id, "picked_up").status == 200);
  refused(id);
  CHECK(c.report(id, "delivered").status == 200);
  refused(id);
  refused(c.placed("tok_decline", {{"tea", 3}}, {.wait_s = 20}));
  const auto failed_on_the_way = c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20});
  CHECK(c.report(failed_on_the_way, "picked_up").status == 200);
  CHECK(c.report(failed_on_the_way, "failed").status == 200);
  refused(failed_on_the_way);
  CHECK(c.complaints() == texts{});
}

TEST_CASE("asked by eight at once it is one cancellation", "[cancellation]") {
  const tea_shop shop{"60000"};
  auto c = shop.client();
  for (const std::string token : {"tok_approve", "tok_slow_60000"}) {
    CAPTURE(token);
    const auto id = c.placed(token, {{"tea", 3}});
    const auto answers =
      all_at_once(shop.at, 8, [&](shop_client& each, std::size_t) { return each.cancel(id); });
    std::set<std::string> ids;
    for (const auto& r : answers) {
      INFO(r.body);
      REQUIRE((r.status == 202 || r.status == 200));
      ids.insert(r.json().at("id").get<std::string>());
    }
    CHECK(ids.size() == 1);
    check_undone(c, id);
    CHECK(c.money(id).refunds <= 1);
    CHECK(c.money(id).voids <= 1);
  }
}

TEST_CASE("cancelled and shipped at the same time: one of the two is told no", "[cancellation]") {
  const tea_shop shop{"1000"};
  auto c = shop.client();
  for (int round = 0; round < 5; ++round) {
    const auto id = c.placed("tok_approve", {{"tea", 2}}, {.wait_s = 20});
    const auto answers = all_at_once(shop.at, 2, [&](shop_client& each, std::size_t who) {
      return who == 0 ? each.cancel(id) : each.report(id, "picked_up");
    });
    CAPTURE(answers[0].body, answers[1].body);
    if (answers[0].status == 202) {
      CHECK(answers[1].status == 409);
      c.wait_for(id, "cancelled");
    } else {
      CHECK(answers[0].status == 409);
      CHECK(answers[1].status == 200);
      CHECK(c.order(id).at("status") == "shipped");
    }
    CHECK(c.complaints() == texts{});
  }
}

TEST_CASE("a cancellation that was accepted survives kill -9, and is carried to its end",
  "[cancellation]") {
  tea_shop shop{"60000"};
  std::string id, slow;
  response asked;
  {
    auto c = shop.client();
    id = c.placed("tok_refund_fails_2", {{"tea", 3}}, {.wait_s = 20});
    slow = c.placed("tok_slow_60000", {{"tea", 3}});
    c.wait_for(slow, "paying");
    CHECK(c.cancel(slow).status == 202);
    asked = c.cancel(id);
    CHECK(asked.status == 202);
  }
  shop.at.kill9();
  shop.at.restart();
  auto c = shop.client();
  c.wait_for(slow, "cancelled");
  check_undone(c, id);
  check_cancellation(c, id, asked);
  CHECK(c.money(id) == money_moved{1, 1, 0, 0});
}

TEST_CASE("a cancellation needs no body, and says what is wrong with one", "[cancellation]") {
  const tea_shop shop{"1000"};
  auto c = shop.client();
  const auto id = c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20});
  const auto at = c.path(id) + "/cancellations";
  CHECK(c.api.post(at, {{"why", "unknown field"}}).status == 422);
  CHECK(c.api.post(at, {{"reason", 7}}).status == 422);
  CHECK(c.api.send("POST", at, "{", {}).status == 400);
  CHECK(c.api.post("/v1/orders/ord_nothing/cancellations", json::object()).status == 404);
  CHECK(c.api.get(at + "/cxl_nothing").status == 404);
  CHECK(c.order(id).at("status") == "preparing");
  const auto bare = c.api.send("POST", at, "", {{"Idempotency-Key", "bare"}});
  CHECK(bare.status == 202);
  check_undone(c, id);
}
