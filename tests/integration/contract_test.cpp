#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include <regex>

/// API.md's conventions, one by one, against the binary: what a client may rely on wherever it
/// asks.
using namespace jumun::tests;

namespace {
const json tea{{"name", "Tea"}, {"unit_price", krw(300)}};

/// Follows the versioned resource through RFC 9110 §13: `path` must answer 200 with an ETag.
void check_conditional_get(client& c, const std::string& path) {
  INFO(path);
  const auto etag = need(c.get(path), 200).field("etag");
  REQUIRE(std::regex_match(etag, std::regex{R"("[0-9]+(-[0-9]+)?")"}));
  const auto unchanged = [&](const std::string& tags) {
    const auto r = c.get(path, {{"If-None-Match", tags}});
    return r.status == 304 && r.body.empty() && r.field("etag") == etag
           && r.field("content-length").empty();
  };
  CHECK(unchanged(etag));
  CHECK(unchanged("W/" + etag));
  CHECK(unchanged("\"none\", W/\"0\" ," + etag));
  CHECK(unchanged("*"));
  CHECK(c.get(path, {{"If-None-Match", "\"none\", \"0\""}}).status == 200);
  CHECK(c.get(path, {{"If-Match", etag}}).status == 200);
  CHECK(c.get(path, {{"If-Match", "\"none\", " + etag}}).status == 200);
  CHECK(c.get(path, {{"If-Match", "*"}}).status == 200);
  CHECK(c.get(path, {{"If-Match", "W/" + etag}}).status == 412);
  CHECK(c.get(path, {{"If-Match", "\"none\""}}).status == 412);
}

struct refusal {
  const char* what;
  const char *method, *target, *body;
  headers with;
  int status;
  const char* code;
  const char* pointer = nullptr; // of the first of `errors`
};
void check_refusal(client& c, const refusal& row) {
  INFO(row.what << ": " << row.method << ' ' << row.target);
  const auto r = c.send(row.method, row.target, row.body, row.with);
  REQUIRE(r.status == row.status);
  CHECK(r.field("content-type") == "application/problem+json");
  const auto p = r.json();
  CHECK(p.at("code") == row.code);
  CHECK(p.at("status") == row.status);
  CHECK(p.at("type") == "/problems/" + std::string{row.code});
  CHECK_FALSE(p.at("title").get<std::string>().empty());
  CHECK(std::regex_match(p.at("trace_id").get<std::string>(), std::regex{"[0-9a-f]{32}"}));
  if (row.pointer) CHECK(p.at("errors").at(0).at("pointer") == row.pointer);
  if (row.pointer) CHECK_FALSE(p.at("errors").at(0).at("detail").get<std::string>().empty());
}
} // namespace

TEST_CASE("every resource with a version answers conditional requests", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("americano", 4'500, 10);
  const auto o = c.place("tok_approve", {{"americano", 1}}, {.wait_s = 20}).json();
  const auto order = c.path(o.at("id"));
  need(c.cancel(o.at("id")), 202);
  c.wait_for(o.at("id"), "cancelled");
  const auto cxl = need(c.api.get(order + "/cancellations"), 200).json().at("data").at(0);
  for (const auto& path :
    {std::string{"/v1/products/americano"}, std::string{"/v1/inventory/americano"}, order,
      "/v1/payments/" + o.at("payment").at("id").get<std::string>(),
      "/v1/deliveries/" + o.at("delivery").at("id").get<std::string>(),
      order + "/cancellations/" + cxl.at("id").get<std::string>()})
    check_conditional_get(c.api, path);
  check_conditional_get(c.ops, "/admin/v1/sagas/" + o.at("id").get<std::string>());
}

TEST_CASE("a product's ETag changes with its stock, its If-Match does not mind", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 300, 1);
  const auto before = c.api.get("/v1/products/tea").field("etag");
  need(c.adjust("tea", 1), 201);
  const auto after = c.api.get("/v1/products/tea", {{"If-None-Match", before}});
  CHECK(after.status == 200);
  CHECK(after.field("etag") != before);
  CHECK(after.json().at("available") == 2);
  const auto put = c.api.put("/v1/products/tea", tea, {{"If-Match", before}});
  CHECK(put.status == 200);
  CHECK(c.api.get("/v1/products/tea").field("etag") == put.field("etag"));
  CHECK(c.api.put("/v1/products/tea", tea, {{"If-Match", before}}).status == 412);
}

TEST_CASE("a write is done only where its conditions hold", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 300, 5);
  const std::string product = "/v1/products/tea", stock = "/v1/inventory/tea";
  const auto none = "\"none\"";
  const auto tag = [&](const std::string& path) { return c.api.get(path).field("etag"); };
  struct row {
    std::string path;
    headers with;
    int status;
  };
  const json counted{{"on_hand", 7}};
  for (const auto& [path, with, status] : {row{product, {{"If-Match", none}}, 412},
         row{product, {{"If-Match", "W/" + tag(product)}}, 412},
         row{product, {{"If-Match", std::string{none} + ", " + tag(product)}}, 200},
         row{product, {{"If-Match", "*"}}, 200}, row{product, {{"If-None-Match", "*"}}, 412},
         row{product, {{"If-None-Match", none}}, 200}, row{product, {{"If-None-Match", "5"}}, 400},
         row{"/v1/products/new", {{"If-Match", "*"}}, 412},
         row{"/v1/products/new", {{"If-None-Match", "*"}}, 201},
         row{"/v1/products/newer", {{"If-None-Match", none}}, 201}, row{stock, {}, 428},
         row{stock, {{"If-None-Match", "*"}}, 428}, row{stock, {{"If-Match", none}}, 412},
         row{stock, {{"If-Match", tag(stock)}, {"If-None-Match", "*"}}, 412},
         row{"/v1/inventory/nothing", {{"If-Match", "*"}}, 412}}) {
    INFO(path << " → " << status);
    CHECK(
      c.api.put(path, path.find("product") < path.size() ? tea : counted, with).status == status);
  }
  const auto now = tag(stock);
  CHECK(c.api.put(stock, counted, {{"If-Match", std::string{none} + "," + now}}).status == 200);
  CHECK(c.api.put(stock, counted, {{"If-Match", now}}).status == 412);
  CHECK(c.api.put(stock, counted, {{"If-Match", "*"}}).status == 200);
}

TEST_CASE("Preference-Applied says what was made of Prefer: wait", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 300, 5);
  const auto body = order_body("tok_approve", {{"tea", 1}});
  const auto place = [&](const headers& with) {
    return need(c.api.post("/v1/orders", body, with), 201);
  };
  CHECK(place({}).field("preference-applied").empty());
  CHECK(place({{"Prefer", "wait=0"}}).field("preference-applied").empty());
  CHECK(place({{"Prefer", "wait=soon"}}).field("preference-applied").empty());
  const auto held = place({{"Prefer", "respond-async, wait=99"}});
  CHECK(held.field("preference-applied") == "wait=30");
  CHECK(held.json().at("status") == "preparing");

  const auto path = held.field("location");
  const auto seen = c.api.get(path);
  CHECK(seen.field("preference-applied").empty());
  const auto none = c.api.get(path, {{"If-None-Match", seen.field("etag")}, {"Prefer", "wait=1"}});
  CHECK(none.status == 304);
  CHECK(none.field("preference-applied") == "wait=1");
  const auto old = c.api.get(path, {{"If-None-Match", "\"1\""}, {"Prefer", "wait=1"}});
  CHECK(old.status == 200);
  CHECK(old.field("preference-applied") == "wait=1");
}

TEST_CASE("every list comes in pages of 1..200, also those that are short", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  for (const auto* sku : {"americano", "latte", "tea"}) c.sell(sku, 100, 9);
  need(c.adjust("tea", 1), 201);
  const auto id = c.placed("tok_approve", {{"americano", 1}, {"tea", 1}}, {.wait_s = 20});
  c.placed("tok_approve", {{"latte", 1}}, {.wait_s = 20});
  for (const std::string& path : texts{"/v1/products", "/v1/inventory",
         "/v1/inventory/tea/movements", "/v1/orders", "/v1/orders/" + id + "/events"}) {
    INFO(path);
    const auto all = need(c.api.get(path + "?limit=200"), 200).json().at("data");
    REQUIRE(all.size() >= 2);
    auto rows = json::array();
    for (auto next = path + "?limit=1"; !next.empty();) {
      const auto r = need(c.api.get(next), 200);
      const auto page = r.json();
      REQUIRE(page.at("data").size() == 1);
      CHECK(page.at("partial") == false);
      CHECK(page.at("missing_shards") == json::array());
      rows.push_back(page.at("data")[0]);
      const auto link = r.field("link");
      CHECK(link.empty() == page.at("next_cursor").is_null());
      std::smatch to;
      next = std::regex_match(link, to, std::regex{"<(.*)>; rel=\"next\""}) ? to[1].str() : "";
    }
    CHECK(rows == all);
    for (const auto* limit : {"0", "201", "-1", "1.5", "x", ""})
      CHECK(c.api.get(path + "?limit=" + limit).status == 422);
    const auto bad = c.api.get(path + "?cursor=no*cursor");
    CHECK(bad.status == 400);
    CHECK(bad.json().at("code") == "invalid-cursor");
  }
  CHECK(c.ops.get("/admin/v1/actors?limit=3").json().at("data").size() == 3);
  CHECK(c.ops.get("/admin/v1/actors?limit=0").status == 422);
}

TEST_CASE("methods: HEAD is a GET without its body, OPTIONS and 405 name the rest", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 300, 1);
  for (const auto* path : {"/v1/products/tea", "/v1/products", "/v1/inventory/tea"}) {
    const auto whole = c.api.get(path), head = c.api.send("HEAD", path);
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    CHECK(head.field("content-length") == std::to_string(whole.body.size()));
    CHECK(head.field("etag") == whole.field("etag"));
  }
  struct row {
    const char *path, *allow;
  };
  for (const auto& [path, allow] : {row{"/v1/products/tea", "GET, HEAD, PUT, OPTIONS"},
         row{"/v1/orders", "POST, GET, HEAD, OPTIONS"},
         row{"/v1/inventory/tea/adjustments", "POST, OPTIONS"},
         row{"/v1/orders/ord_1/cancellations", "POST, GET, HEAD, OPTIONS"}}) {
    const auto options = c.api.send("OPTIONS", path);
    CHECK(options.status == 204);
    CHECK(options.field("allow") == allow);
    const auto refused = c.api.send("DELETE", path);
    CHECK(refused.status == 405);
    CHECK(refused.field("allow") == allow);
    CHECK(refused.json().at("code") == "method-not-allowed");
  }
}

TEST_CASE("what can't be done is said by status, code and pointer", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 300, 5);
  const headers text{{"Content-Type", "text/plain"}};
  const refusal rows[] = {
    {"unknown path", "GET", "/v1/nothing", "", {}, 404, "not-found"},
    {"slash behind", "GET", "/v1/products/", "", {}, 404, "not-found"},
    {"unknown order", "GET", "/v1/orders/ord_00000000000000000000000000", "", {}, 404, "not-found"},
    {"no order id", "GET", "/v1/orders/42", "", {}, 404, "not-found"},
    {"no payment id", "GET", "/v1/payments/ord_1", "", {}, 404, "not-found"},
    {"unknown delivery", "POST", "/v1/deliveries/dlv_1/updates", R"({"status":"delivered"})", {},
      404, "not-found"},
    {"no XML", "GET", "/v1/products", "", {{"Accept", "application/xml"}}, 406, "not-acceptable"},
    {"JSON refused", "GET", "/v1/products", "", {{"Accept", "*/*, application/json;q=0"}}, 406,
      "not-acceptable"},
    {"text", "PUT", "/v1/products/tea", "{}", text, 415, "unsupported-media-type"},
    {"other charset", "POST", "/v1/orders", "{}",
      {{"Content-Type", "application/json; charset=latin1"}}, 415, "unsupported-media-type"},
    {"no body", "PUT", "/v1/products/tea", "", {}, 400, "malformed-json"},
    {"half a body", "PUT", "/v1/products/tea", "{", {}, 400, "malformed-json"},
    {"key twice", "POST", "/v1/orders", R"({"lines":[],"lines":[]})", {}, 400, "malformed-json"},
    {"not an object", "POST", "/v1/orders", "[]", {}, 422, "validation-failed", ""},
    {"unknown field", "PUT", "/v1/inventory/tea", R"({"on_hand":1,"x~/y":2})", {{"If-Match", "*"}},
      422, "validation-failed", "/x~0~1y"},
    {"fraction", "PUT", "/v1/inventory/tea", R"({"on_hand":1.0})", {{"If-Match", "*"}}, 422,
      "validation-failed", "/on_hand"},
    {"price of 0", "PUT", "/v1/products/tea",
      R"({"name":"Tea","unit_price":{"amount":0,"currency":"KRW"}})", {}, 422, "validation-failed",
      "/unit_price/amount"},
    {"currency", "PUT", "/v1/products/tea",
      R"({"name":"Tea","unit_price":{"amount":1,"currency":"won"}})", {}, 422, "validation-failed",
      "/unit_price/currency"},
    {"delta of 0", "POST", "/v1/inventory/tea/adjustments", R"({"delta":0,"reason":"x"})", {}, 422,
      "validation-failed", "/delta"},
    {"below reserved", "POST", "/v1/inventory/tea/adjustments", R"({"delta":-6,"reason":"x"})", {},
      409, "insufficient-stock"},
    {"delivery word", "POST", "/v1/deliveries/dlv_06EDJZ3A6V0000000000000000/updates",
      R"({"status":"lost"})", {}, 422, "validation-failed", "/status"},
    {"status filter", "GET", "/v1/orders?status=lost", "", {}, 422, "validation-failed",
      "/query/status"},
    {"time filter", "GET", "/v1/orders?created_after=today", "", {}, 422, "validation-failed",
      "/query/created_after"},
    {"topic", "GET", "/v1/events?topic=gossip", "", {}, 422, "validation-failed", "/query/topic"},
    {"key", "POST", "/v1/orders", "{}", {{"Idempotency-Key", "a b"}}, 400, "bad-request"},
  };
  for (const auto& row : rows) check_refusal(c.api, row);
}

TEST_CASE("asking twice for a cancellation is one; 202 until it is done, then 200", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 300, 5);
  const auto id = c.placed("tok_slow_300", {{"tea", 1}});
  const auto list = c.path(id) + "/cancellations";
  CHECK(need(c.api.get(list), 200).json().at("data").empty());
  const auto first = need(c.cancel(id, "first"), 202);
  const auto second = c.cancel(id, "second");
  CHECK(second.json().at("id") == first.json().at("id"));
  c.wait_for(id, "cancelled");
  const auto third = need(c.api.send("POST", list), 200); // no body is as good as {}
  CHECK(third.json().at("status") == "completed");
  CHECK(third.json().at("id") == first.json().at("id"));
  CHECK(third.field("location") == first.field("location"));
  CHECK(need(c.api.get(third.field("location")), 200).json() == third.json());
  CHECK(need(c.api.get(list), 200).json().at("data") == json::array({third.json()}));
  const auto again = c.cancel(id, "first");
  CHECK(again.status == 202);
  CHECK(again.body == first.body);
  CHECK(again.field("idempotency-replayed") == "true");
}

TEST_CASE(
  "times are RFC 3339 in UTC with milliseconds, money and counts are integers", "[contract]") {
  open_shop shop;
  auto c = shop.client();
  c.sell("tea", 300, 5);
  const auto o = c.place("tok_approve", {{"tea", 2}, {"tea", 1}}, {.wait_s = 20}).json();
  const std::regex time{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"};
  for (const auto* name : {"created_at", "updated_at"})
    CHECK(std::regex_match(o.at(name).get<std::string>(), time));
  for (const auto& e : c.history(o.at("id")))
    CHECK(std::regex_match(e.at("time").get<std::string>(), time));
  CHECK(o.at("lines").size() == 1);
  CHECK(o.at("total").at("amount").is_number_integer());
  CHECK(o.at("total").at("amount") == 900);
  CHECK(o.at("version").is_number_integer());
}
