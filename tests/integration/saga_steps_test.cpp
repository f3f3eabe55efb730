#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

/// API.md's table of saga steps, row by row, from outside.
namespace {
using namespace jumun::tests;

long count(const texts& all, const std::string& one) {
  return std::count(all.begin(), all.end(), one);
}
/// Without what the road to a sure answer may repeat.
texts without(texts all, const std::string& one) {
  all.erase(std::remove(all.begin(), all.end(), one), all.end());
  return all;
}
const money_moved nothing{};
/// Three pieces at 4500.
money_moved charged() { return {1, 0, 0, 13'500}; }
money_moved given_back() { return {1, 1, 0, 0}; }
const texts fulfilled{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted"};

/// A provider that is given up on after 50 ms, and one SKU.
struct hasty_shop : open_shop {
  explicit hasty_shop(std::vector<std::string> more = {})
      : open_shop([&] {
          more.insert(more.end(), {"--payment-timeout-ms", "50"});
          return more;
        }()) {
    client().sell("tea", 4'500, 10);
  }
};
} // namespace

TEST_CASE("reserve refused: a sold-out order is rejected, and nobody is charged", "[saga_steps]") {
  const open_shop shop;
  auto c = shop.client();
  c.sell("tea", 4'500, 0);
  const auto r = need(c.place("tok_approve", {{"tea", 1}}, {.wait_s = 20}), 201);
  const auto o = r.json();
  CHECK(o.at("status") == "rejected");
  CHECK(o.at("saga") == "done");
  CHECK(o.at("failure").at("code").get<std::string>() != "");
  CHECK(o.at("failure").at("detail").get<std::string>() != "");
  CHECK(o.at("allowed_actions") == json::array());
  const auto id = o.at("id").get<std::string>();
  CHECK(c.event_types(id) == texts{"OrderPlaced", "StockRejected", "OrderRejected"});
  CHECK(c.money(id) == nothing);
  CHECK(c.complaints() == texts{});
}

TEST_CASE(
  "all or nothing across SKUs: what was held is released when one is refused", "[saga_steps]") {
  const open_shop shop;
  auto c = shop.client();
  for (const auto* sku : {"tea", "milk", "cake", "bread"}) c.sell(sku, 1'000, 5);
  c.sell("gold", 1'000, 1);
  const auto id = c.placed("tok_approve",
    {{"tea", 5}, {"milk", 2}, {"gold", 2}, {"cake", 1}, {"bread", 3}}, {.wait_s = 20});
  const auto o = c.order(id);
  CHECK(o.at("status") == "rejected");
  CHECK(o.at("payment").at("refunded").at("amount") == 0);
  const auto types = c.event_types(id);
  CHECK(types.front() == "OrderPlaced");
  CHECK(types.back() == "OrderRejected");
  CHECK(count(types, "StockRejected") == 1);
  CHECK(count(types, "StockDecreased") == count(types, "StockIncreased"));
  CHECK(c.money(id) == nothing);
  for (const auto* sku : {"tea", "milk", "cake", "bread"}) CHECK(c.figures(sku) == "5/0/5");
  CHECK(c.figures("gold") == "1/0/1");
  // Nothing of it lingers: everything can still be sold.
  const auto all = c.placed("tok_approve",
    {{"tea", 5}, {"milk", 5}, {"gold", 1}, {"cake", 5}, {"bread", 5}}, {.wait_s = 20});
  CHECK(c.order(all).at("status") == "preparing");
  CHECK(c.complaints() == texts{});
}

TEST_CASE("lines with the same SKU are summed before the check", "[saga_steps]") {
  const open_shop shop;
  auto c = shop.client();
  c.sell("tea", 4'500, 5);
  c.sell("milk", 1'000, 5);
  const auto over = c.placed("tok_approve", {{"tea", 3}, {"tea", 3}}, {.wait_s = 20});
  CHECK(c.order(over).at("status") == "rejected");
  CHECK(c.figures("tea") == "5/0/5");

  const auto exact = need(c.place("tok_approve", {{"tea", 2}, {"milk", 1}, {"tea", 3}},
                            {.wait_s = 20, .expected_total = krw(23'500)}),
    201)
                       .json();
  CHECK(exact.at("status") == "preparing");
  CHECK(exact.at("total") == krw(23'500));
  REQUIRE(exact.at("lines").size() == 2);
  CHECK(exact.at("lines")[0].at("quantity") == 5);
  const auto types = c.event_types(exact.at("id"));
  CHECK(types
        == texts{
          "OrderPlaced", "StockDecreased", "StockDecreased", "PaymentApproved", "DeliveryStarted"});
  CHECK(c.figures("tea") == "0/0/0");

  const auto huge = c.place("tok_approve", {{"tea", 600'000}, {"tea", 600'000}});
  CHECK(huge.status == 422);
  CHECK(c.complaints() == texts{});
}

TEST_CASE("the price is the catalogue's: another expected_total is 409 and leaves nothing",
  "[saga_steps]") {
  const open_shop shop;
  auto c = shop.client();
  c.sell("tea", 4'500, 5);
  const auto r = c.place("tok_approve", {{"tea", 2}}, {.wait_s = 20, .expected_total = krw(8'999)});
  CHECK(r.status == 409);
  CHECK(r.field("content-type") == "application/problem+json");
  CHECK(r.json().at("code") == "price-changed");
  const auto other = c.place(
    "tok_approve", {{"tea", 2}}, {.expected_total = {{"amount", 9'000}, {"currency", "USD"}}});
  CHECK(other.status == 409);
  CHECK(other.json().at("code") == "price-changed");
  CHECK(c.all_of("/v1/orders").empty());

  const auto id =
    c.placed("tok_approve", {{"tea", 2}}, {.wait_s = 20, .expected_total = krw(9'000)});
  c.put_product("tea", 9'999); // an order keeps the price it was placed at
  const auto o = c.order(id);
  CHECK(o.at("total") == krw(9'000));
  CHECK(o.at("lines")[0].at("unit_price") == krw(4'500));
  CHECK(c.complaints() == texts{});
}

TEST_CASE("charge refused: a declined card is 201, and a rejected order that holds nothing",
  "[saga_steps]") {
  const open_shop shop;
  auto c = shop.client();
  c.sell("tea", 4'500, 10);
  for (const std::string token : {"tok_decline", "tok_never_heard_of"}) {
    CAPTURE(token);
    const auto r = need(c.place(token, {{"tea", 3}}, {.wait_s = 20}), 201);
    const auto o = r.json();
    CHECK(o.at("status") == "rejected");
    CHECK(o.at("payment").at("status") == "declined");
    CHECK(o.at("failure").at("code") == "payment-declined");
    const auto id = o.at("id").get<std::string>();
    CHECK(c.event_types(id)
          == texts{
            "OrderPlaced", "StockDecreased", "PaymentDeclined", "StockIncreased", "OrderRejected"});
    CHECK(c.money(id) == nothing);
    CHECK(c.figures("tea") == "10/0/10");
  }
  CHECK(c.complaints() == texts{});
}

TEST_CASE("charge unknown, nothing taken: asked again by the same id, then void, then rejected",
  "[saga_steps]") {
  const hasty_shop shop;
  auto c = shop.client();
  const auto id = c.placed("tok_timeout", {{"tea", 3}});
  CHECK(c.wait_for(id, "paying").at("payment").at("id").get<std::string>().rfind("pay_", 0) == 0);
  CHECK(c.figures("tea") == "10/3/7"); // held while nobody knows
  const auto o = c.wait_settled(id);
  CHECK(o.at("status") == "rejected");
  CHECK(o.at("saga") == "done");
  CHECK(o.at("failure").at("code").get<std::string>() != "");
  const auto types = c.event_types(id);
  CHECK(count(types, "PaymentOutcomeUnknown") > 1);
  CHECK(without(types, "PaymentOutcomeUnknown")
        == texts{
          "OrderPlaced", "StockDecreased", "PaymentCanceled", "StockIncreased", "OrderRejected"});
  CHECK(c.money(id) == money_moved{0, 0, 1, 0});
  CHECK(c.figures("tea") == "10/0/10");
  CHECK(c.complaints() == texts{});
}

TEST_CASE(
  "charge unknown, yet taken: the inquiry finds it, and nobody pays twice", "[saga_steps]") {
  const hasty_shop shop;
  auto c = shop.client();
  const auto o = need(c.place("tok_unknown_charged", {{"tea", 3}}, {.wait_s = 20}), 201).json();
  CHECK(o.at("status") == "preparing");
  const auto id = o.at("id").get<std::string>();
  const auto types = c.event_types(id);
  CHECK(count(types, "PaymentOutcomeUnknown") == 1);
  CHECK(without(types, "PaymentOutcomeUnknown") == fulfilled);
  CHECK(c.money(id) == charged());
  CHECK(c.complaints() == texts{});
}

TEST_CASE(
  "a flaky charge is asked again under one payment id until it is approved", "[saga_steps]") {
  const hasty_shop shop;
  auto c = shop.client();
  const auto id = c.placed("tok_flaky_3", {{"tea", 3}});
  CHECK(c.wait_settled(id).at("status") == "preparing");
  const auto types = c.event_types(id);
  CHECK(count(types, "PaymentOutcomeUnknown") >= 3); // more where the provider is slow, too
  CHECK(without(types, "PaymentOutcomeUnknown") == fulfilled);
  CHECK(c.money(id) == charged());
  for (const auto& line : c.ledger())
    CHECK(line.at("payment_id") == c.order(id).at("payment").at("id"));
  CHECK(c.complaints() == texts{});
}

TEST_CASE(
  "a slow charge is approved once, whether it is waited for or given up on", "[saga_steps]") {
  for (const std::string patience : {"10000", "50"}) {
    CAPTURE(patience);
    const open_shop shop{{"--payment-timeout-ms", patience}};
    auto c = shop.client();
    c.sell("tea", 4'500, 10);
    const auto o = need(c.place("tok_slow_300", {{"tea", 3}}, {.wait_s = 20}), 201).json();
    CHECK(o.at("status") == "preparing");
    const auto id = o.at("id").get<std::string>();
    CHECK(without(c.event_types(id), "PaymentOutcomeUnknown") == fulfilled);
    CHECK(c.money(id) == charged());
    CHECK(c.complaints() == texts{});
  }
}

TEST_CASE("an inverse is retried until it is done: a refund that fails twice", "[saga_steps]") {
  const hasty_shop shop;
  auto c = shop.client();
  const auto id = c.placed("tok_refund_fails_2", {{"tea", 3}}, {.wait_s = 20});
  CHECK(c.money(id) == charged());
  CHECK(c.cancel(id).status == 202);
  const auto o = c.wait_for(id, "cancelled");
  CHECK(o.at("saga") == "done");
  CHECK(o.at("payment").at("refunded") == krw(13'500));
  CHECK(c.event_types(id)
        == texts{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted",
          "OrderCanceled", "DeliveryCanceled", "PaymentCanceled", "StockIncreased"});
  CHECK(c.money(id) == given_back());
  CHECK(c.figures("tea") == "10/0/10");
  CHECK(c.complaints() == texts{});
}

TEST_CASE("past its budget an inverse is blocked, listed with the money at risk, and still tried",
  "[saga_steps]") {
  hasty_shop shop;
  auto c = shop.client();
  const auto id = c.placed("tok_refund_fails_1000000", {{"tea", 3}}, {.wait_s = 20});
  const auto fine = c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  CHECK(c.cancel(id).status == 202);
  const auto o = c.wait_for(id, [](const json& now) { return now.at("saga") == "blocked"; });
  CHECK(o.at("status") == "cancelling"); // two axes: cancelled, but the refund is stuck
  CHECK(o.at("delivery").at("status") == "cancelled");
  CHECK(o.at("payment").at("refunded") == krw(0));
  CHECK(c.event_types(id).back() == "SagaBlocked");

  const auto blocked = need(c.ops.get("/admin/v1/sagas?state=blocked"), 200).json().at("data");
  REQUIRE(blocked.size() == 1);
  const auto& saga = blocked[0];
  CHECK(saga.dump().find(id) != std::string::npos);
  CHECK(saga.at("money_at_risk") == krw(13'500));
  CHECK(saga.at("attempts").get<int>() >= 1);
  CHECK(saga.at("last_error").is_string());
  CHECK(saga.at("explain").get<std::string>().size() > 20);
  CHECK(saga.at("steps").is_array());
  CHECK(saga.at("next_attempt_at").is_string()); // still tried
  const auto one = need(c.ops.get("/admin/v1/sagas/" + id), 200).json();
  CHECK(one.at("explain").get<std::string>().find("13500") != std::string::npos);
  CHECK(c.order(fine).at("saga") == "done");
  CHECK(need(c.ops.get("/admin/v1/sagas?state=running"), 200).json().at("data").empty());
  // A further attempt is a further version of the order.
  const auto attempts = saga.at("attempts").get<int>();
  c.wait_for(id, [&](const json& now) { return now.at("version") > o.at("version"); });
  CHECK(need(c.ops.get("/admin/v1/sagas/" + id), 200).json().at("attempts").get<int>() > attempts);
  CHECK(c.cancel(id).status == 202); // not settled: accepted still
  CHECK(c.money(id) == charged());

  CHECK(shop.at.stop() == 0); // and it stays known over a restart
  shop.at.restart();
  auto after = shop.client();
  CHECK(after.order(id).at("saga") == "blocked");
  CHECK(need(after.ops.get("/admin/v1/sagas?state=blocked"), 200).json().at("data").size() == 1);
  CHECK(after.complaints() == texts{});
}

TEST_CASE("delivery refused: refunded, released, rejected, in this order", "[saga_steps]") {
  const hasty_shop shop{{"--delivery-countries", "KR"}};
  auto c = shop.client();
  const auto o =
    need(c.place("tok_approve", {{"tea", 3}}, {.country = "JP", .wait_s = 20}), 201).json();
  CHECK(o.at("status") == "rejected");
  CHECK(o.at("failure").at("code").get<std::string>() != "");
  CHECK(o.at("payment").at("refunded") == krw(13'500));
  const auto id = o.at("id").get<std::string>();
  CHECK(c.event_types(id)
        == texts{"OrderPlaced", "StockDecreased", "PaymentApproved", "PaymentCanceled",
          "StockIncreased", "OrderRejected"});
  CHECK(c.money(id) == given_back());
  CHECK(c.figures("tea") == "10/0/10");
  const auto home = c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20});
  CHECK(c.order(home).at("status") == "preparing");
  CHECK(c.complaints() == texts{});
}

TEST_CASE("a courier's repeats change nothing, and a step backwards is 409", "[saga_steps]") {
  const open_shop shop;
  auto c = shop.client();
  c.sell("tea", 4'500, 10);
  const auto id = c.placed("tok_approve", {{"tea", 3}}, {.wait_s = 20});
  const auto report = [&](const char* status) { return c.report(id, status).status; };
  CHECK(report("picked_up") == 200);
  CHECK(c.order(id).at("status") == "shipped");
  const auto version = c.order(id).at("version");
  CHECK(report("picked_up") == 200);
  CHECK(c.order(id).at("version") == version);
  CHECK(report("delivered") == 200);
  CHECK(report("delivered") == 200);
  CHECK(c.order(id).at("status") == "delivered");
  CHECK(report("picked_up") == 409);
  CHECK(report("failed") == 409);
  CHECK(c.report(id, "started").status == 422);
  const auto types = c.event_types(id);
  CHECK(types
        == texts{"OrderPlaced", "StockDecreased", "PaymentApproved", "DeliveryStarted",
          "DeliveryPickedUp", "DeliveryCompleted", "OrderCompleted"});

  const auto lost = c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  CHECK(c.report(lost, "failed").status == 200);
  CHECK(c.report(lost, "failed").status == 200);
  CHECK(c.report(lost, "picked_up").status == 409);
  const auto o = c.order(lost);
  CHECK(o.at("saga") == "blocked"); // it waits for an operator
  CHECK(o.at("delivery").at("status") == "failed");
  CHECK(c.event_types(lost)[4] == "DeliveryFailed");
  const auto listed = need(c.ops.get("/admin/v1/sagas?state=blocked"), 200).json().at("data");
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].at("money_at_risk") == krw(4'500));

  const auto declined = c.placed("tok_decline", {{"tea", 1}}, {.wait_s = 20});
  CHECK(c.report(declined, "picked_up").status == 409);
  CHECK(c.api.post("/v1/deliveries/dlv_0000/updates", {{"status", "delivered"}}).status == 404);
}
