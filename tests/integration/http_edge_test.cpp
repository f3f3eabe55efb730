#include "tests/catch.hpp"
#include "tests/integration/fake_shop.hpp"
#include "tests/integration/raw_client.hpp"
#include "tests/support/slowness.hpp"
#include <future>
#include <nlohmann/json.hpp>

using namespace jumun;
using namespace jumun::tests;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {
json order_body() {
  return json::parse(R"({"customer_id":"c-42","lines":[{"sku":"americano","quantity":2}],
    "payment":{"method":"card","token":"tok_secret"},
    "shipping_address":{"line1":"1 Secret Street","city":"Seoul","country":"KR"}})");
}
raw_reply place(raw_client& c, const std::string& fields = "", const json& body = order_body()) {
  return c.ask(post_request("/v1/orders", body.dump(), fields));
}
std::string code_of(const raw_reply& r) { return json::parse(r.body).at("code"); }
domain::order_id id_of(const raw_reply& r) {
  return *domain::parse_id(domain::id_kind::order, json::parse(r.body).at("id").get<std::string>());
}
domain::order stored_order(running_server& s) {
  const std::lock_guard lock{s.shop.mutex};
  return s.shop.orders.begin()->second;
}
void put_order(running_server& s, domain::order_id id) {
  domain::order o;
  o.id = id, o.version = 4, o.currency = "KRW";
  s.shop.orders[id] = o;
}
const domain::order_id some_id = domain::make_order_id(9, 1'700'000'000'000, 1, 2);
std::string some_path() { return http::order_path(some_id); }
} // namespace

TEST_CASE("pipelined requests are answered in order", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  std::string all;
  for (int i = 0; i < 60; ++i)
    all += get_request(i % 2 ? "/v1/products/americano" : "/v1/products/none-" + std::to_string(i));
  all += post_request("/v1/orders", order_body().dump()) + get_request("/v1/products/latte");
  c.send(all);
  for (int i = 0; i < 60; ++i) CHECK(c.read().status == (i % 2 ? 200 : 404));
  CHECK(c.read().status == 201);
  CHECK(json::parse(c.read().body).at("sku") == "latte");
}

TEST_CASE("an order is placed with the catalogue's names and prices", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  auto body = order_body();
  body["lines"].push_back({{"sku", "latte"}, {"quantity", 1}});
  body["lines"].push_back({{"sku", "americano"}, {"quantity", 3}});
  body["expected_total"] = {{"amount", 27'500}, {"currency", "KRW"}};
  const auto r = place(c, "", body);
  REQUIRE(r.status == 201);
  const auto o = json::parse(r.body);
  CHECK(r.field("location") == "/v1/orders/" + o.at("id").get<std::string>());
  CHECK(r.field("etag") == "\"1\"");
  CHECK(r.field("cache-control") == "no-store");
  CHECK(r.field("x-content-type-options") == "nosniff");
  CHECK(o.at("lines").size() == 2);
  CHECK(o.at("lines")[0].at("quantity") == 5);
  CHECK(o.at("lines")[0].at("name") == "Americano");
  CHECK(o.at("total") == json{{"amount", 27'500}, {"currency", "KRW"}});
  CHECK(r.body.find("Secret") == std::string::npos);
  CHECK(r.body.find("tok_") == std::string::npos);
  REQUIRE(s.shop.placed.size() == 1);
  CHECK(s.shop.placed[0].draft.token == "tok_secret");
  CHECK(s.shop.placed[0].draft.ship_to.city == "Seoul");
  CHECK(s.shop.placed[0].draft.principal == "dev");
  CHECK_FALSE(s.shop.placed[0].wants_settled);
}

TEST_CASE(
  "an order that breaks rules is refused with all of them, and echoes none", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  auto body = order_body();
  body["lines"] =
    json::parse(R"([{"sku":"americano","quantity":0},{"sku":"latte","quantity":1.5},{"sku":""}])");
  body["payment"] = json::parse(R"({"method":"cash","token":"4111111111111111"})");
  body["shipping_address"]["country"] = "Korea";
  body["coupon"] = "SECRET";
  const auto r = place(c, "", body);
  CHECK(r.status == 422);
  CHECK(r.field("content-type") == "application/problem+json");
  std::vector<std::string> pointers;
  const auto answer = json::parse(r.body);
  for (const auto& e : answer.at("errors")) pointers.push_back(e.at("pointer"));
  CHECK(pointers
        == std::vector<std::string>{"/lines/0/quantity", "/lines/1/quantity", "/lines/2/sku",
          "/lines/2/quantity", "/payment/method", "/payment/token", "/shipping_address/country",
          "/coupon"});
  for (const auto* secret : {"4111", "SECRET", "Korea", "cash"})
    CHECK(r.body.find(secret) == std::string::npos);
}

TEST_CASE("an order that the catalogue contradicts is refused", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto try_lines = [&](const char* lines) {
    auto body = order_body();
    body["lines"] = json::parse(lines);
    return place(c, "", body);
  };
  auto r = try_lines(R"([{"sku":"latte","quantity":1},{"sku":"gone","quantity":1}])");
  CHECK(r.status == 422);
  CHECK(json::parse(r.body).at("errors")[0].at("pointer") == "/lines/1/sku");
  r = try_lines(R"([{"sku":"latte","quantity":1},{"sku":"tea","quantity":1}])");
  CHECK(r.status == 422);
  CHECK(json::parse(r.body).at("errors")[0].at("pointer") == "/lines/1/sku");
  r = try_lines(R"([{"sku":"latte","quantity":999999},{"sku":"latte","quantity":2}])");
  CHECK(r.status == 422);
  auto body = order_body();
  body["expected_total"] = {{"amount", 1}, {"currency", "KRW"}};
  r = place(c, "", body);
  CHECK(r.status == 409);
  CHECK(code_of(r) == "price-changed");
  CHECK(r.body.find("9000 KRW") != std::string::npos);
  s.shop.disk_full = true;
  r = place(c);
  CHECK(r.status == 503);
  CHECK(r.field("retry-after") == "1");
}

TEST_CASE("an Idempotency-Key gets the first answer again, whatever has changed", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  auto body = order_body();
  body["expected_total"] = {{"amount", 9'000}, {"currency", "KRW"}};
  const auto first = place(c, "Idempotency-Key: k1\r\n", body);
  REQUIRE(first.status == 201);
  CHECK(first.field("idempotency-replayed").empty());
  CHECK(domain::shard_of(id_of(first)) == domain::shard_of(s.shop.placed[0].from.key));
  {
    const std::lock_guard lock{s.shop.mutex};
    s.shop.products["americano"].unit_price.amount = 1;
  }
  const auto again = place(c, "Idempotency-Key: \"k1\"\r\n", body);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.field("idempotency-replayed") == "true");
  const auto other = place(c, "Idempotency-Key: k1\r\n");
  CHECK(other.status == 422);
  CHECK(code_of(other) == "idempotency-key-reused");
  CHECK(place(c, "Idempotency-Key: a b\r\n").status == 400);
}

TEST_CASE("a refusal made at the edge is kept for its key, a want of room is not", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  auto unknown = order_body();
  unknown["lines"][0]["sku"] = "mocha";
  CHECK(place(c, "Idempotency-Key: k\r\n", unknown).status == 422);
  s.shop.products["mocha"] = {"mocha", "Mocha", {1, "KRW"}, 1, 1, 0};
  const auto again = place(c, "Idempotency-Key: k\r\n", unknown);
  CHECK(again.status == 422);
  CHECK(again.field("idempotency-replayed") == "true");
  s.shop.disk_full = true;
  CHECK(place(c, "Idempotency-Key: k2\r\n").status == 503);
  s.shop.disk_full = false;
  CHECK(place(c, "Idempotency-Key: k2\r\n").status == 201);
}

TEST_CASE(
  "a key whose first request still runs is asked again, then answered 409", "[http][edge]") {
  http::server_options o;
  o.running_key_wait_max = milliseconds{200};
  running_server s{o};
  raw_client c{s.port()};
  s.shop.running_answers = 2;
  CHECK(place(c, "Idempotency-Key: k1\r\n").status == 201);
  s.shop.running_answers = 1'000'000;
  const auto r = place(c, "Idempotency-Key: k2\r\n");
  CHECK(r.status == 409);
  CHECK(code_of(r) == "idempotency-key-running");
  CHECK(r.field("retry-after") == "1");
}

TEST_CASE("Prefer: wait holds the answer until the saga has settled", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  c.send(
    post_request("/v1/orders", order_body().dump(), "Prefer: wait=99\r\nIdempotency-Key: k\r\n"));
  s.shop.await_watched(1);
  s.shop.change(stored_order(s).id, fake_shop::fulfil);
  const auto r = c.read();
  CHECK(r.status == 201);
  CHECK(r.field("preference-applied") == "wait=30");
  CHECK(r.field("etag") == "\"2\"");
  CHECK(json::parse(r.body).at("status") == "preparing");
  const auto again = place(c, "Idempotency-Key: k\r\n");
  CHECK(again.body == r.body);
  CHECK(again.field("idempotency-replayed") == "true");
}

TEST_CASE("Prefer: wait ends with the wait, and the order as it then is", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto r = place(c, "Prefer: wait=1\r\n");
  CHECK(r.status == 201);
  CHECK(r.field("preference-applied") == "wait=1");
  CHECK(json::parse(r.body).at("status") == "pending");
}

TEST_CASE("a client that leaves while it waits still has its answer kept", "[http][edge]") {
  running_server s;
  {
    raw_client c{s.port()};
    c.send(
      post_request("/v1/orders", order_body().dump(), "Prefer: wait=20\r\nIdempotency-Key: k\r\n"));
    s.shop.await_watched(1);
  }
  s.shop.change(stored_order(s).id, fake_shop::fulfil);
  raw_client c{s.port()};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10} * slowness;
  bool kept = false;
  while (!kept && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
    const std::lock_guard lock{s.shop.mutex};
    kept = !s.shop.kept.empty();
  }
  REQUIRE(kept);
  const auto r = place(c, "Idempotency-Key: k\r\n");
  CHECK(json::parse(r.body).at("status") == "preparing");
}

TEST_CASE("If-None-Match and Prefer: wait make a long poll", "[http][edge]") {
  running_server s;
  put_order(s, some_id);
  raw_client c{s.port()};
  CHECK(c.ask(get_request(some_path())).field("etag") == "\"4\"");
  const auto same = c.ask(get_request(some_path(), "If-None-Match: W/\"4\"\r\n"));
  CHECK(same.status == 304);
  CHECK(same.field("content-length").empty());
  CHECK(
    c.ask(get_request(some_path(), "If-None-Match: \"3\"\r\nPrefer: wait=20\r\n")).status == 200);
  c.send(get_request(some_path(), "If-None-Match: \"4\"\r\nPrefer: wait=20\r\n"));
  s.shop.await_watched(1);
  s.shop.change(some_id, [](auto&) {});
  CHECK(c.read().field("etag") == "\"5\"");
  CHECK(
    c.ask(get_request(some_path(), "If-None-Match: \"5\"\r\nPrefer: wait=1\r\n")).status == 304);
}

TEST_CASE("a cancellation may have an empty body, and is found again", "[http][edge]") {
  running_server s;
  put_order(s, some_id);
  raw_client c{s.port()};
  const auto path = some_path() + "/cancellations";
  CHECK(json::parse(c.ask(get_request(path)).body).at("data").empty());
  const auto r = c.ask(get_request(path, "Content-Length: 0\r\n", "POST"));
  CHECK(r.status == 202);
  CHECK(c.ask(get_request(r.field("location"))).status == 200);
  CHECK(c.ask(post_request(path, R"({"reason":"too late"})")).status == 202);
  CHECK(s.shop.cancelled.back().reason == "too late");
  CHECK(json::parse(c.ask(get_request(path)).body).at("data").size() == 1);
  CHECK(c.ask(post_request(path, R"({"why":"too late"})")).status == 422);
  CHECK(c.ask(post_request("/v1/orders/ord_x/cancellations", "{}")).status == 404);
}

TEST_CASE("stock is counted only in the version that was seen", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto put = [&](const std::string& fields, const char* body = R"({"on_hand":5})") {
    return c.ask(post_request("/v1/inventory/americano", body, fields, "PUT"));
  };
  CHECK(put("").status == 428);
  CHECK(put("If-Match: \"6\"\r\n").status == 412);
  CHECK(put("If-Match: \"7\"\r\n").status == 200);
  CHECK(put("If-Match: *\r\n").status == 200);
  CHECK(put("If-Match: \"1\", \"7\"\r\n").status == 200);
  CHECK(put("If-Match: W/\"7\"\r\n").status == 412);
  CHECK(put("If-Match: \"7\"\r\n", R"({"on_hand":-1})").status == 422);
  const auto fresh = c.ask(get_request("/v1/inventory/latte"));
  CHECK(fresh.status == 200);
  CHECK(json::parse(fresh.body).at("version") == 0);
  CHECK(c.ask(get_request("/v1/inventory/none")).status == 404);
}

TEST_CASE("stock is adjusted by a number that is not 0, with a reason", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto adjust = [&](const char* body) {
    return c.ask(post_request("/v1/inventory/americano/adjustments", body));
  };
  const auto r = adjust(R"({"delta":-3,"reason":"broken","reference":"r-1"})");
  CHECK(r.status == 201);
  CHECK(r.field("etag") == "\"8\"");
  CHECK(json::parse(r.body).at("on_hand") == 7);
  CHECK(adjust(R"({"delta":0,"reason":"x"})").status == 422);
  CHECK(adjust(R"({"delta":1})").status == 422);
  CHECK(adjust(R"({"delta":1,)").status == 400);
}

TEST_CASE("a product is put under the conditions it names", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto put = [&](const std::string& sku, const std::string& fields) {
    const auto* body = R"({"name":"N","unit_price":{"amount":1,"currency":"KRW"}})";
    return c.ask(post_request("/v1/products/" + sku, body, fields, "PUT"));
  };
  CHECK(put("a%20b%2Fc", "If-None-Match: *\r\n").field("location") == "/v1/products/a%20b%2Fc");
  CHECK(put("americano", "If-Match: \"3\"\r\n").field("etag") == "\"4-0\"");
  CHECK(put("americano", "If-Match: *\r\n").status == 200);
  CHECK(put("none", "If-Match: *\r\n").status == 412);
  CHECK(put("americano", "If-Match: \"3\"\r\nIf-None-Match: *\r\n").status == 412);
  CHECK(put("americano", "If-None-Match: \"3\"\r\n").status == 412);
  CHECK(put("americano", "If-None-Match: \"2\", W/\"9\"\r\n").status == 200);
  CHECK(put("americano", "If-None-Match: 2\r\n").status == 400);
  CHECK(put(to_text(domain::id_kind::order, some_id), "").status == 422);
  CHECK(put(std::string(65, 's'), "").status == 422);
}

TEST_CASE("a page links to the next one, with its filters", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto r = c.ask(get_request("/v1/products?x=1&limit=2&cursor=a%2Fb"));
  CHECK(r.field("link") == "</v1/products?x=1&limit=2&cursor=a%2Fb>; rel=\"next\"");
  const auto page = json::parse(r.body);
  CHECK(page.at("data").size() == 2);
  CHECK(page.at("next_cursor") == "a/b");
  CHECK(page.at("partial") == false);
  CHECK(json::parse(c.ask(get_request("/v1/products")).body).at("next_cursor").is_null());
  CHECK(code_of(c.ask(get_request("/v1/products?cursor=zz"))) == "invalid-cursor");
  for (const auto* limit : {"0", "201", "-1", "x", "", "5x"})
    CHECK(c.ask(get_request(std::string{"/v1/products?limit="} + limit)).status == 422);
  CHECK(c.ask(get_request("/v1/orders?status=lost")).status == 422);
  CHECK(c.ask(get_request("/v1/orders?created_after=yesterday")).status == 422);
  CHECK(c.ask(get_request("/v1/orders?created_after=2024-01-01T00:00:00+09:00")).status == 200);
  CHECK(c.ask(get_request("/v1/events?topic=gossip")).status == 422);
}

TEST_CASE("a path that is known answers other methods with Allow", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  auto r = c.ask(get_request("/v1/orders", "", "DELETE"));
  CHECK(r.status == 405);
  CHECK(r.field("allow") == "POST, GET, HEAD, OPTIONS");
  r = c.ask(get_request("/v1/inventory/americano", "", "OPTIONS"));
  CHECK(r.status == 204);
  CHECK(r.field("allow") == "GET, HEAD, PUT, OPTIONS");
  CHECK(r.field("content-length").empty());
  for (const auto* path : {"/", "/v1", "/v1/orders/", "/v1/products/", "/v1/products//x", "/livez",
         "/admin/v1/actors", "/v1/orders/x/y"}) {
    CAPTURE(path);
    CHECK(c.ask(get_request(path)).status == 404);
  }
  CHECK(c.ask(get_request("/admin/v1/simulator/ledger")).status == 200);
}

TEST_CASE("HEAD answers as GET does, without the body", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto full = c.ask(get_request("/v1/products/americano"));
  c.send(get_request("/v1/products/americano", "", "HEAD") + get_request("/v1/products/none"));
  const auto r = c.read(/*head_only=*/true);
  CHECK(r.status == 200);
  CHECK(r.field("content-length") == full.field("content-length"));
  CHECK(r.field("etag") == full.field("etag"));
  CHECK(c.read().status == 404);
}

TEST_CASE("media types are checked on the way in and out", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto post = [&](const std::string& fields) {
    return c.ask("POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" + fields + "\r\n{}")
      .status;
  };
  CHECK(post("") == 415);
  CHECK(post("Content-Type: text/plain\r\n") == 415);
  CHECK(post("Content-Type: application/json; charset=UTF-8\r\n") == 422);
  CHECK(c.ask(get_request("/v1/products", "Accept: text/html\r\n")).status == 406);
  CHECK(c.ask(get_request("/v1/products", "Accept: text/event-stream\r\n")).status == 406);
}

TEST_CASE("a body that waits for 100 Continue gets it", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const auto body = order_body().dump();
  c.send("POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: "
         "100-continue\r\n"
         "Content-Length: "
         + std::to_string(body.size()) + "\r\n\r\n");
  CHECK(c.read().status == 100);
  c.send(body);
  CHECK(c.read().status == 201);
}

TEST_CASE("connections are kept by the rules of their version", "[http][edge]") {
  running_server s;
  raw_client one{s.port()};
  const auto r = one.ask("GET /v1/products/latte HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(r.field("connection") == "keep-alive");
  CHECK(one.ask("GET /v1/products/latte HTTP/1.0\r\n\r\n").field("connection") == "close");
  CHECK(one.rest().empty());
  raw_client two{s.port()};
  CHECK(two.ask(get_request("/v1/products/latte", "Connection: close\r\n")).status == 200);
  CHECK(two.rest().empty());
}

TEST_CASE("a trace is handed on, and a broken one is replaced", "[http][edge]") {
  running_server s;
  raw_client c{s.port()};
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto given =
    c.ask(get_request("/v1/none", "traceparent: 00-" + id + "-00f067aa0ba902b7-01\r\n"));
  CHECK(json::parse(given.body).at("trace_id") == id);
  const auto made = json::parse(c.ask(get_request("/v1/none", "traceparent: nonsense\r\n")).body);
  CHECK(made.at("trace_id").get<std::string>().size() == 32);
  place(c, "traceparent: 00-" + id + "-00f067aa0ba902b7-01\r\n");
  const auto handed = s.shop.placed[0].draft.traceparent;
  CHECK(handed.substr(0, 36) == "00-" + id + "-");
  CHECK(handed.find("00f067aa0ba902b7") == std::string::npos);
}

TEST_CASE("new orders get three quarters of the permits, and then 503", "[http][edge]") {
  http::server_options o;
  o.requests_waiting_max = 4;
  running_server s{o};
  s.shop.hold = true;
  std::vector<std::unique_ptr<raw_client>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(std::make_unique<raw_client>(s.port()));
    waiting.back()->send(post_request("/v1/orders", order_body().dump()));
  }
  s.shop.await_held(3);
  raw_client c{s.port()};
  const auto r = place(c);
  CHECK(r.status == 503);
  CHECK(code_of(r) == "overloaded");
  CHECK(r.field("retry-after") == "1");
  CHECK(c.ask(get_request("/v1/products/latte")).status == 200); // the rest is for reads
  s.shop.release();
  for (auto& w : waiting) CHECK(w->read().status == 201);
  CHECK(place(c).status == 201);
  CHECK(s.server.counts().waiting == 0);
}

TEST_CASE(
  "orders that would wait too long are refused at once, and nothing else is", "[http][edge]") {
  http::server_options o;
  o.orders_entering_min = 2;
  running_server s{o};
  put_order(s, some_id);
  s.shop.hold = true;
  raw_client first{s.port()}, second{s.port()}, c{s.port()};
  for (auto* waiting : {&first, &second})
    waiting->send(post_request("/v1/orders", order_body().dump()));
  s.shop.await_held(2);
  const auto r = place(c, "Idempotency-Key: k\r\n");
  CHECK(r.status == 503);
  CHECK(code_of(r) == "overloaded");
  CHECK(r.field("retry-after") == "1");
  CHECK(s.server.counts().full_of_orders == 1);
  CHECK(c.ask(get_request(some_path())).status == 200); // the connection was kept
  CHECK(c.ask(post_request(some_path() + "/cancellations", "{}")).status == 202);
  s.shop.release();
  CHECK(first.read().status == 201);
  CHECK(second.read().status == 201);
  CHECK(place(c, "Idempotency-Key: k\r\n").status == 201); // the refusal was not kept
}

TEST_CASE(
  "an accepted order that waits for its saga keeps no other from entering", "[http][edge]") {
  http::server_options o;
  o.orders_entering_min = 1;
  running_server s{o};
  raw_client patient{s.port()}, c{s.port()};
  patient.send(post_request("/v1/orders", order_body().dump(), "Prefer: wait=20\r\n"));
  s.shop.await_watched(1);
  const auto accepted = stored_order(s).id;
  for (int i = 0; i < 3; ++i) CHECK(place(c).status == 201);
  s.shop.change(accepted, fake_shop::fulfil);
  CHECK(patient.read().status == 201);
  CHECK(s.server.counts().full_of_orders == 0);
}

TEST_CASE("one principal gets its share, and then 429", "[http][edge]") {
  http::server_options o;
  o.requests_per_principal = 1;
  running_server s{o};
  s.shop.hold = true;
  raw_client first{s.port()}, second{s.port()};
  first.send(post_request("/v1/orders", order_body().dump()));
  s.shop.await_held(1);
  const auto r = second.ask(get_request("/v1/products/latte"));
  CHECK(r.status == 429);
  CHECK(code_of(r) == "too-many-requests");
  CHECK(r.field("retry-after") == "1");
  s.shop.release();
  CHECK(first.read().status == 201);
  CHECK(second.ask(get_request("/v1/products/latte")).status == 200);
}

TEST_CASE("probes say what is wrong, and that the server starts or drains", "[http][edge]") {
  running_server s;
  raw_client c{s.ops()};
  s.shop.ready = false;
  CHECK(c.ask(get_request("/startupz")).status == 503);
  const auto not_ready = c.ask(get_request("/readyz"));
  CHECK(not_ready.status == 503);
  CHECK(json::parse(not_ready.body).at("checks")[0]
        == json{{"name", "journal"}, {"ok", false}, {"detail", ""}});
  s.shop.ready = true;
  CHECK(c.ask(get_request("/readyz")).status == 200);
  s.shop.ready = false;
  CHECK(c.ask(get_request("/startupz")).status == 200);
  s.shop.ready = true;
  s.server.begin_drain();
  CHECK(c.ask(get_request("/readyz")).status == 503);
  CHECK(c.rest().empty());
}

TEST_CASE("a drain answers what runs, closes what idles, and then is over", "[http][edge]") {
  running_server s;
  s.shop.hold = true;
  raw_client busy{s.port()}, idle{s.port()}, waiting{s.port()};
  put_order(s, some_id);
  CHECK(idle.ask(get_request("/v1/products/latte")).status == 200);
  busy.send(post_request("/v1/orders", order_body().dump()));
  s.shop.await_held(1);
  waiting.send(get_request(some_path(), "If-None-Match: \"4\"\r\nPrefer: wait=30\r\n"));
  s.shop.await_watched(1);
  std::promise<void> drained;
  s.server.begin_drain();
  CHECK(idle.rest().empty());
  s.server.when_drained([&] { drained.set_value(); });
  CHECK(waiting.read().status == 304); // long before its 30 s
  auto over = drained.get_future();
  CHECK(over.wait_for(milliseconds{0}) == std::future_status::timeout);
  s.shop.release();
  const auto r = busy.read();
  CHECK(r.status == 201);
  CHECK(r.field("connection") == "close");
  busy.close(), waiting.close();
  CHECK(over.wait_for(std::chrono::seconds{10} * slowness) == std::future_status::ready);
  CHECK(s.server.sessions() == 0);
  CHECK_THROWS(raw_client{s.port()});
}

TEST_CASE("a port that is taken is an error in words", "[http][edge]") {
  running_server s;
  http::server_options o;
  o.public_port = s.port(), o.ops = false;
  http::server second{s.io, s.readers, s.shop, o};
  const auto why = second.start();
  REQUIRE(why);
  CHECK(why->find("cannot listen on 127.0.0.1:") == 0);
  o.public_address = "localhost";
  CHECK(http::server{s.io, s.readers, s.shop, o}.start() == "not an IP address: localhost");
}

TEST_CASE("an actor is restarted by its id", "[http][edge]") {
  running_server s;
  raw_client c{s.ops()};
  CHECK(
    c.ask(get_request("/admin/v1/actors/inventory%2F7/restart", "Content-Length: 0\r\n", "POST"))
      .status
    == 202);
  CHECK(c.ask(get_request("/admin/v1/actors/none/restart", "Content-Length: 0\r\n", "POST")).status
        == 404);
  CHECK(c.ask(get_request("/admin/v1/actors/none")).status == 404);
}
