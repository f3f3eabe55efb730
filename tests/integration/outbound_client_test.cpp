#include "app/outbound/http_client.hpp"
#include "tests/catch.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls_identity.hpp"
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <future>

using namespace jumun;
using namespace jumun::tests;
using namespace std::chrono_literals;
using app::outbound_client;
using app::outbound_request;
using app::outbound_response;

namespace {
outbound_request get(std::string url) { return {"GET", std::move(url), {}, "", patience, 1 << 16}; }

std::future<outbound_response> sent(outbound_client& by, outbound_request what) {
  auto promised = std::make_shared<std::promise<outbound_response>>();
  by.send(std::move(what), [promised](outbound_response r) { promised->set_value(std::move(r)); });
  return promised->get_future();
}
outbound_response heard(std::future<outbound_response> from) {
  REQUIRE(from.wait_for(patience) == std::future_status::ready);
  return from.get();
}
outbound_response ask(outbound_client& by, outbound_request what) {
  return heard(sent(by, std::move(what)));
}

/// Answers every request with 200 and what it had read.
void echo(raw_peer& peer) {
  for (std::string r; !(r = peer.read_request()).empty();)
    peer.answer(200, r, "X-Kind: Echo \r\nSet-Cookie: a=b\r\n");
}
} // namespace

TEST_CASE("a request arrives as it was given, and its answer whole", "[outbound]") {
  raw_server there{echo};
  outbound_client client{{"", "jumun/test"}};
  const auto r = ask(client, {"POST", there.url("/v1/x?y=1"), {{"X-Key", "k1"}, {"X-Empty", ""}},
                               "a=1&b=2", patience, 1 << 16});
  CHECK(r.error.empty());
  CHECK(r.status == 200);
  CHECK(r.field("x-kind") == "Echo");
  CHECK(r.body.starts_with("POST /v1/x?y=1 HTTP/1.1\r\n"));
  CHECK(r.body.ends_with("\r\n\r\na=1&b=2"));
  for (const auto* line : {"X-Key: k1\r\n", "X-Empty:", "Content-Length: 7\r\n",
         "User-Agent: jumun/test\r\n", "Host: 127.0.0.1:"})
    CHECK(r.body.find(line) != std::string::npos);
  for (const auto* line : {"Expect:", "Content-Type:", "Accept-Encoding:", "Cookie:"})
    CHECK(r.body.find(line) == std::string::npos);
}

TEST_CASE("one connection carries many requests, and no cookie", "[outbound]") {
  raw_server there{echo};
  outbound_client client{{}};
  for (int i = 0; i < 5; ++i) {
    const auto r = ask(client, get(there.url("/" + std::to_string(i))));
    CHECK(r.body.starts_with("GET /" + std::to_string(i) + " "));
    CHECK(r.body.find("Cookie") == std::string::npos);
  }
  CHECK(there.connections() == 1);
}

TEST_CASE("a redirect is an answer, and not followed", "[outbound]") {
  raw_server there{[](raw_peer& peer) {
    while (!peer.read_request().empty()) peer.answer(307, "", "Location: /elsewhere\r\n");
  }};
  outbound_client client{{}};
  CHECK(ask(client, get(there.url())).status == 307);
  CHECK(ask(client, get(there.url())).field("location") == "/elsewhere");
}

TEST_CASE("a proxy of the environment is not asked", "[outbound]") {
  raw_server there{echo};
  raw_server proxy{[](raw_peer& peer) {
    peer.read_request();
    peer.answer(418);
  }};
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  outbound_client client{{}};
  const auto r = ask(client, get(there.url()));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  CHECK(r.status == 200);
  CHECK(proxy.connections() == 0);
}

TEST_CASE("what was refused has surely not been sent; what broke off may have been", "[outbound]") {
  raw_server there{[](raw_peer& peer) {
    peer.read_request();
    peer.reset();
  }};
  outbound_client client{{}};
  const auto broken = ask(client, {"POST", there.url(), {}, "x", patience, 100});
  CHECK(broken.status == 0);
  CHECK_FALSE(broken.error.empty());
  CHECK_FALSE(broken.surely_not_sent);
  there.stop_listening();
  const auto refused = ask(client, {"POST", there.url(), {}, "x", patience, 100});
  CHECK(refused.status == 0);
  CHECK(refused.surely_not_sent);
}

TEST_CASE("what a kept connection took is never said to be surely not sent", "[outbound]") {
  std::promise<void> read_twice, deaf;
  raw_server there{[&, gone = deaf.get_future().share()](raw_peer& peer) {
    peer.read_request();
    peer.answer(200);
    peer.read_request(); // the second one arrives, and is not answered
    read_twice.set_value();
    gone.wait();
  }};
  outbound_client client{{}};
  REQUIRE(ask(client, get(there.url())).status == 200);
  auto second = sent(client, {"POST", there.url(), {}, "x", patience, 100});
  read_twice.get_future().wait();
  there.stop_listening(); // libcurl asks again on a new connection, and is refused
  deaf.set_value();
  const auto r = heard(std::move(second));
  CHECK(r.status == 0);
  CHECK_FALSE(r.surely_not_sent);
}

TEST_CASE("a silent server costs no more than the deadline", "[outbound]") {
  raw_server there{[](raw_peer& peer) { peer.wait_closed(); }};
  outbound_client client{{}};
  auto what = get(there.url());
  what.deadline = 50ms;
  const auto r = ask(client, what);
  CHECK(r.status == 0);
  CHECK(r.error == "no answer within the deadline");
}

TEST_CASE("an answer above its caps is none", "[outbound]") {
  raw_server there{[](raw_peer& peer) {
    for (std::string r; !(r = peer.read_request()).empty();) {
      if (r.starts_with("GET /head")) {
        peer.write("HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 100; ++i) peer.write("X-Pad: " + std::string(1000, 'a') + "\r\n");
        peer.write("Content-Length: 0\r\n\r\n");
      } else if (r.starts_with("GET /chunks")) {
        peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 100; ++i) peer.write("64\r\n" + std::string(100, 'b') + "\r\n");
        peer.write("0\r\n\r\n");
      } else {
        peer.answer(200, std::string(r.starts_with("GET /fits") ? 1000 : 1001, 'c'));
      }
    }
  }};
  outbound_client client{{}};
  const auto fetch = [&](const char* path) {
    auto what = get(there.url(path));
    what.response_bytes_max = 1000;
    return ask(client, what);
  };
  CHECK(fetch("/fits").body.size() == 1000);
  CHECK(fetch("/long").error == "the answer's body is too long");
  CHECK(fetch("/chunks").error == "the answer's body is too long");
  CHECK(fetch("/head").error == "the answer's head is too long");
}

TEST_CASE("half an answer, or what is no HTTP, is none", "[outbound]") {
  raw_server there{[](raw_peer& peer) {
    const auto r = peer.read_request();
    if (r.starts_with("GET /half"))
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    if (r.starts_with("GET /none")) peer.write("220 smtp.example ESMTP\r\n");
  }};
  outbound_client client{{}};
  for (const auto* path : {"/half", "/none", "/nothing"}) {
    CAPTURE(path);
    const auto r = ask(client, get(there.url(path)));
    CHECK(r.status == 0);
    CHECK(r.body.empty());
    CHECK_FALSE(r.error.empty());
    CHECK_FALSE(r.surely_not_sent);
  }
}

TEST_CASE(
  "a private address is not connected to, by number, name or kept connection", "[outbound]") {
  raw_server there{echo};
  outbound_client client{{}};
  const auto guarded = [&](std::string url) {
    auto what = get(std::move(url));
    what.allow_private = false;
    return ask(client, what);
  };
  for (const auto* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1",
         "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"}) {
    CAPTURE(host);
    const auto r = guarded(there.url("/", host));
    CHECK(r.error == "the address is not allowed");
    CHECK(r.surely_not_sent);
  }
  CHECK(there.connections() == 0);
  CHECK(ask(client, get(there.url())).status == 200); // its connection stays open
  const auto r = guarded(there.url());
  CHECK(r.error == "the address is not allowed");
  CHECK(r.surely_not_sent);
  CHECK(there.connections() == 1);
}

TEST_CASE("what is no sound request is not sent", "[outbound]") {
  raw_server there{echo};
  outbound_client client{{}};
  const auto plain = there.url();
  const std::vector<std::string> bad{"", "no-scheme", "ftp://127.0.0.1/", "file:///etc/passwd",
    "http://user:secret@127.0.0.1:1/", plain + "\r\nX: y", "http://"};
  for (const auto& url : bad) {
    CAPTURE(url);
    const auto r = ask(client, get(url));
    CHECK(r.surely_not_sent);
    CHECK(r.error.find("secret") == std::string::npos);
  }
  const std::vector<std::pair<std::string, std::string>> breaks{
    {"X", "a\r\nY: b"}, {"X\nY", "b"}, {"", "v"}, {"X: a\r\nY", "b"}};
  for (const auto& [name, value] : breaks) {
    auto what = get(plain);
    what.headers = {{name, value}};
    CHECK(ask(client, what).error == "a header is malformed");
  }
  CHECK(ask(client, {"GET /x", plain, {}, "", patience, 10}).error == "the method is not one");
  CHECK(there.connections() == 0);
}

TEST_CASE("a host gets no more connections than its cap; the rest wait", "[outbound]") {
  raw_server there{echo};
  outbound_client client{{"", "jumun", 2}};
  std::vector<std::future<outbound_response>> all;
  for (int i = 0; i < 40; ++i) all.push_back(sent(client, get(there.url())));
  for (auto& one : all) CHECK(heard(std::move(one)).status == 200);
  CHECK(there.most_at_once() <= 2);
}

TEST_CASE("whoever waits when the client ends hears so, once", "[outbound]") {
  std::promise<void> arrived;
  raw_server there{[&](raw_peer& peer) {
    peer.read_request();
    arrived.set_value();
    peer.wait_closed();
  }};
  auto client = std::make_unique<outbound_client>(outbound_client::options{});
  auto waits = sent(*client, get(there.url()));
  arrived.get_future().wait();
  client.reset();
  const auto r = heard(std::move(waits));
  CHECK(r.status == 0);
  CHECK_FALSE(r.surely_not_sent);
}

TEST_CASE(
  "only a certificate of a known authority, for this very host, is spoken to", "[outbound]") {
  namespace asio = boost::asio;
  using asio::ip::tcp;
  const temp_dir dir;
  const auto mine = make_tls_identity("localhost"), other = make_tls_identity("localhost");
  const auto ca = mine.write(dir.path() / "ca.pem"), strange = other.write(dir.path() / "b.pem");
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tls.use_certificate(asio::buffer(mine.certificate), asio::ssl::context::pem);
  tls.use_private_key(asio::buffer(mine.key), asio::ssl::context::pem);
  raw_server there{[&](raw_peer& peer) {
    asio::io_context io;
    asio::ssl::stream<tcp::socket> stream{tcp::socket{io, tcp::v4(), ::dup(peer.fd())}, tls};
    boost::system::error_code failed;
    stream.handshake(asio::ssl::stream_base::server, failed);
    std::string request;
    if (!failed) asio::read_until(stream, asio::dynamic_buffer(request), "\r\n\r\n", failed);
    if (failed) return;
    asio::write(stream,
      asio::buffer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 57),
      failed);
  }};
  outbound_client trusts{{ca}}, doubts{{strange}}, by_the_system{{}};
  CHECK(ask(trusts, get(there.url("/", "localhost", "https://"))).status == 200);
  for (const auto& r : {ask(doubts, get(there.url("/", "localhost", "https://"))),
         ask(by_the_system, get(there.url("/", "localhost", "https://"))),
         ask(trusts, get(there.url("/", "127.0.0.1", "https://")))}) {
    CHECK(r.status == 0);
    CHECK(r.surely_not_sent);
    CHECK(r.error.find("ertificate") != std::string::npos);
  }
}
