#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include <sstream>

using namespace jumun::tests;

namespace {
const std::string of_order = "11111111111111111111111111111111";
const std::string of_courier = "22222222222222222222222222222222";
const std::string of_cancel = "33333333333333333333333333333333";
headers traced(const std::string& trace_id) {
  return {{"traceparent", "00-" + trace_id + "-00f067aa0ba902b7-01"}};
}

/// The lines of that event; each line of a log is one JSON object.
std::vector<json> lines(const open_shop& shop, const std::string& event) {
  std::istringstream log{shop.at.log()};
  std::vector<json> out;
  for (std::string line; std::getline(log, line);)
    if (auto j = json::parse(line); j.at("event") == event) out.push_back(std::move(j));
  return out;
}
response put_level(shop_client& c, const json& body) {
  return c.ops.put("/admin/v1/log-level", body);
}
std::string order_with(shop_client& c, headers fields) {
  fields["Prefer"] = "wait=20";
  const auto body = order_body("tok_approve", {{"tea", 1}}, {"c-private"});
  return need(c.api.post("/v1/orders", body, fields), 201).json().at("id");
}
/// `OrderPlaced 1`: the type of each event, and the first digit of its trace id.
texts types_and_traces(shop_client& c, const std::string& id) {
  texts all;
  for (const auto& e : c.history(id))
    all.push_back(
      e.at("type").get<std::string>() + " " + e.at("traceparent").get<std::string>().substr(3, 1));
  return all;
}
} // namespace

TEST_CASE("the log level changes at run time, and debug lines carry the trace", "[logs]") {
  const open_shop shop;
  auto c = shop.client();
  c.sell("tea", 4'500, 10);
  CHECK(need(c.ops.get("/admin/v1/log-level"), 200).json() == json{{"level", "info"}});
  order_with(c, {});
  CHECK(need(put_level(c, {{"level", "debug"}}), 200).json()
        == json{{"level", "debug"}, {"previous", "info"}});

  const auto id = order_with(c, traced(of_order));
  std::vector<json> answered;
  ask_until([&] { // its line comes after the answer
    answered = lines(shop, "http.answered");
    return answered.size() >= 1;
  });
  const auto steps = lines(shop, "saga.step");
  REQUIRE(steps.size() >= 5); // accepted, held, paid, started, committed
  CHECK(steps.front().at("from") == "");
  CHECK(steps.back().at("to") == "fulfilled");
  for (const auto& step : steps) {
    CHECK(step.at("order") == id); // none of the order before it
    CHECK(step.at("trace_id") == of_order);
  }
  ask_until([&] {
    for (const auto& a : lines(shop, "http.answered"))
      if (a.at("route") == "/v1/orders" && a.at("trace_id") == of_order)
        return a.at("method") == "POST" && a.at("status") == 201 && a.at("ms").get<double>() > 0;
    return false;
  });

  CHECK(need(put_level(c, {{"level", "warn"}}), 200).json().at("previous") == "debug");
  const auto silent_from = lines(shop, "saga.step").size();
  order_with(c, traced(of_order));
  CHECK(lines(shop, "saga.step").size() == silent_from);
  CHECK(shop.at.log().find("c-private") == std::string::npos);
  CHECK(shop.at.log().find("tok_approve") == std::string::npos);
}

TEST_CASE("a log level that there is not changes nothing, and says what there is", "[logs]") {
  const open_shop shop;
  auto c = shop.client();
  for (const auto& body : {json{{"level", "loud"}}, json{{"level", 3}}, json::object(),
         json{{"level", "debug"}, {"for", "ever"}}}) {
    CAPTURE(body.dump());
    CHECK(put_level(c, body).status == 422);
  }
  const auto refused = put_level(c, {{"level", "loud"}}).json();
  CHECK(refused.at("errors").at(0).at("pointer") == "/level");
  CHECK(refused.at("errors").at(0).at("detail") == "must be one of: debug, info, warn, error");
  CHECK(c.ops.get("/admin/v1/log-level").json().at("level") == "info");
}

TEST_CASE("a trace goes from the request to all events that it causes", "[trace]") {
  const open_shop shop;
  auto c = shop.client();
  c.sell("tea", 4'500, 10);
  const auto id = order_with(c, traced(of_order));
  const auto updates =
    "/v1/deliveries/" + c.order(id).at("delivery").at("id").get<std::string>() + "/updates";
  need(c.api.post(updates, {{"status", "picked_up"}}, traced(of_courier)), 200);
  need(c.api.post(updates, {{"status", "delivered"}}), 200); // brings none: the order's goes on
  CHECK(types_and_traces(c, id)
        == texts{"OrderPlaced 1", "StockDecreased 1", "PaymentApproved 1", "DeliveryStarted 1",
          "DeliveryPickedUp 2", "DeliveryCompleted 1", "OrderCompleted 1"});

  const auto undone = order_with(c, traced(of_order));
  need(c.api.post(c.path(undone) + "/cancellations", json::object(), traced(of_cancel)), 202);
  c.wait_for(undone, "cancelled");
  CHECK(types_and_traces(c, undone)
        == texts{"OrderPlaced 1", "StockDecreased 1", "PaymentApproved 1", "DeliveryStarted 1",
          "OrderCanceled 3", "DeliveryCanceled 3", "PaymentCanceled 3", "StockIncreased 3"});
}

TEST_CASE("a traceparent that is none starts a trace of its own", "[trace]") {
  const open_shop shop;
  auto c = shop.client();
  const std::string zeros(32, '0'), span = "00f067aa0ba902b7";
  const auto told = [&](const headers& with) {
    return need(c.api.get("/v1/orders/none", with), 404).json().at("trace_id").get<std::string>();
  };
  CHECK(told(traced(of_order)) == of_order);
  CHECK(told({{"traceparent", "cc-" + of_order + "-" + span + "-01-later"}}) == of_order);
  for (const auto& bad : {"ff-" + of_order + "-" + span + "-01", "00-" + zeros + "-" + span + "-01",
         "00-" + of_order + "-0000000000000000-01", "00-" + of_order + "-" + span + "-01-more",
         "00-" + std::string(32, 'A') + "-" + span + "-01", std::string{"nonsense"}}) {
    CAPTURE(bad);
    const auto id = told({{"traceparent", bad}});
    CHECK(id.size() == 32);
    CHECK(id != of_order);
    CHECK(id != zeros);
    CHECK(id != told({{"traceparent", bad}})); // and not the same for all
  }
}
