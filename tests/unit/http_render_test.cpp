#include "http/render.hpp"
#include "tests/catch.hpp"
#include <nlohmann/json.hpp>

using namespace jumun;
using namespace jumun::http;
using nlohmann::json;

namespace {
const domain::order_id id =
  domain::make_order_id(7, 1'763'832'000'123, 0xab, 0x0123'4567'89ab'cdef);

domain::order order() {
  domain::order o;
  o.id = id;
  o.customer = "c-42", o.principal = "dev";
  o.lines = {{"americano", "Café \"A\"", 2, 4'500, domain::line_state::held}};
  o.currency = "KRW", o.total = 9'000, o.method = "card", o.token = "tok_secret";
  o.ship_to = {"1 Secret Street", "", "Secret City", "04524", "KR"};
  o.version = 3, o.created_ms = 1'763'832'000'123, o.updated_ms = 1'763'832'001'000;
  o.at = domain::phase::charging, o.payment = domain::payment_status::pending;
  return o;
}
domain::order cancelled() {
  auto o = order();
  o.at = domain::phase::cancelled, o.why = domain::ending::cancel;
  o.payment = domain::payment_status::refunded, o.captured = o.refunded = 9'000;
  o.delivery = domain::delivery_status::cancelled;
  o.cancel_requested = true, o.cancel_reason = "too late",
  o.cancel_requested_ms = 1'763'832'000'500;
  o.lines[0].state = domain::line_state::released;
  return o;
}
domain::event event(std::string key) {
  domain::event e;
  e.type = domain::event_type::stock_decreased;
  e.key = std::move(key), e.sequence = 2, e.time_ms = 1'763'832'000'123;
  e.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  e.sku = "americano", e.quantity = 2;
  return e;
}
} // namespace

TEST_CASE("an order reads exactly as API.md names it", "[http][render]") {
  CHECK(
    order_json(order())
    == R"({"id":"ord_0706DAS53EFENG28T5CY4TQKFF","status":"paying","saga":"running","customer_id":"c-42",)"
       R"("lines":[{"sku":"americano","name":"Café \"A\"","quantity":2,"unit_price":{"amount":4500,"currency":"KRW"}}],)"
       R"("total":{"amount":9000,"currency":"KRW"},"payment":{"id":"pay_0706DAS53EFENG28T5CY4TQKFF","status":"pending",)"
       R"("amount":{"amount":9000,"currency":"KRW"},"refunded":{"amount":0,"currency":"KRW"}},)"
       R"("delivery":{"id":"dlv_0706DAS53EFENG28T5CY4TQKFF","status":"none"},"cancellation":null,"failure":null,)"
       R"("allowed_actions":["cancel"],"version":3,"created_at":"2025-11-22T17:20:00.123Z",)"
       R"("updated_at":"2025-11-22T17:20:01.000Z"})");
}

TEST_CASE("no body shows a token or an address", "[http][render]") {
  const auto o = cancelled();
  for (const auto& body : {order_json(o), payment_json(o), delivery_json(o), cancellation_json(o),
         saga_json(o, "n1"), renderer{}.placed(o).body}) {
    CAPTURE(body);
    CHECK(json::accept(body));
    CHECK(body.find("ecret") == std::string::npos);
    CHECK(body.find("04524") == std::string::npos);
  }
}

TEST_CASE(
  "a cancelled order says by which cancellation, and what was given back", "[http][render]") {
  const auto o = json::parse(order_json(cancelled()));
  CHECK(o.at("status") == "cancelled");
  CHECK(o.at("cancellation")
        == json::parse(
          R"({"id":"cxl_0706DAS53EFENG28T5CY4TQKFF","status":"completed","reason":"too late",
         "requested_at":"2025-11-22T17:20:00.500Z"})"));
  CHECK(o.at("payment").at("refunded") == json{{"amount", 9'000}, {"currency", "KRW"}});
  CHECK(o.at("allowed_actions").empty());
}

TEST_CASE("a rejected order says why", "[http][render]") {
  auto row = order();
  row.at = domain::phase::rejected, row.why = domain::ending::reject;
  row.failure_code = "payment-declined", row.failure_detail = "the card was declined";
  const auto o = json::parse(order_json(row));
  CHECK(o.at("status") == "rejected");
  CHECK(o.at("failure") == json{{"code", "payment-declined"}, {"detail", "the card was declined"}});
}

TEST_CASE("an event is a CloudEvent of its order, or of its SKU", "[http][render]") {
  const auto key = to_text(domain::id_kind::order, id);
  CHECK(
    event_json(event(key), 17)
    == R"({"specversion":"1.0","id":")" + event_id(key, 2)
         + R"(","source":"/jumun","type":"StockDecreased",)"
           R"("subject":"ord_0706DAS53EFENG28T5CY4TQKFF","time":"2025-11-22T17:20:00.123Z","sequence":2,)"
           R"("partitionkey":"ord_0706DAS53EFENG28T5CY4TQKFF",)"
           R"("traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",)"
           R"("datacontenttype":"application/json","topic":"inventory","cursor":"17",)"
           R"("data":{"order_id":"ord_0706DAS53EFENG28T5CY4TQKFF","sku":"americano","quantity":2}})");
  const auto of_sku = json::parse(event_json(event("americano"), 3));
  CHECK(of_sku.at("subject") == "americano");
  CHECK_FALSE(of_sku.at("data").contains("order_id"));
}

TEST_CASE(
  "an event's frame has its cursor, its name, and the envelope in one line", "[http][render]") {
  auto e = event("americano");
  e.reason = "two\nlines";
  CHECK(event_frame(e, 17) == "id: 17\nevent: StockDecreased\ndata: " + event_json(e, 17) + "\n\n");
  CHECK(event_json(e, 17).find('\n') == std::string::npos);
}

TEST_CASE(
  "an event's id depends on its key and its number, and on nothing else", "[http][render]") {
  CHECK(event_id("a", 1) == event_id("a", 1));
  CHECK(event_id("a", 1) != event_id("a", 2));
  CHECK(event_id("a", 12) != event_id("a1", 2));
  CHECK(domain::parse_id(domain::id_kind::event, event_id("americano", 7)));
}

TEST_CASE("each answer has its status, ETag and place", "[http][render]") {
  const renderer r;
  const auto placed = r.placed(order());
  CHECK(placed.status == 201);
  CHECK(placed.etag == "\"3\"");
  CHECK(placed.location == "/v1/orders/ord_0706DAS53EFENG28T5CY4TQKFF");
  auto open = cancelled();
  open.at = domain::phase::refunding;
  CHECK(r.cancellation(open).status == 202);
  CHECK(r.cancellation(cancelled()).status == 200);
  CHECK(
    r.cancellation(open).location
    == "/v1/orders/ord_0706DAS53EFENG28T5CY4TQKFF/cancellations/cxl_0706DAS53EFENG28T5CY4TQKFF");
  const domain::product p{"a b", "A", {5, "KRW"}, 2, 1, 0};
  const domain::stock s{"a b", 10, 3, 4, 1, 1, 0};
  CHECK(r.product_put(p, s, true).status == 201);
  CHECK(r.product_put(p, s, false).status == 200);
  CHECK(r.product_put(p, s, true).location == "/v1/products/a%20b");
  CHECK(
    r.product_put(p, s, true).body
    == R"({"sku":"a b","name":"A","unit_price":{"amount":5,"currency":"KRW"},"available":7,"version":2})");
  CHECK(
    r.counted(s).body == R"({"sku":"a b","on_hand":10,"reserved":3,"available":7,"version":4})");
  domain::movement m;
  m.sku = "a b", m.number = 2, m.delta = -3, m.reason = "broken", m.on_hand_after = 10;
  const auto adjusted = r.adjusted(s, m);
  CHECK(adjusted.status == 201);
  CHECK(adjusted.etag == "\"4\"");
  CHECK(
    adjusted.body
    == R"({"sku":"a b","number":2,"delta":-3,"reason":"broken","reference":null,)"
       R"("time":"1970-01-01T00:00:00.000Z","on_hand":10,"reserved":3,"available":7,"version":4})");
  m.order = id;
  CHECK(json::parse(movement_json(m)).at("order_id") == "ord_0706DAS53EFENG28T5CY4TQKFF");
}

TEST_CASE("every refusal is a problem with its own status and code", "[http][render]") {
  using domain::refusal;
  const std::vector<std::tuple<refusal, unsigned, const char*>> table{
    {refusal::not_found, 404, "not-found"},
    {refusal::price_changed, 409, "price-changed"},
    {refusal::insufficient_stock, 409, "insufficient-stock"},
    {refusal::not_cancellable, 409, "not-cancellable"},
    {refusal::invalid_transition, 409, "invalid-transition"},
    {refusal::key_reused, 422, "idempotency-key-reused"},
    {refusal::key_running, 409, "idempotency-key-running"},
    {refusal::precondition_failed, 412, "precondition-failed"},
    {refusal::overloaded, 503, "overloaded"},
    {refusal::shard_unavailable, 503, "shard-unavailable"},
    {refusal::disk_nearly_full, 503, "overloaded"},
  };
  domain::request_context from;
  from.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  for (const auto& [why, status, code] : table) {
    CAPTURE(code);
    const auto r = renderer{}.refused(why, "because", "/lines/0/sku", from);
    CHECK(r.status == status);
    CHECK(r.content_type == "application/problem+json");
    const auto body = json::parse(r.body);
    CHECK(body.at("type") == std::string{"/problems/"} + code);
    CHECK(body.at("status") == status);
    CHECK(body.at("code") == code);
    CHECK(body.at("detail") == "because");
    CHECK(body.at("trace_id") == from.trace_id);
    CHECK(body.at("errors")[0] == json{{"pointer", "/lines/0/sku"}, {"detail", "because"}});
  }
}

TEST_CASE("every problem says something in words", "[http][render]") {
  for (const auto* kind : all_problems()) {
    CAPTURE(kind->code);
    const auto body = json::parse(problem_body({kind, "", {}}, "trace"));
    CHECK(body.at("detail").get<std::string>().starts_with(kind->title));
  }
}

TEST_CASE("a saga shows its steps, and what is at risk", "[http][render]") {
  auto o = order();
  o.next_attempt_ms = 1'763'832'005'000, o.attempts = 2, o.last_error = "timeout";
  const auto s = json::parse(saga_json(o, "n1"));
  CHECK(s.at("order_id") == "ord_0706DAS53EFENG28T5CY4TQKFF");
  CHECK(s.at("phase") == "charging");
  CHECK(s.at("owner") == json{{"shard", 7}, {"node", "n1"}});
  CHECK(s.at("next_attempt_at") == "2025-11-22T17:20:05.000Z");
  CHECK(
    s.at("steps")
    == json::parse(R"([{"name":"reserve_stock","state":"done"},{"name":"charge","state":"running"},
         {"name":"start_delivery","state":"open"},{"name":"commit_stock","state":"open"}])"));
  CHECK(s.at("money_at_risk").at("currency") == "KRW");
  CHECK_FALSE(s.at("explain").get<std::string>().empty());
}

TEST_CASE("an actor, a ledger and a page are valid JSON with API.md's names", "[http][render]") {
  actor_info a{"7", "inventory/7", "inventory", "", "n1", "running", -1, 3, 10, 1, "", ""};
  auto one = json::parse(actor_json(a));
  CHECK(one.at("shard").is_null());
  CHECK(one.at("parent").is_null());
  CHECK(one.at("messages_handled") == 10);
  CHECK_FALSE(one.contains("live_state"));
  a.shard = 7, a.live_state = R"({"skus":2})";
  one = json::parse(actor_json(a));
  CHECK(one.at("shard") == 7);
  CHECK(one.at("live_state").at("skus") == 2);
  CHECK(
    ledger_json(ledger_rows({{"charge", "ord_1", "pay_1", "KRW", 5, 0}}))
    == R"({"data":[{"kind":"charge","order_id":"ord_1","payment_id":"pay_1","amount":5,"currency":"KRW",)"
       R"("time":"1970-01-01T00:00:00.000Z"}]})");
  CHECK(list_json({"1", "{}"}, "c\"1")
        == R"({"data":[1,{}],"next_cursor":"c\"1","partial":false,"missing_shards":[]})");
  CHECK(
    list_json({}, "") == R"({"data":[],"next_cursor":null,"partial":false,"missing_shards":[]})");
}

TEST_CASE("text is escaped, whatever it holds", "[http][render]") {
  auto o = order();
  o.customer = std::string{"a\"b\\c\n\x01\x7f/한"};
  CHECK(json::parse(order_json(o)).at("customer_id") == o.customer);
}
