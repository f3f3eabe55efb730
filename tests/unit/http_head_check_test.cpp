#include "http/head_check.hpp"
#include "tests/catch.hpp"
#include <tuple>
#include <vector>

using namespace jumun;
using namespace jumun::http;

namespace {
struct verdict {
  unsigned status = 0; // 0: passed
  std::string code;
};
verdict judge(const std::string& bytes) {
  head h;
  const auto why = check_head(bytes, h);
  return why ? verdict{why->kind->status, std::string{why->kind->code}} : verdict{};
}
std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields) {
  return "POST /v1/orders HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string line(const std::string& request_line) { return request_line + "\r\nHost: a\r\n\r\n"; }
std::string many_fields(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += "X-" + std::to_string(i) + ": 1\r\n";
  return out;
}
} // namespace

TEST_CASE("a hostile head is refused with the status that names its fault", "[http][head]") {
  using namespace std::string_literals;
  const auto table = std::vector<std::tuple<const char*, std::string, unsigned>>{
    // where the body ends must be beyond doubt
    {"chunked", post("Transfer-Encoding: chunked\r\n"), 411},
    {"chunked in capitals", post("Transfer-Encoding: CHUNKED\r\n"), 411},
    {"xchunked", post("Transfer-Encoding: xchunked\r\n"), 400},
    {"gzip", post("Transfer-Encoding: gzip\r\n"), 400},
    {"gzip with Content-Length", post("Transfer-Encoding: gzip\r\nContent-Length: 4\r\n"), 400},
    {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n"), 400},
    {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), 400},
    {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"chunked with a parameter", post("Transfer-Encoding: chunked;x=1\r\n"), 400},
    {"chunked in quotes", post("Transfer-Encoding: \"chunked\"\r\n"), 400},
    {"empty coding", post("Transfer-Encoding:\r\n"), 400},
    {"identity", post("Transfer-Encoding: identity\r\n"), 400},
    {"chunked with Content-Length", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
      400},
    {"chunked in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"length twice", post("Content-Length: 4\r\nContent-Length: 4\r\n"), 400},
    {"length twice, different", post("Content-Length: 4\r\nContent-Length: 5\r\n"), 400},
    {"length as a list", post("Content-Length: 4, 4\r\n"), 400},
    {"negative length", post("Content-Length: -1\r\n"), 400},
    {"signed length", post("Content-Length: +4\r\n"), 400},
    {"hex length", post("Content-Length: 0x4\r\n"), 400},
    {"fractional length", post("Content-Length: 4.0\r\n"), 400},
    {"empty length", post("Content-Length:\r\n"), 400},
    {"length with a space inside", post("Content-Length: 4 4\r\n"), 400},
    {"length over the limit", post("Content-Length: 65537\r\n"), 413},
    {"length over 64 bits", post("Content-Length: 99999999999999999999999\r\n"), 413},
    // the request line
    {"empty", "\r\n\r\n", 400},
    {"two leading empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"0.9", line("GET /"), 400},
    {"2.0", line("GET / HTTP/2.0"), 505},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 505},
    {"1.2", line("GET / HTTP/1.2"), 505},
    {"lower-case version", line("GET / http/1.1"), 400},
    {"version with more digits", line("GET / HTTP/1.10"), 400},
    {"two spaces", line("GET  / HTTP/1.1"), 400},
    {"a space at the end", line("GET / HTTP/1.1 "), 400},
    {"a tab for a space", line("GET\t/ HTTP/1.1"), 400},
    {"lower-case method", line("get / HTTP/1.1"), 501},
    {"unknown method", line("BREW / HTTP/1.1"), 501},
    {"TRACE", line("TRACE / HTTP/1.1"), 501},
    {"CONNECT", line("CONNECT a:443 HTTP/1.1"), 501},
    {"method that is no token", line("G(T / HTTP/1.1"), 400},
    {"no method", line(" / HTTP/1.1"), 400},
    // the target
    {"absolute form", line("GET http://a/ HTTP/1.1"), 400},
    {"asterisk form", line("OPTIONS * HTTP/1.1"), 400},
    {"no slash", line("GET v1 HTTP/1.1"), 400},
    {"broken percent", line("GET /%zz HTTP/1.1"), 400},
    {"cut percent", line("GET /%4 HTTP/1.1"), 400},
    {"lone percent at the end", line("GET /% HTTP/1.1"), 400},
    {"encoded NUL", line("GET /a%00b HTTP/1.1"), 400},
    {"encoded line feed", line("GET /a%0Ab HTTP/1.1"), 400},
    {"broken percent in the query", line("GET /?a=%g0 HTTP/1.1"), 400},
    {"fragment", line("GET /#a HTTP/1.1"), 400},
    {"raw UTF-8", line("GET /caf\xc3\xa9 HTTP/1.1"), 400},
    {"a backslash", line("GET /a\\b HTTP/1.1"), 400},
    {"NUL in the target", line("GET /a"s + '\0' + "b HTTP/1.1"), 400},
    {"long target", line("GET /" + std::string(2048, 'a') + " HTTP/1.1"), 414},
    // fields
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", get("Host: b\r\n"), 400},
    {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"Host as a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"Host with user", "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", 400},
    {"obs-fold", get("X: a\r\n b\r\n"), 400},
    {"obs-fold with a tab", get("X: a\r\n\tb\r\n"), 400},
    {"a fold before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"space before the colon", get("X : a\r\n"), 400},
    {"no colon", get("X\r\n"), 400},
    {"empty name", get(": a\r\n"), 400},
    {"name that is no token", get("X(y): a\r\n"), 400},
    {"name in UTF-8", get("Caf\xc3\xa9: a\r\n"), 400},
    {"NUL in a value", get("X: a"s + '\0' + "b\r\n"), 400},
    {"bare CR in a value", get("X: a\rY: b\r\n"), 400},
    {"bare LF in a value", get("X: a\nY: b\r\n"), 400},
    {"DEL in a value", get("X: a\x7f\r\n"), 400},
    {"escape in a value", get("X: \x1b[2J\r\n"), 400},
    {"65 fields", get(many_fields(64)), 431},
    {"large header", get("X: " + std::string(8192, 'a') + "\r\n"), 431},
    {"Content-Type twice", get("Content-Type: a/b\r\nContent-Type: a/c\r\n"), 400},
    {"Authorization twice", get("Authorization: a\r\nAuthorization: b\r\n"), 400},
    {"two idempotency keys", get("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), 400},
    {"another expectation", get("Expect: 200-ok\r\n"), 417},
  };
  for (const auto& [name, bytes, status] : table) {
    CAPTURE(name);
    CHECK(judge(bytes).status == status);
  }
}

TEST_CASE("an ordinary head passes", "[http][head]") {
  const auto table = std::vector<std::tuple<const char*, std::string>>{
    {"plain", get("")},
    {"after one empty line", "\r\n" + get("")},
    {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n"},
    {"64 fields", get(many_fields(63))},
    {"the longest target", line("GET /" + std::string(2047, 'a') + " HTTP/1.1")},
    {"the largest body", post("Content-Length: 65536\r\n")},
    {"no body", post("Content-Length: 0\r\n")},
    {"no space after the colon", get("X:a\r\n")},
    {"empty value", get("X:\r\n")},
    {"value with a tab and UTF-8", get("X: a\tb \xc3\xa9\r\n")},
    {"Host with port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"},
    {"a query", line("GET /v1/orders?limit=5&cursor=a%2Fb%3D HTTP/1.1")},
    {"an encoded slash and a percent at the very end", line("GET /a%2Fb%20 HTTP/1.1")},
  };
  for (const auto& [name, bytes] : table) {
    CAPTURE(name);
    CHECK(judge(bytes).status == 0);
  }
}

TEST_CASE("a head is taken apart into its parts", "[http][head]") {
  const std::string bytes =
    "PUT /v1/products/a%20b?x=1&y HTTP/1.1\r\nhOsT: a\r\nX-One: \t two  \r\n"
    "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\n";
  head h;
  REQUIRE_FALSE(check_head(bytes, h));
  CHECK(h.method == "PUT");
  CHECK(h.path == "/v1/products/a%20b");
  CHECK(h.query == "x=1&y");
  CHECK(h.content_length == 12);
  CHECK(h.expects_continue);
  CHECK(h.find("x-one") == "two");
  CHECK_FALSE(h.find("x-two"));
}

TEST_CASE("a connection is kept by the rules of its version", "[http][head]") {
  const auto table = std::vector<std::tuple<std::string, std::string, bool>>{
    {"1.1", "", true},
    {"1.1", "Connection: close\r\n", false},
    {"1.1", "Connection: foo, Close\r\n", false},
    {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
    {"1.0", "", false},
    {"1.0", "Connection: Keep-Alive\r\n", true},
    {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const auto& [version, fields, keep] : table) {
    CAPTURE(version, fields);
    const auto bytes = "GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n";
    head h;
    REQUIRE_FALSE(check_head(bytes, h));
    CHECK(h.keep_alive == keep);
  }
}

TEST_CASE("the end of a head is found, however its bytes arrive", "[http][head]") {
  const auto bytes = get("X: 1\r\n") + "the body";
  for (std::size_t first = 0; first < bytes.size(); ++first) {
    CAPTURE(first);
    const std::string_view all{bytes};
    const auto early = find_head_end(all.substr(0, first), 0);
    const auto end = early.state == head_end::incomplete ? find_head_end(all, first) : early;
    REQUIRE(end.state == head_end::found);
    CHECK(all.substr(end.bytes) == "the body");
  }
}

TEST_CASE("a line that ends without CR is seen before the head ends", "[http][head]") {
  CHECK(find_head_end("GET / HTTP/1.1\nHost: a\n\n", 0).state == head_end::bad);
  CHECK(find_head_end("\n", 0).state == head_end::bad);
  CHECK(find_head_end("GET / HTTP/1.1\r\nHost: a\r\n\n", 0).state == head_end::bad);
  CHECK(find_head_end("GET / HTTP/1.1\r\nHost: a\r", 0).state == head_end::incomplete);
}

TEST_CASE("percent encoding is undone, and its traps are refused", "[http][head]") {
  CHECK(percent_decoded("a%20b%2Fc+d") == "a b/c+d");
  CHECK(percent_decoded("a+b", true) == "a b");
  CHECK_FALSE(percent_decoded("%"));
  CHECK_FALSE(percent_decoded("%4"));
  CHECK_FALSE(percent_decoded("%00"));
  CHECK_FALSE(percent_decoded("%7f"));
}
