#include "app/file_watch.hpp"
#include "tests/catch.hpp"
#include "tests/integration/tunnel_rig.hpp"
#include "tests/support/basp_message.hpp"
#include "tests/support/temp_dir.hpp"
#include <fstream>

// Two tunnels and what is between them, by real sockets; and everybody else who finds the port.
namespace {
using namespace jumun;
using namespace jumun::tests;
using cluster::frame_kind;
using cluster::tunnel_refusal;

/// Nodes a and b, each with an echo behind it.
struct two_nodes {
  authority by;
  echo_server echo_a, echo_b;
  tunnel_node a, b;
  explicit two_nodes(cluster::tunnel_limits within = patient()) : a{"a", within}, b{"b", within} {
    a.start(by, echo_a.port());
    b.start(by, echo_b.port());
    a.meet(b);
  }
  /// Nothing is left of anybody but of `links` links.
  bool is_quiet(std::uint64_t links = 0) {
    return eventually([&] {
      const auto figures = b->figures();
      return figures.greeting == 0 && figures.open == links;
    });
  }
};
std::string message(std::size_t size, char fill = 'm') {
  return basp_message(2, std::string(size, fill));
}
} // namespace

TEST_CASE(
  "what CAF says at a way comes out at the peer's CAF, and its answer comes back", "[tunnel]") {
  two_nodes n;
  const auto way = n.a->way_to("b");
  REQUIRE(way != 0);
  CHECK(n.a->way_to("b") == way);
  way_client there{way}, back{n.b->way_to("a")};
  for (const std::size_t size : {0, 1, 31, 32, 33, 65'535, 65'536, 1 << 20, 3'000'000}) {
    CAPTURE(size);
    CHECK(there.echoes(message(size)));
    CHECK(back.echoes(message(size, 'n')));
  }
  way_client second{way}; // as many as CAF likes
  CHECK(second.echoes(message(10)));
  CHECK(n.a.peer("b").links == 3);
  CHECK(n.a->figures().open == 3);
  CHECK(n.a.peer("b").dialled == 2);
  CHECK(n.b.peer("a").accepted == 2);
  CHECK(n.a.peer("b").bytes_out == n.b.peer("a").bytes_in);
  there.close();
  back.close();
  CHECK(eventually([&] { return n.a.peer("b").links == 1 && n.b.peer("a").links == 1; }));
  CHECK(n.a.peer("b").lost + n.b.peer("a").lost == 0);
  CHECK(eventually([&] { return n.a.peer("b").waiting + n.b.peer("a").waiting == 0; }));
}

TEST_CASE("an end of one CAF is the other's, behind all that was said before", "[tunnel]") {
  two_nodes n;
  way_client client{n.a->way_to("b")};
  const auto bytes = message(2'000'000);
  client.send(bytes);
  error_code ec;
  client.raw().shutdown(tcp::socket::shutdown_send, ec); // CAF is gone: its link goes, too
  CHECK(client.receive(bytes.size() + 1).size() <= bytes.size());
  CHECK(n.is_quiet());
  n.b->stop();
  way_client late{n.a->way_to("b")};
  late.send(message(1));
  CHECK(late.has_ended());
}

TEST_CASE("a way to nobody ends at once, and says why", "[tunnel]") {
  two_nodes n;
  const auto tries = [&](const std::string& node) {
    way_client client{n.a->way_to(node)};
    client.send(message(1));
    REQUIRE(client.has_ended());
    return n.a.peer(node).last_error;
  };
  CHECK(tries("c") == "nobody knows where it is");
  tcp::acceptor closed{*std::make_unique<asio::io_context>()};
  n.a.know("c", 1);
  CHECK(tries("c").find("cannot connect") == 0);
  n.a.know("c", n.b->port()); // b lives there
  CHECK(tries("c") == "another node is there: b");
  n.a.know("c", n.echo_a.port()); // no tunnel
  CHECK(tries("c").find("bad_tls") == 0);
  CHECK(n.a.peer("c").failed == 4);
  CHECK(n.a.said("tunnel.unreachable peer=c").size() == 4);
  CHECK(tries("c").find("bad_tls") == 0);
  CHECK(n.a.said("tunnel.unreachable peer=c").size() == 4); // no news
}

TEST_CASE("a port scan leaves nothing behind", "[tunnel]") {
  two_nodes n;
  way_client client{n.a->way_to("b")};
  REQUIRE(client.echoes(message(100)));
  REQUIRE(n.is_quiet(1));
  asio::io_context io;
  const auto scan = [&](std::uint16_t port, int times) {
    for (int i = 0; i < times; ++i) tcp::socket{io}.connect(loopback(port));
  };
  scan(n.b->port(), 1);
  CHECK(eventually([&] { return n.b.refused(tunnel_refusal::said_nothing) == 1; }));
  REQUIRE(n.is_quiet(1)); // it is counted first, and closed then
  const auto files = open_files();
  scan(n.b->port(), 1'000);
  CHECK(eventually([&] { // where they come faster than we look at them, older ones are cut
    return n.b.refused(tunnel_refusal::said_nothing) + n.b.refused(tunnel_refusal::crowded)
           == 1'001;
  }));
  CHECK(n.is_quiet(1));
  CHECK(open_files() == files);
  CHECK(client.echoes(message(100)));
  // And of the ways: the peer is not even called.
  scan(n.a->way_to("b"), 100);
  CHECK(eventually([&] { return n.a->figures().open == 1; }));
  CHECK(client.echoes(message(100)));
  CHECK(eventually([&] { return n.a->figures().open == 1; }));
  CHECK(n.b->figures().sockets == 1'002);
}

TEST_CASE("whoever is no node of this cluster is refused, counted, and gone", "[tunnel]") {
  auto within = patient();
  within.log_period = 50ms;
  two_nodes n{within};
  way_client client{n.a->way_to("b")};
  REQUIRE(client.echoes(message(100)));
  REQUIRE(n.is_quiet(1));
  const auto files = open_files();
  const auto port = n.b->port();
  const auto blurts = [&](const std::string& bytes) {
    asio::io_context io;
    tcp::socket socket{io};
    socket.connect(loopback(port));
    error_code ec;
    asio::write(socket, asio::buffer(bytes), ec);
    char answer[1'000];
    while (!ec) socket.read_some(asio::buffer(answer), ec);
  };
  const auto shows = [&](const transport::identity_pem* own, int version = 0) {
    stranger s{port, own, version};
    if (!s.failed()) s.greet("a", "b");
    return s.end();
  };
  const auto now = std::time(nullptr);
  const auto expired = n.by.sign("shop", "a", {now - 3600, now - 60});
  const auto early = n.by.sign("shop", "a", {now + 1800, n.by.when.until});
  const authority other;
  const auto foreign = other.sign("shop", "a");
  const auto bank = n.by.sign("bank", "a");
  const auto c = n.by.sign("shop", "c"), right = n.by.sign("shop", "a");
  const auto nameless =
    std::get<0>(transport::make_member(n.by.pem, {{"shop", "a"}, {}, {"a"}, n.by.when}));
  const auto table = std::vector<std::pair<tunnel_refusal, std::function<void()>>>{
    {tunnel_refusal::not_tls, [&] { blurts(std::string(200, '\xAA')); }},
    {tunnel_refusal::not_tls, [&] { blurts("GET / HTTP/1.1\r\nHost: x\r\n\r\n"); }},
    {tunnel_refusal::not_tls, [&] { blurts(message(10)); }},
    {tunnel_refusal::bad_tls, [&] { blurts("\x16\x03\x01\x02" + std::string(1'000, 'x')); }},
    {tunnel_refusal::bad_tls, [&] { shows(&right, TLS1_2_VERSION); }},
    {tunnel_refusal::no_certificate, [&] { shows(nullptr); }},
    {tunnel_refusal::expired, [&] { shows(&expired); }},
    {tunnel_refusal::expired, [&] { shows(&early); }},
    {tunnel_refusal::unknown_ca, [&] { shows(&foreign); }},
    {tunnel_refusal::unknown_ca, [&] { shows(&other.pem); }},
    {tunnel_refusal::no_name, [&] { shows(&nameless); }},
    {tunnel_refusal::other_cluster,
      [&] { CHECK(shows(&bank) == tunnel_refusal::other_cluster); }}, // it is told
    {tunnel_refusal::wrong_node, [&] { shows(&c); }},                 // it says that it is a
    {tunnel_refusal::not_a_member,
      [&] {
        stranger s{port, &c};
        s.greet("c", "b");
        CHECK(s.end() == tunnel_refusal::not_a_member); // it is told
      }},
    {tunnel_refusal::wrong_node,
      [&] {
        stranger s{port, &right};
        s.greet("a", "z");
        CHECK(s.end() == tunnel_refusal::wrong_node);
      }},
    {tunnel_refusal::malformed,
      [&] {
        stranger s{port, &right};
        s.say(frame_kind::data, "before any greeting");
        CHECK(s.end() == tunnel_refusal::malformed);
      }},
  };
  std::map<tunnel_refusal, std::uint64_t> due;
  for (const auto& [why, act] : table)
    for (int i = 0; i < 20; ++i) {
      act();
      ++due[why];
      std::string counts;
      const auto figures = n.b->figures();
      for (std::size_t k = 0; k < cluster::refusal_count; ++k)
        counts +=
          std::string{cluster::refusal_names[k]} + "=" + std::to_string(figures.refused[k]) + ' ';
      CAPTURE(cluster::name_of(why), i, counts);
      REQUIRE(eventually([&, w = why] { return n.b.refused(w) == due[w]; }));
    }
  CHECK(n.is_quiet(1));
  CHECK(open_files() == files);
  CHECK(client.echoes(message(100)));
  // One line for many.
  CHECK(eventually([&] { return !n.b.said("tunnel.refused").empty(); }));
  n.b.stop();
  std::uint64_t told = 0;
  for (const auto& line : n.b.said("tunnel.refused")) {
    CHECK(line.find("last_from=127.0.0.1") != std::string::npos);
    const auto at = line.find("unknown_ca=");
    if (at != std::string::npos) told += std::stoul(line.substr(at + 11));
  }
  CHECK(told == 40);
}

TEST_CASE("who is slow to begin is cut, and keeps nobody else out", "[tunnel]") {
  auto within = patient();
  within.greeting_per_address = 8;
  within.first_byte_max = within.greeting_max = 2s * slowness;
  two_nodes n{within};
  asio::io_context io;
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 200; ++i) {
    idle.emplace_back(io).connect(loopback(n.b->port()));
    if (i % 2) asio::write(idle.back(), asio::buffer("\x16\x03\x01", 3)); // by half
  }
  CHECK(eventually([&] { return n.b.refused(tunnel_refusal::crowded) == 192; }));
  CHECK(n.b->figures().greeting <= 8);
  way_client client{n.a->way_to("b")};
  CHECK(client.echoes(message(100))); // from the same address, too
  CHECK(eventually([&] { return n.b.refused(tunnel_refusal::timeout) >= 7; }));
  CHECK(n.is_quiet(1));
  for (auto& one : idle) { // all of them were told
    error_code ec;
    char c;
    one.read_some(asio::buffer(&c, 1), ec);
    CHECK(ec);
  }
  CHECK(client.echoes(message(100)));
}

TEST_CASE("a message above 8 MiB cuts its sender, and nobody else", "[tunnel]") {
  two_nodes n;
  echo_server echo_c;
  tunnel_node c{"c"};
  c.start(n.by, echo_c.port());
  c.meet(n.b);
  way_client bad{n.a->way_to("b")}, good{c->way_to("b")};
  CHECK(bad.echoes(message(8'000'000)));
  CHECK(good.echoes(message(100)));
  bad.send(basp_header(2, (8 << 20) + 1));
  CHECK(bad.has_ended());
  CHECK(n.b.refused(tunnel_refusal::too_large) == 1);
  CHECK(n.a.peer("b").last_error == "ended by the peer: too_large");
  CHECK(good.echoes(message(100)));
  CHECK(n.b.peer("c").links == 1);
  way_client again{n.a->way_to("b")};
  CHECK(again.echoes(message(100)));
}

TEST_CASE("a peer that falls silent is given up, one that only listens is not", "[tunnel]") {
  auto within = patient();
  within.heartbeat = 50ms * slowness;
  within.silence_max = 500ms * slowness;
  two_nodes n{within};
  const auto own = n.by.sign("shop", "a");
  stranger silent{n.b->port(), &own};
  silent.greet("a", "b");
  const auto from = std::chrono::steady_clock::now();
  CHECK(silent.end() == tunnel_refusal::silent);
  CHECK(std::chrono::steady_clock::now() - from >= 400ms);
  CHECK(n.b.refused(tunnel_refusal::silent) == 1);
  CHECK(n.b.peer("a").lost == 1);
  way_client quiet{n.a->way_to("b")}; // two tunnels hear each other while CAF says nothing
  REQUIRE(quiet.echoes(message(1)));
  CHECK(eventually([&] { return std::chrono::steady_clock::now() - from > 1'500ms * slowness; }));
  CHECK(quiet.echoes(message(1)));
  CHECK(n.b.refused(tunnel_refusal::silent) == 1);
  CHECK(n.a.peer("b").rtt_us > 0);
}

TEST_CASE("a CAF that does not read holds up its sender, in bounded room, and stays connected",
  "[tunnel]") {
  auto within = patient();
  within.heartbeat = 50ms * slowness;
  within.silence_max = 500ms * slowness;
  authority by;
  echo_server stuck{/*reads=*/false}, unused;
  tunnel_node a{"a", within}, b{"b", within};
  a.start(by, unused.port());
  b.start(by, stuck.port());
  a.meet(b);
  way_client client{a->way_to("b")};
  std::string flood;
  for (int i = 0; i < 8; ++i) flood += message(4'000'000, static_cast<char>('a' + i));
  auto writing = std::async(std::launch::async, [&] { client.send(flood); });
  // All but what CAF's kernel had taken, and the sender was not told of yet.
  CHECK(eventually([&] { return b.peer("a").waiting > limits::tunnel_window_bytes * 3 / 4; }));
  const auto from = std::chrono::steady_clock::now();
  CHECK(eventually([&] { return std::chrono::steady_clock::now() - from > 1'500ms * slowness; }));
  CHECK(b.peer("a").links == 1); // far beyond the silence that is allowed
  CHECK(writing.wait_for(0s) == std::future_status::timeout);
  stuck.begin_to_read();
  CHECK((client.receive(flood.size()) == flood)); // 32 MB are not to be printed
  writing.get();
  for (const auto& [node, peer] : {std::pair{&a, "b"}, std::pair{&b, "a"}})
    CHECK(node->peer(peer).waiting_max
          <= limits::tunnel_window_bytes + 4 * limits::tunnel_frame_bytes_max);
}

TEST_CASE("certificates change on disk: new links use the new one, open ones stay", "[tunnel]") {
  two_nodes n;
  temp_dir dir;
  const auto write = [&](const char* name, const std::string& bytes) {
    const auto path = (dir.path() / name).string();
    std::ofstream{path + ".new"} << bytes;
    std::filesystem::rename(path + ".new", path);
    return path;
  };
  const authority next;
  const auto first = n.by.sign("shop", "b"), second = n.by.sign("shop", "b");
  const auto as_a = n.by.sign("shop", "a"), by_next = next.sign("shop", "a");
  std::atomic<int> taken{0}, refused{0};
  app::file_watch files{5ms};
  REQUIRE_FALSE(files.add({write("b.pem", first.certificate), write("b.key", first.key),
                            write("ca.pem", n.by.pem.certificate)},
    [&](const std::vector<std::string>& bytes) {
      auto why = n.b->take(bytes[0], bytes[1], bytes[2]);
      ++(why ? refused : taken);
      return why;
    }));
  files.start();
  way_client open{n.a->way_to("b")};
  REQUIRE(open.echoes(message(100)));
  const auto shown = [&] { return stranger{n.b->port(), &as_a}.shown(); };
  const auto before = shown();
  CHECK(shown() == before);
  write("b.key", second.key);
  write("b.pem", second.certificate);
  CHECK(eventually([&] { return taken == 2; }));
  CHECK(shown() != before);
  CHECK(open.echoes(message(100)));
  // Another authority comes beside the first, and then in its place.
  const auto greets = [&](const transport::identity_pem& own) {
    stranger s{n.b->port(), &own};
    s.greet("a", "b");
    const auto answer = s.hear();
    return answer && answer->first == frame_kind::welcome;
  };
  CHECK(greets(as_a));
  CHECK_FALSE(greets(by_next));
  write("ca.pem", n.by.pem.certificate + next.pem.certificate);
  CHECK(eventually([&] { return taken == 3; }));
  CHECK(greets(as_a));
  CHECK(greets(by_next));
  const auto third = next.sign("shop", "b");
  const auto failed = refused.load();
  write("ca.pem", next.pem.certificate); // the other files are not there yet: refused till then
  CHECK(eventually([&] { return refused > failed; }));
  write("b.key", third.key);
  write("b.pem", third.certificate);
  CHECK(eventually([&] { return taken == 4; }));
  CHECK_FALSE(greets(as_a));
  CHECK(greets(by_next));
  CHECK(open.echoes(message(100)));
}

TEST_CASE("a certificate that peers would not take is refused by its own node", "[tunnel]") {
  const authority by, other;
  tunnel_node a{"a"};
  const auto why = [&](const transport::identity_pem& own, const authority& ca) {
    return a->take(own.certificate, own.key, ca.pem.certificate).value_or("");
  };
  const auto now = std::time(nullptr);
  CHECK(why(by.sign("shop", "a"), by).empty());
  CHECK(why(by.sign("shop", "b"), by).find("URI:jumun://shop/a") != std::string::npos);
  CHECK(why(by.sign("bank", "a"), by).find("URI:jumun://shop/a") != std::string::npos);
  CHECK(why(by.sign("shop", "a"), other).find("authorities") != std::string::npos);
  CHECK(why(by.sign("shop", "a", {now - 60, now - 1}), by).find("expired") != std::string::npos);
  CHECK_FALSE(why({by.sign("shop", "a").certificate, by.sign("shop", "a").key}, by).empty());
  CHECK(a->take("x", "y", "z"));
  const auto own = by.sign("shop", "a");
  CHECK(a->take(own.certificate, own.key, ""));
  CHECK(a->figures().certificate_until == by.when.until); // the first is still there
}

TEST_CASE("without certificates nodes meet on loopback, and nowhere else", "[tunnel]") {
  echo_server echo;
  tunnel_node a{"a", patient(), /*plain=*/true}, b{"b", patient(), /*plain=*/true};
  a.start(echo.port());
  b.start(echo.port());
  a.meet(b);
  way_client client{a->way_to("b")};
  CHECK(client.echoes(message(100'000)));
  asio::io_context io;
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "localhost"}) {
    cluster::tunnel open{io, {"shop", "a", address, 0, /*plain=*/true, {}}, {}};
    CHECK(open.start(1).value_or("").find("loopback") != std::string::npos);
  }
  cluster::tunnel bare{io, {"shop", "a", "127.0.0.1", 0, /*plain=*/false, {}}, {}};
  CHECK(bare.start(1) == "there is no certificate");
  // And a node with certificates does not take a plain one, nor the other way round.
  authority by;
  tunnel_node c{"c"};
  c.start(by, echo.port());
  a.meet(c);
  way_client plain{a->way_to("c")}, tls{c->way_to("a")};
  plain.send(message(1));
  CHECK(plain.has_ended());
  tls.send(message(1));
  CHECK(tls.has_ended());
  CHECK(c.refused(tunnel_refusal::not_tls) == 1);
  CHECK(a.refused(tunnel_refusal::malformed) == 1);
}

TEST_CASE("who is forgotten is cut off, and can come back", "[tunnel]") {
  two_nodes n;
  const auto way = n.a->way_to("b");
  way_client out{way}, more{way}, in{n.b->way_to("a")};
  REQUIRE(out.echoes(message(1)));
  REQUIRE(more.echoes(message(1)));
  REQUIRE(in.echoes(message(1)));
  n.a->forget("b");
  CHECK(out.has_ended());
  CHECK(more.has_ended());
  CHECK(in.has_ended());
  CHECK(n.a->figures().peers.empty());
  way_client again{n.a->way_to("b")};
  CHECK(again.echoes(message(1)));
}

TEST_CASE("a stop tells the peers, and ends by itself", "[tunnel]") {
  two_nodes n;
  way_client client{n.a->way_to("b")};
  REQUIRE(client.echoes(message(1)));
  asio::io_context io;
  tcp::socket idle{io};
  idle.connect(loopback(n.b->port()));
  CHECK(eventually([&] { return n.b->figures().greeting == 1; }));
  n.b.stop(); // returns when its io_context has run out of work
  CHECK(client.has_ended());
  CHECK(n.a.peer("b").last_error == "ended by the peer: stopping");
  CHECK(n.b->figures().open == 0);
}
