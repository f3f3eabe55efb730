#pragma once
#include "http/json.hpp"
#include "tests/integration/raw_client.hpp"
#include <vector>

/// What no decent client sends, and the status that each must get.
namespace jumun::tests {
struct hostile_row {
  const char* name;
  std::string bytes;
  int status;
};

inline std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + fields
         + "\r\n" + body;
}
inline std::string many_fields(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += "X-" + std::to_string(i) + ": 1\r\n";
  return out;
}

/// After these nobody knows where the next request begins: the connection ends with the answer.
inline std::vector<hostile_row> hostile_heads() {
  const std::string smuggled = "GET /v1/products HTTP/1.1\r\nHost: a\r\n\r\n";
  return {
    {"a chunked body with a 200 KB trailer",
      post("Transfer-Encoding: chunked\r\n", "0\r\nX: " + std::string(200'000, 't') + "\r\n\r\n"),
      411},
    {"a 5 MB chunk extension",
      post("Transfer-Encoding: chunked\r\n",
        "1;" + std::string(5'000'000, 'e') + "\r\na\r\n0\r\n\r\n"),
      411},
    {"xchunked", post("Transfer-Encoding: xchunked\r\n", smuggled), 400},
    {"gzip with Content-Length", post("Transfer-Encoding: gzip\r\nContent-Length: 4\r\n", "abcd"),
      400},
    {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + smuggled),
      400},
    {"chunked with Content-Length",
      post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n" + smuggled), 400},
    {"chunked in HTTP/1.0",
      "POST /v1/orders HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400},
    {"Content-Length as a list", post("Content-Length: 4, 4\r\n", "abcd"), 400},
    {"Content-Length twice", post("Content-Length: 4\r\nContent-Length: 40\r\n", "abcd" + smuggled),
      400},
    {"a signed Content-Length", post("Content-Length: +4\r\n", "abcd"), 400},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400},
    {"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"a body over the limit", post("Content-Length: 65537\r\n", std::string(65'537, 'b')), 413},
    {"a body of terabytes", post("Content-Length: 9999999999999\r\n", std::string(100'000, 'b')),
      413},
    {"a target over the limit", "GET /" + std::string(3'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
      414},
    {"a target without end", "GET /" + std::string(100'000, 'a'), 414},
    {"a header over the limit",
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9'000, 'a') + "\r\n\r\n", 431},
    {"a header without end", "GET / HTTP/1.1\r\nX: " + std::string(300'000, 'a'), 431},
    {"a first line without end", std::string(100'000, 'A'), 431},
    {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"an unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"an encoded NUL", "GET /v1/products/%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"another expectation", post("Expect: tea\r\nContent-Length: 4\r\n", "abcd"), 417},
    {"only line ends", "\r\n\r\n\r\n\r\n", 400},
    // framing
    {"chunked", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled), 411},
    {"chunked twice",
      post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled),
      400},
    {"chunked behind a vertical tab",
      post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n" + smuggled), 400},
    {"chunked with a parameter", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n" + smuggled),
      400},
    {"a space before the colon of Transfer-Encoding",
      post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + smuggled), 400},
    {"a folded Transfer-Encoding",
      post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" + smuggled), 400},
    {"an empty Transfer-Encoding", post("Transfer-Encoding:\r\n", smuggled), 400},
    {"Content-Length twice, the same", post("Content-Length: 4\r\nContent-Length: 4\r\n", "abcd"),
      400},
    {"Content-Length in another case, twice",
      post("Content-Length: 4\r\ncontent-length: 0\r\n", "abcd" + smuggled), 400},
    {"a negative Content-Length", post("Content-Length: -1\r\n", smuggled), 400},
    {"a hexadecimal Content-Length", post("Content-Length: 0x4\r\n", "abcd"), 400},
    {"a Content-Length with a fraction", post("Content-Length: 4.0\r\n", "abcd"), 400},
    {"an empty Content-Length", post("Content-Length:\r\n", smuggled), 400},
    {"a Content-Length with a space inside", post("Content-Length: 1 0\r\n", smuggled), 400},
    {"a space before the colon of Content-Length", post("Content-Length : 4\r\n", "abcd"), 400},
    {"a Content-Length over 64 bits", post("Content-Length: 18446744073709551620\r\n", "abcd"),
      413},
    {"a GET with a chunked body",
      get_request("/", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n" + smuggled, 411},
    // the request line
    {"HTTP/0.9", "GET /\r\n\r\n", 400},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
    {"HTTP/3", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
    {"a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
    {"a version with more digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
    {"another protocol", "GET / ICY/1.1\r\nHost: a\r\n\r\n", 400},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a space at the line's end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
    {"a method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"a method that is no token", "G{}T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"WebDAV", "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"the preface of HTTP/2 with its settings",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9), 505},
    {"a proxy's PROXY line", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + smuggled, 400},
    // the target
    {"absolute form", "GET http://a/v1/products HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"authority form", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a broken percent sign", get_request("/v1/products/%zz"), 400},
    {"a cut percent sign", get_request("/v1/products/%4"), 400},
    {"a percent sign in the query alone", get_request("/v1/products?limit=%"), 400},
    {"an encoded line end", get_request("/v1/products/a%0d%0aX:%20b"), 400},
    {"IIS' percent u", get_request("/v1/products/%u0041"), 400},
    {"a raw NUL in the target", get_request(std::string("/a\0b", 4)), 400},
    {"raw UTF-8 in the target", get_request("/caf\xc3\xa9"), 400},
    {"a backslash", get_request("/v1\\products"), 400},
    {"a fragment", get_request("/v1/products#a"), 400},
    // fields
    {"no colon", get_request("/", "X\r\n"), 400},
    {"an empty name", get_request("/", ": a\r\n"), 400},
    {"a name with a NUL", get_request("/", std::string("X\0Y: a\r\n", 8)), 400},
    {"a name in UTF-8", get_request("/", "Caf\xc3\xa9: a\r\n"), 400},
    {"a value with a NUL", get_request("/", std::string("X: a\0b\r\n", 8)), 400},
    {"a value with a bare CR", get_request("/", "X: a\rTransfer-Encoding: chunked\r\n"), 400},
    {"a value with a bare LF", get_request("/", "X: a\nTransfer-Encoding: chunked\r\n"), 400},
    {"a value with an escape", get_request("/", "X: \x1b[2J\r\n"), 400},
    {"a fold before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"65 fields", get_request("/", many_fields(64)), 431},
    {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"a Host as a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"Authorization twice",
      get_request("/", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400},
    {"two idempotency keys",
      post("Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 2\r\n", "{}"), 400},
    {"Expect twice",
      post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n", "{}"), 400},
  };
}

/// An order of which `lines` is the only thing in doubt.
inline std::string order_with(const std::string& lines, const std::string& more = "") {
  return R"({"customer_id":"c","lines":)" + lines
         + R"(,"payment":{"method":"card","token":"t"},)"
           R"("shipping_address":{"line1":"a","city":"b","country":"KR"})"
         + more + "}";
}

/// Documents beyond a limit (API.md): with the answer the connection ends.
inline std::vector<hostile_row> boundless_bodies() {
  const auto send = [](const std::string& body) { return post_request("/v1/orders", body); };
  const std::string one = R"([{"sku":"latte","quantity":1}])";
  return {
    {"16,000 levels", send(std::string(16'000, '[')), 400},
    {"17 levels", send(std::string(17, '[') + std::string(17, ']')), 400},
    {"a key twice", send(order_with(one, R"(,"customer_id":"d")")), 400},
    {"a key twice, once escaped", send(order_with(one, R"(,"customer\u005fid":"d")")), 400},
    {"a key twice, deep down", send(order_with(R"([{"sku":"latte","quantity":1,"quantity":9}])")),
      400},
  };
}

/// These are wrong behind a head that is right: the connection goes on with the next request.
inline std::vector<hostile_row> hostile_bodies() {
  const auto send = [](const std::string& body, const char* fields = "") {
    return post_request("/v1/orders", body, fields);
  };
  const auto lines = [&](const std::string& text) { return send(order_with(text)); };
  const std::string one = R"([{"sku":"latte","quantity":1}])";
  return {
    {"no body", send(""), 400},
    {"not JSON", send("<order/>"), 400},
    {"an order that is cut off", send(order_with(one).substr(0, 60)), 400},
    {"something behind the document", send(order_with(one) + "{}"), 400},
    {"a byte order mark", send("\xef\xbb\xbf" + order_with(one)), 400},
    {"UTF-16", send(std::string("{\0}\0", 4)), 400},
    {"a NUL behind the document", send(order_with(one) + std::string(1, '\0')), 400},
    {"overlong UTF-8", lines("[{\"sku\":\"\xc0\xaf\",\"quantity\":1}]"), 400},
    {"UTF-8 that is cut off", lines("[{\"sku\":\"\xe2\x82\",\"quantity\":1}]"), 400},
    {"a surrogate in UTF-8", lines("[{\"sku\":\"\xed\xa0\x80\",\"quantity\":1}]"), 400},
    {"a lone surrogate", lines(R"([{"sku":"\ud800","quantity":1}])"), 400},
    {"surrogates the wrong way round", lines(R"([{"sku":"\udc00\ud800","quantity":1}])"), 400},
    {"a raw line end in a text", lines("[{\"sku\":\"a\nb\",\"quantity\":1}]"), 400},
    {"a comment", send("/* */" + order_with(one)), 400},
    {"a comma too many", lines(R"([{"sku":"latte","quantity":1},])"), 400},
    {"NaN", lines(R"([{"sku":"latte","quantity":NaN}])"), 400},
    {"a number with a plus", lines(R"([{"sku":"latte","quantity":+1}])"), 400},
    {"a number with a leading zero", lines(R"([{"sku":"latte","quantity":01}])"), 400},
    {"an escaped NUL", lines(R"([{"sku":"a\u0000b","quantity":1}])"), 422},
    {"a number over 64 bits", lines(R"([{"sku":"latte","quantity":18446744073709551617}])"), 422},
    {"1e3 for an integer", lines(R"([{"sku":"latte","quantity":1e3}])"), 422},
    {"a fraction", lines(R"([{"sku":"latte","quantity":1.5}])"), 422},
    {"less than nothing", lines(R"([{"sku":"latte","quantity":-9223372036854775808}])"), 422},
    {"a text for a number", lines(R"([{"sku":"latte","quantity":"1"}])"), 422},
    {"an array for the order", send("[]"), 422},
    {"a field that nobody knows", send(order_with(one, R"(,"__proto__":{})")), 422},
    {"101 lines", lines([] {
       std::string all = "[";
       for (int i = 0; i < 101; ++i)
         all += std::string{i ? "," : ""} + R"({"sku":"latte","quantity":1})";
       return all + "]";
     }()),
      422},
    {"a body of exactly the limit", send(std::string(65'536, ' ')), 400},
    {"an Idempotency-Key over the limit",
      send(order_with(one), ("Idempotency-Key: " + std::string(300, 'k') + "\r\n").c_str()), 400},
    {"another media type",
      "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: "
      "2\r\n\r\n{}",
      415},
    {"a target with dots", get_request("/v1/../admin/v1/config"), 404},
    {"a target with encoded dots", get_request("/v1/%2e%2e/admin/v1/config"), 404},
    {"an encoded slash", get_request("/v1%2Fproducts"), 404},
    {"an encoded percent sign, once decoded", get_request("/v1/products/%252e%252e"), 404},
    {"two slashes", get_request("//v1/products"), 404},
    {"an upgrade to h2c",
      get_request("/v1/products/americano",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
      200},
    {"an upgrade to a WebSocket",
      get_request("/v1/products/americano",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
      200},
  };
}
} // namespace jumun::tests
