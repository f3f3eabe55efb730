#include "tests/catch.hpp"
#include "tests/integration/fake_shop.hpp"
#include "tests/integration/hostile_rows.hpp"
#include "tests/support/slowness.hpp"

using namespace jumun;
using namespace jumun::tests;
using std::chrono::milliseconds;

namespace {
bool alive(const running_server& s) {
  raw_client c{s.ops()};
  return c.ask(get_request("/livez")).status == 200;
}
} // namespace

TEST_CASE("a hostile request gets its status and the end of its connection, and hurts no one",
  "[http][hostile]") {
  running_server s;
  auto table = hostile_heads();
  CHECK(table.size() + hostile_bodies().size() >= 100);
  const auto heads = table.size();
  for (auto& row : boundless_bodies()) table.push_back(std::move(row));
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
  CHECK(s.server.counts().heads_refused == heads);
  CHECK(s.server.counts().exceptions == 0);
}

TEST_CASE("a hostile body gets its status, and the request behind it is answered as ever",
  "[http][hostile]") {
  running_server s;
  for (const auto& [name, bytes, status] : hostile_bodies()) {
    CAPTURE(name);
    raw_client c{s.port()};
    c.send(bytes + get_request("/v1/products/americano"));
    const auto r = c.read();
    CAPTURE(r.body);
    CHECK(r.status == status);
    CHECK(c.read().status == 200);
    CHECK(alive(s));
  }
  CHECK(s.shop.placed.empty());
  CHECK(s.server.counts().exceptions == 0);
}

TEST_CASE("behind a good request a hostile one is refused, and nothing behind that is read",
  "[http][hostile]") {
  running_server s;
  for (const auto& [name, bytes, status] : hostile_heads()) {
    if (bytes.starts_with("\r\n")) continue; // an empty line is forgiven between requests
    CAPTURE(name);
    raw_client c{s.port()};
    c.send(get_request("/v1/products/americano") + bytes);
    CHECK(c.read().status == 200);
    CHECK(c.read().status == status);
    CHECK(c.rest().empty());
  }
  CHECK(s.shop.placed.empty());
}

TEST_CASE(
  "a TLS handshake on a plain port is closed or refused, not waited for", "[http][hostile]") {
  running_server s;
  raw_client c{s.port()};
  // ClientHello's record header and beginning; by chance it holds a line feed.
  c.send(std::string("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\n", 12) + std::string(193, 'r'));
  const auto got = c.rest();
  CHECK((got.empty() || got.starts_with("HTTP/1.1 400")));
  CHECK(alive(s));
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
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{4} * slowness);
}

TEST_CASE("an idle connection is closed without a word", "[http][hostile]") {
  http::server_options o;
  o.idle_max = milliseconds{50 * slowness};
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
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10} * slowness;
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
