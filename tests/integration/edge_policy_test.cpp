#include "tests/catch.hpp"
#include "tests/integration/fake_shop.hpp"
#include "tests/integration/raw_client.hpp"
#include <nlohmann/json.hpp>

// What the edge says to browsers, and to those who ask too much.
namespace {
using namespace jumun;
using namespace jumun::tests;

/// Takes each token that does not begin with `bad` as the name of an admin.
struct by_name : http::authenticator {
  [[nodiscard]] std::optional<http::identity> identify(std::string_view token) const override {
    if (token.starts_with("bad")) return {};
    return http::identity{std::string{token}, http::anyone};
  }
};
const std::string shop_page = "https://shop.example";
http::server_options with_origins() {
  http::server_options o;
  o.cors_origins = {shop_page, "http://localhost:3000"};
  return o;
}
http::server_options at_most(std::uint32_t rate) {
  http::server_options o;
  o.rate_limit = rate;
  return o;
}
std::string ask(const std::string& method, const std::string& path, const std::string& fields) {
  return method + " " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + fields + "\r\n";
}
std::string key(const std::string& name) { return "Authorization: Bearer " + name + "\r\n"; }
std::string from(const std::string& origin) { return "Origin: " + origin + "\r\n"; }
/// How many of `n` pipelined requests were answered so.
int answered(raw_client& c, int n, const std::string& request, int status) {
  std::string all;
  for (int i = 0; i < n; ++i) all += request;
  c.send(all);
  int count = 0;
  for (int i = 0; i < n; ++i) count += c.read().status == status ? 1 : 0;
  return count;
}
const std::string products = "/v1/products/americano";
} // namespace

TEST_CASE("every answer carries the security fields, and none of HTTPS over HTTP", "[edge]") {
  running_server s;
  const auto check = [](const raw_reply& r, int status) {
    CAPTURE(r.head);
    CHECK(r.status == status);
    CHECK(r.field("x-content-type-options") == "nosniff");
    CHECK(r.field("referrer-policy") == "no-referrer");
    CHECK(r.field("strict-transport-security").empty());
    CHECK(r.field("access-control-allow-origin").empty());
    CHECK(r.field("vary").empty());
    CHECK(r.field("ratelimit").empty());
    CHECK(r.field("ratelimit-policy").empty());
    return r.field("content-security-policy");
  };
  const std::string of_api = "default-src 'none'; frame-ancestors 'none'";
  raw_client c{s.port()}, ops{s.ops()};
  CHECK(check(c.ask(ask("GET", products, from(shop_page))), 200) == of_api);
  CHECK(check(c.ask(ask("GET", "/v1/nothing", "")), 404) == of_api);
  CHECK(check(c.ask(ask("OPTIONS", products, from(shop_page))), 204) == of_api);
  CHECK(check(c.ask(ask("DELETE", products, "")), 405) == of_api);
  CHECK(check(ops.ask(ask("GET", "/readyz", "")), 200) == of_api);
  CHECK(check(c.ask(ask("GET", "/openapi.json", "")), 200) == of_api);
  const auto of_page = check(c.ask(ask("GET", "/docs", "")), 200);
  CHECK(of_page.find("script-src 'self'") != std::string::npos);
  CHECK(of_page.find("frame-ancestors 'none'") != std::string::npos);
  CHECK(check(c.ask("GET / HTTP/9.9\r\n\r\n"), 505) == of_api);
}

TEST_CASE("an allowed origin is named, any other is not, and never a star", "[edge][cors]") {
  running_server s{with_origins()};
  raw_client c{s.port()};
  for (const auto& [path, status] :
    {std::pair{products, 200}, std::pair{std::string{"/v1/nothing"}, 404}}) {
    const auto r = c.ask(ask("GET", path, from(shop_page)));
    CHECK(r.status == status);
    CHECK(r.field("access-control-allow-origin") == shop_page);
    CHECK(r.field("vary") == "Origin");
    CHECK(r.field("access-control-expose-headers")
          == "ETag, Location, Link, RateLimit, RateLimit-Policy, Idempotency-Replayed, "
             "Preference-Applied, Retry-After");
  }
  for (const auto& other : {from("https://shop.example.evil.com"), from("https://SHOP.example"),
         from("https://shop.example:8443"), from("http://shop.example"), from("null"), from("*"),
         from(shop_page) + from("https://evil.example"), std::string{}})
    for (const auto* method : {"GET", "OPTIONS"}) {
      CAPTURE(method, other);
      const auto r = c.ask(ask(method, products, other + "Access-Control-Request-Method: GET\r\n"));
      CHECK((r.status == 200 || r.status == 204));
      CHECK(r.field("vary") == "Origin");
      CHECK(r.head.find("Access-Control") == std::string::npos);
    }
  raw_client ops{s.ops()};
  CHECK(ops.ask(ask("GET", "/readyz", from(shop_page))).head.find("Access-Control")
        == std::string::npos);
}

TEST_CASE("a preflight is answered without a key, with what may be asked", "[edge][cors]") {
  by_name who;
  running_server s{with_origins(), [&](http::ports& to) { to.who = &who; }};
  raw_client c{s.port()};
  const auto r = c.ask(ask("OPTIONS", products,
    from("http://localhost:3000") + "Access-Control-Request-Method: PUT\r\n"
      + "Access-Control-Request-Headers: authorization, content-type\r\n"));
  CHECK(r.status == 204);
  CHECK(r.field("access-control-allow-origin") == "http://localhost:3000");
  CHECK(r.field("access-control-allow-methods") == "GET, HEAD, PUT, OPTIONS");
  CHECK(r.field("access-control-allow-headers")
        == "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, "
           "Last-Event-ID, traceparent");
  CHECK(r.field("access-control-max-age") == "600");
  CHECK(r.field("access-control-allow-credentials").empty());
  const auto denied = c.ask(ask("GET", products, from(shop_page)));
  CHECK(denied.status == 401); // and the page may read why
  CHECK(denied.field("access-control-allow-origin") == shop_page);
}

TEST_CASE("who asks too much gets 429 and when to come again; others do not notice", "[edge]") {
  by_name who;
  running_server s{at_most(1), [&](http::ports& to) { to.who = &who; }};
  raw_client c{s.port()};
  const auto first = c.ask(ask("GET", products, key("ann")));
  CHECK(first.status == 200);
  CHECK(first.field("ratelimit-policy") == "\"default\";q=1;w=1");
  CHECK(first.field("ratelimit") == "\"default\";r=0;t=1");
  CHECK(answered(c, 60, ask("GET", products, key("ann")), 429) > 0);
  for (int i = 0; i < 60; ++i) {
    const auto r = c.ask(ask("GET", products, key("ann")));
    if (r.status != 429) continue; // a second went by
    CHECK(r.field("retry-after") == "1");
    CHECK(r.field("ratelimit") == "\"default\";r=0;t=1");
    CHECK(r.field("ratelimit-policy") == "\"default\";q=1;w=1");
    const auto problem = nlohmann::json::parse(r.body);
    CHECK(problem.at("code") == "too-many-requests");
    CHECK(problem.at("detail") == "you may send 1 requests a second");
  }
  CHECK(c.ask(ask("GET", products, key("bob"))).status == 200);
  CHECK(s.server.counts().too_many > 0);
}

TEST_CASE("keys cannot be guessed faster than the limit, and each answer says it", "[edge]") {
  by_name who;
  running_server s{at_most(1), [&](http::ports& to) { to.who = &who; }};
  raw_client c{s.port()};
  CHECK(c.ask(ask("GET", products, key("bad"))).status == 401);
  CHECK(answered(c, 60, ask("GET", products, key("bad-one")), 429) > 0);
  CHECK(c.ask(ask("GET", products, key("ann"))).status == 200); // from the same address
  CHECK(c.ask(ask("OPTIONS", products, "")).status == 204);
  for (const auto& request : {ask("GET", "/v1/nothing", ""), ask("GET", "/docs", ""),
         ask("OPTIONS", products, ""), std::string{"GET / HTTP/9.9\r\n\r\n"}}) {
    const auto r = c.ask(request);
    CAPTURE(r.head);
    CHECK(r.field("ratelimit-policy") == "\"default\";q=1;w=1");
    CHECK(r.field("ratelimit").starts_with("\"default\";r="));
  }
}

TEST_CASE("probes, metrics and the ops listener are never limited", "[edge]") {
  running_server s{at_most(1)};
  raw_client c{s.port()}, ops{s.ops()};
  CHECK(answered(ops, 60, ask("GET", "/livez", ""), 200) == 60);
  CHECK(answered(ops, 60, ask("GET", "/metrics", ""), 429) == 0);
  CHECK(answered(ops, 60, ask("GET", "/admin/v1/config", ""), 200) == 60);
  CHECK(answered(c, 60, ask("GET", "/docs", ""), 200) == 60);
  CHECK(answered(c, 60, ask("GET", products, ""), 429) > 0); // dev mode: everybody is one
}
