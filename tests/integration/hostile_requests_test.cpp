#include "tests/catch.hpp"
#include "tests/integration/fake_shop.hpp"
#include "tests/integration/raw_client.hpp"
#include <tuple>

using namespace jumun;
using namespace jumun::tests;
using std::chrono::milliseconds;

namespace {
std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + fields
         + "\r\n" + body;
}
bool alive(const running_server& s) {
  raw_client c{s.ops()};
  return c.ask(get_request("/livez")).status == 200;
}
} // namespace

TEST_CASE("a hostile request gets its status and the end of its connection, and hurts no one",
  "[http][hostile]") {
  running_server s;
  const std::string smuggled = "GET /v1/products HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto table = std::vector<std::tuple<const char*, std::string, int>>{
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
  };
  for (const auto& [name, bytes, status] : table) {
    CAPTURE(name);
    raw_client c{s.port()};
    c.send(bytes); // may fail half-way: the answer is there nevertheless
    const auto r = c.read();
    CHECK(r.status == status);
    CHECK(r.field("connection") == "close");
    CHECK(r.field("content-type") == "application/problem+json");
    CHECK(r.body.find("\"trace_id\":\"") != std::string::npos);
    CHECK(c.rest().empty()); // nothing behind it was taken for a request
    CHECK(alive(s));
  }
  CHECK(s.shop.placed.empty());
  CHECK(s.server.counts().heads_refused == table.size());
  CHECK(s.server.counts().exceptions == 0);
}

TEST_CASE("a client that is refused while it still sends can read why", "[http][hostile]") {
  running_server s;
  raw_client c{s.port()};
  c.send(post("Content-Length: 100000\r\n", std::string(100'000, 'b')));
  CHECK(c.read().status == 413);
  CHECK(c.ends_orderly()); // closing over unread bytes would be a reset
}

TEST_CASE("a request may come byte by byte", "[http][hostile]") {
  running_server s;
  raw_client c{s.port()};
  for (const char byte : get_request("/v1/products/americano")) REQUIRE(c.send({&byte, 1}));
  CHECK(c.read().status == 200);
}

TEST_CASE("a slow head and a slow body are answered 408, and closed", "[http][hostile]") {
  http::server_options o;
  o.head_read_max = o.body_read_max = milliseconds{50};
  running_server s{o};
  for (const auto& part : {std::string{"GET / HT"}, post("Content-Length: 10\r\n", "12345"),
         post("Content-Length: 10\r\n")}) {
    CAPTURE(part);
    raw_client c{s.port()};
    c.send(part);
    const auto r = c.read();
    CHECK(r.status == 408);
    CHECK(r.body.find("\"code\":\"request-timeout\"") != std::string::npos);
    CHECK(r.field("connection") == "close");
    CHECK(c.rest().empty());
  }
}

TEST_CASE(
  "a client that keeps sending cannot stretch the deadline of its head", "[http][hostile]") {
  http::server_options o;
  o.head_read_max = o.linger_max = milliseconds{100};
  running_server s{o};
  raw_client c{s.port()};
  const auto begin = std::chrono::steady_clock::now();
  std::thread sender{[&] {
    // As fast as the socket takes it; the header's limit is far away.
    for (int i = 0; i < 4'000 && c.send("\r"); ++i) std::this_thread::sleep_for(milliseconds{1});
  }};
  const auto status = c.read().status;
  c.rest();
  sender.join();
  CHECK(status == 408);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{4});
}

TEST_CASE("an idle connection is closed without a word", "[http][hostile]") {
  http::server_options o;
  o.idle_max = milliseconds{50};
  running_server s{o};
  raw_client fresh{s.port()};
  CHECK(fresh.rest().empty());
  raw_client used{s.port()};
  CHECK(used.ask(get_request("/v1/products/americano")).status == 200);
  CHECK(used.rest().empty());
}

TEST_CASE("a client that does not read its answer is cut off", "[http][hostile]") {
  http::server_options o;
  o.write_max = milliseconds{50};
  running_server s{o};
  s.shop.figures = '"' + std::string(32'000'000, 'x') + '"';
  raw_client c{s.ops(), 4'096};
  c.send(get_request("/admin/v1/storage"));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (s.server.counts().cut == 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  CHECK(s.server.counts().cut == 1);
  CHECK(c.rest().size() < s.shop.figures.size());
}

TEST_CASE("a client that leaves in the middle of anything costs nothing", "[http][hostile]") {
  running_server s;
  const auto whole = post_request("/v1/orders", R"({"a":1})");
  for (std::size_t n = 0; n < whole.size(); n += 5) {
    raw_client c{s.port()};
    c.send(std::string_view{whole}.substr(0, n));
    c.close();
  }
  CHECK(alive(s));
  CHECK(s.server.counts().exceptions == 0);
}

TEST_CASE("connections over the caps are closed at accept, and the probes get through all the same",
  "[http][hostile]") {
  http::server_options o;
  o.connections_per_peer = 2;
  running_server s{o};
  raw_client one{s.port()}, two{s.port()};
  CHECK(one.ask(get_request("/v1/products/americano")).status == 200);
  CHECK(two.ask(get_request("/v1/products/americano")).status == 200);
  raw_client three{s.port()};
  CHECK(three.rest().empty());
  CHECK(s.server.counts().turned_away == 1);
  CHECK(alive(s));
}

TEST_CASE("what a handler throws is a 500 for that request alone", "[http][hostile]") {
  running_server s;
  s.shop.throws = true;
  raw_client c{s.port()};
  const auto r = c.ask(get_request("/v1/products"));
  CHECK(r.status == 500);
  CHECK(r.body.find("disk says no") == std::string::npos);
  CHECK(c.ask(get_request("/v1/products/americano")).status == 200);
  CHECK(s.server.counts().exceptions == 1);
}

TEST_CASE(
  "a command whose answer gets lost inside is a 500, not a wait for ever", "[http][hostile]") {
  running_server s;
  s.shop.lose = true;
  raw_client c{s.port()};
  const auto r = c.ask(post_request("/v1/orders",
    R"({"customer_id":"c","lines":[{"sku":"latte","quantity":1}],"payment":{"method":"card","token":"t"},)"
    R"("shipping_address":{"line1":"a","city":"b","country":"KR"}})"));
  CHECK(r.status == 500);
}
