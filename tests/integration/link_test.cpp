#include "cluster/envelope_codec.hpp"
#include "cluster/link/link.hpp"
#include "cluster/link/wire.hpp"
#include "tests/catch.hpp"
#include "tests/support/link_node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tcp_relay.hpp"
#include <algorithm>
#include <arpa/inet.h>
#include <caf/io/all.hpp>
#include <latch>
#include <netinet/in.h>
#include <random>
#include <signal.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {
using namespace jumun;
using namespace jumun::cluster;
using namespace jumun::tests;
using namespace std::chrono_literals;
using cluster::link::terms;

terms impatient() { // but not under a sanitizer, nor on a busy machine
  terms t;
  t.heartbeat = 100ms;
  t.silent = 1'000ms * slowness;
  t.redial_min = 10ms;
  t.redial_max = 200ms;
  return t;
}

/// What this node's asks ended with, from whatever thread.
class ends {
public:
  peers::done next() {
    return [this](ask_result r) {
      std::lock_guard lock{guard_};
      all_.push_back(std::move(r));
      more_.notify_all();
    };
  }
  /// All of them, once there are so many.
  std::vector<ask_result> wait(std::size_t count) {
    std::unique_lock lock{guard_};
    if (!more_.wait_for(lock, patience, [&] { return all_.size() >= count; }))
      throw std::runtime_error{"only " + std::to_string(all_.size()) + " asks ended"};
    return all_;
  }

private:
  std::mutex guard_;
  std::condition_variable more_;
  std::vector<ask_result> all_;
};

asked ask(peers& by, const std::string& node, std::uint16_t kind, const std::string& bytes = "") {
  ends e;
  by.ask(node, command(kind, bytes), e.next());
  return e.wait(1).at(0).how;
}
std::string answer(peers& by, const std::string& node, std::uint16_t kind, std::string bytes = "") {
  ends e;
  by.ask(node, command(kind, std::move(bytes)), e.next());
  const auto r = e.wait(1).at(0);
  REQUIRE(r.how == asked::answered);
  return r.reply.bytes;
}
peer_figures figures_of(const peers& by, const std::string& node) {
  for (auto& f : by.figures())
    if (f.node == node) return f;
  throw std::runtime_error{"no figures of " + node};
}

/// This test binary once more, as a node that can be killed and stopped: see "a node of its own".
class child_node {
public:
  child_node(std::string name, std::uint64_t incarnation)
      : process_{{{"[.link-node]"}, "/dev/null",
        {"LINK_NODE=" + name, "LINK_INCARNATION=" + std::to_string(incarnation)},
        "/proc/self/exe"}} {
    port_ = static_cast<std::uint16_t>(std::stoi(said("port ")));
  }
  /// The rest of the next line that begins so.
  std::string said(const std::string& begin) {
    while (auto line = process_.read_line())
      if (line->starts_with(begin)) return line->substr(begin.size());
    throw std::runtime_error{"the node ended"};
  }
  std::uint16_t port() const { return port_; }
  process& child() { return process_; }

private:
  process process_;
  std::uint16_t port_ = 0;
};

/// A plain TCP client on loopback: what doesn't speak CAF.
class stranger {
public:
  explicit stranger(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
      throw std::runtime_error{"connect"};
  }
  ~stranger() { ::close(fd_); }
  stranger(const stranger&) = delete;
  void send(const std::string& bytes) {
    (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  /// Until the other side closes; false: it didn't within our patience.
  bool cut() {
    const timeval t{std::chrono::duration_cast<std::chrono::seconds>(patience).count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    char buffer[4'096];
    for (;;) {
      const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n == 0 || (n < 0 && errno == ECONNRESET)) return true;
      if (n < 0) return false;
    }
  }

private:
  int fd_;
};
} // namespace

TEST_CASE("a node of its own", "[.link-node]") { // a child of the tests below
  const auto* name = std::getenv("LINK_NODE");
  REQUIRE(name);
  link_node here{name, std::stoull(std::getenv("LINK_INCARNATION")), impatient()};
  std::cout << "port " << here.port() << std::endl;
  for (;;) ::pause();
}

TEST_CASE("two nodes tell in order and answer each other, both ways at once", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  a.dial({"b"}), b.dial({"a"});
  a.wait_up("b"), b.wait_up("a");
  const auto talk = [](link_node& from, const std::string& to) {
    ends e;
    for (int i = 0; i < 2'000; ++i) {
      while (!from.peers().tell(to, command(kind_tell, std::to_string(i))))
        std::this_thread::yield();
      if (i % 10 == 0) from.peers().ask(to, command(kind_echo, std::to_string(i)), e.next());
    }
    for (const auto& r : e.wait(200)) CHECK(r.how != asked::unknown);
  };
  std::thread other{[&] { talk(b, "a"); }};
  talk(a, "b");
  other.join();
  for (auto* n : {&a, &b}) {
    CHECK(answer(n->peers(), n == &a ? "b" : "a", kind_echo, "all told") == "all told");
    const auto told = n->told_all(2'000);
    for (int i = 0; i < 2'000; ++i) REQUIRE(told[static_cast<std::size_t>(i)] == std::to_string(i));
  }
  const auto f = figures_of(a.peers(), "b");
  CHECK(f.state == link_state::up);
  CHECK(f.incarnation == 1);
  CHECK(f.release == "test");
  CHECK(f.in_flight == 0);
  CHECK(f.connects == 1);
  CHECK(f.sent > 2'000);
}

TEST_CASE("a node of another cluster, or under another name, is refused and says so", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  link_node foreign{"c", 1, impatient(), town, "another"};
  foreign.dial({"b"});
  foreign.wait_state("b", link_state::refused);
  CHECK(figures_of(foreign.peers(), "b").last_error == "another cluster");
  CHECK_FALSE(foreign.peers().tell("b", command(kind_tell)));
  CHECK(ask(foreign.peers(), "b", kind_echo) == asked::not_sent);
  CHECK(b.turned_away() > 0);

  town.move("d", b.port()); // a way that leads to somebody else
  a.dial({"b", "d"});
  a.wait_state("d", link_state::refused);
  CHECK(figures_of(a.peers(), "d").last_error == "this is \"b\"");
  a.wait_up("b");
  CHECK(answer(a.peers(), "b", kind_echo, "hello") == "hello");
  CHECK(ask(a.peers(), "nobody", kind_echo) == asked::not_sent);
}

TEST_CASE(
  "a peer killed amid asks: each ends unknown, once; and it is back under a new life", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town};
  auto b = std::make_unique<child_node>("b", 7);
  town.move("b", b->port());
  a.dial({"b"});
  a.wait_up("b");
  ends held;
  for (int i = 0; i < 10; ++i) a.peers().ask("b", command(kind_hold), held.next());
  for (int i = 0; i < 10; ++i) b->said("holding");
  CHECK(figures_of(a.peers(), "b").in_flight == 10);
  b->child().send(SIGKILL);
  for (const auto& r : held.wait(10)) CHECK(r.how == asked::unknown);
  a.wait_state("b", link_state::away);
  CHECK(ask(a.peers(), "b", kind_echo) == asked::not_sent);

  b = std::make_unique<child_node>("b", 8); // at another port, as another process
  town.move("b", b->port());
  a.wait_up("b");
  CHECK(answer(a.peers(), "b", kind_echo, "again") == "again");
  const auto f = figures_of(a.peers(), "b");
  CHECK(f.incarnation == 8);
  CHECK(f.connects == 2);
  CHECK(f.unknown == 10);
  CHECK(held.wait(10).size() == 10);
}

TEST_CASE("a stopped peer takes no more than its credit, is gone, and comes back", "[link]") {
  link_town town;
  auto how = impatient();
  how.envelopes = 100;
  link_node a{"a", 1, how, town};
  child_node b{"b", 7};
  town.move("b", b.port());
  a.dial({"b"});
  a.wait_up("b");
  b.child().send(SIGSTOP);
  std::size_t taken = 0;
  while (a.peers().tell("b", command(kind_tell, std::string(1'000, 'x')))) ++taken;
  CHECK(taken <= 100);
  CHECK(figures_of(a.peers(), "b").unhandled_bytes < 200'000);
  a.wait_state("b", link_state::away); // by its silence
  CHECK_FALSE(a.peers().tell("b", command(kind_tell)));
  b.child().send(SIGCONT);
  a.wait_up("b");
  CHECK(answer(a.peers(), "b", kind_echo, "awake") == "awake");
}

TEST_CASE("a flood at a slow peer stops at the credit, and goes on as it is handled", "[link]") {
  link_town town;
  auto how = impatient();
  how.envelopes = 50;
  how.silent = 60s;
  link_node a{"a", 1, how, town}, b{"b", 1, how, town};
  std::latch open{1};
  b.gate = [&] { open.wait(); }; // its door itself is blocked
  a.dial({"b"});
  a.wait_up("b");
  std::atomic<std::size_t> taken = 0, refused = 0;
  const auto flood = [&](std::size_t count) {
    std::vector<std::thread> by;
    for (int t = 0; t < 4; ++t)
      by.emplace_back([&, count] {
        for (std::size_t i = 0; i < count; ++i)
          ++(a.peers().tell("b", command(kind_tell)) ? taken : refused);
      });
    for (auto& t : by) t.join();
  };
  flood(5'000);
  CHECK(taken == 50);
  CHECK(refused == 4 * 5'000 - 50);
  CHECK(figures_of(a.peers(), "b").unhandled == 50);
  CHECK(figures_of(a.peers(), "b").refused_for_credit == refused);
  open.count_down();
  while (taken < 5'000)
    if (!a.peers().tell("b", command(kind_tell))) // whoever asks for it again gets it some time
      std::this_thread::yield();
    else
      ++taken;
  CHECK(b.told_all(5'000).size() == 5'000);
}

TEST_CASE("who keeps a receipt keeps the sender waiting", "[link]") {
  link_town town;
  auto how = impatient();
  how.envelopes = 4;
  link_node a{"a", 1, how, town}, b{"b", 1, how, town};
  b.keep_receipts = true;
  a.dial({"b"});
  a.wait_up("b");
  for (int i = 0; i < 4; ++i) REQUIRE(a.peers().tell("b", command(kind_tell, std::to_string(i))));
  CHECK(b.told_all(4).size() == 4);
  CHECK_FALSE(a.peers().tell("b", command(kind_tell)));
  b.drop_receipts();
  while (!a.peers().tell("b", command(kind_tell, "4"))) std::this_thread::yield();
  CHECK(b.told_all(5).back() == "4");
}

TEST_CASE(
  "a reply after the link was cut is dropped, and the next session is not confused", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  a.dial({"b"});
  a.wait_up("b");
  ends first, second;
  a.peers().ask("b", command(kind_hold, "1"), first.next());
  b.wait_held(1);
  a.dial({}); // the link is given up, and dialled anew
  CHECK(first.wait(1)[0].how == asked::unknown);
  a.dial({"b"});
  a.wait_up("b");
  a.peers().ask("b", command(kind_hold, "2"), second.next());
  b.wait_held(2);
  b.release_held();
  const auto r = second.wait(1).at(0);
  CHECK(r.how == asked::answered);
  CHECK(r.reply.bytes == "2");
  CHECK(first.wait(1).size() == 1);
}

TEST_CASE("a node that goes ends its asks unknown, and a reply may outlive its link", "[link]") {
  link_town town;
  auto a = std::make_unique<link_node>("a", 1, impatient(), town);
  auto b = std::make_unique<link_node>("b", 1, impatient(), town);
  a->dial({"b"});
  a->wait_up("b");
  ends e;
  for (int i = 0; i < 5; ++i) a->peers().ask("b", command(kind_hold), e.next());
  b->wait_held(5);
  auto kept = b->take_held();
  a.reset();
  for (const auto& r : e.wait(5)) CHECK(r.how == asked::unknown);
  kept[0](command(kind_echo)); // to an asker that is gone
  b.reset();
  kept[1](command(kind_echo)); // by a link that is gone
  kept.clear();
  CHECK(e.wait(5).size() == 5);
}

TEST_CASE(
  "asks have their deadline, and a handler that forgets them is found out at once", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  a.dial({"b"});
  a.wait_up("b");
  CHECK(ask(a.peers(), "b", kind_drop) == asked::unknown);
  CHECK(ask(a.peers(), "b", kind_none) == asked::unsupported);
  auto soon = command(kind_hold);
  soon.deadline_ms = cluster::link::real_clocks().wall_ms() + 50;
  ends e;
  a.peers().ask("b", soon, e.next());
  CHECK(e.wait(1)[0].how == asked::unknown);
  CHECK(figures_of(a.peers(), "b").in_flight == 0);
  auto large = command(kind_echo, std::string(limits::envelope_bytes_max, 'x'));
  ends l;
  a.peers().ask("b", large, l.next());
  CHECK(l.wait(1)[0].reply.bytes == large.bytes);
  large.bytes += 'x';
  CHECK_FALSE(a.peers().tell("b", large));
}

TEST_CASE("garbage at the door is cut, and changes nothing for the others", "[link]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 chance{seed};
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  a.dial({"b"});
  a.wait_up("b");
  for (int i = 0; i < 20; ++i) {
    stranger s{b.port()};
    std::string bytes(64 + chance() % 200, '\0');
    for (auto& c : bytes) c = static_cast<char>(chance());
    bytes[0] = static_cast<char>(0x20 + chance() % 0x60); // no operation of CAF's
    s.send(i == 0 ? "GET / HTTP/1.1\r\nHost: x\r\nAccept: everything\r\n\r\n" : bytes);
    CHECK(s.cut());
  }
  CHECK(answer(a.peers(), "b", kind_echo, "still here") == "still here");
  CHECK(figures_of(a.peers(), "b").connects == 1);
}

TEST_CASE("what else CAF can send to the door changes nothing for the others", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  a.dial({"b"});
  a.wait_up("b");
  struct hostile : caf::actor_system_config {
    hostile() {
      load<caf::io::middleman>();
      add_message_types<caf::id_block::jumun_link>();
    }
  } config;
  caf::actor_system c{config};
  const auto door = c.middleman().remote_actor("127.0.0.1", b.port());
  REQUIRE(door);
  frame stray;
  stray.session = 77; // that nobody has greeted
  stray.items = {encode(item{0, asked::answered, command(kind_tell, "stray")})};
  {
    caf::scoped_actor self{c};
    self->send(*door, std::string(1 << 20, 'x'), 42);
    self->send(*door, cluster::link::wire_bytes{"\xff\xff\xff garbage"});
    self->send(*door, cluster::link::wire_bytes{encode(stray)});
    self->send(*door, caf::down_msg{self->address(), caf::exit_reason::kill});
    self->send(*door, caf::error{caf::sec::runtime_error});
    self->send(*door, caf::exit_msg{self->address(), caf::exit_reason::user_shutdown});
    self->send(*door, caf::exit_msg{self->address(), caf::exit_reason::kill});
    self->request(*door, patience, caf::sys_atom::value, caf::get_atom::value, "info")
      .receive([](const std::string&) {}, [](const caf::error&) {}); // behind all of them
  }
  caf::anon_send_exit(*door, caf::exit_reason::kill);
  CHECK(answer(a.peers(), "b", kind_echo, "still here") == "still here");
  link_node d{"d", 1, impatient(), town};
  d.dial({"b"});
  d.wait_up("b");
  CHECK(answer(d.peers(), "b", kind_echo, "and open") == "and open");
  CHECK(b.turned_away() == 1);
  CHECK(b.told_all(0).empty());
  CHECK(figures_of(a.peers(), "b").connects == 1);
}

TEST_CASE("three nodes: one away is no matter to the others", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  auto c = std::make_unique<link_node>("c", 1, impatient(), town);
  a.dial({"b", "c"}), b.dial({"a", "c"}), c->dial({"a", "b"});
  a.wait_up("b"), a.wait_up("c"), b.wait_up("a"), b.wait_up("c"), c->wait_up("a"), c->wait_up("b");
  c.reset();
  a.wait_state("c", link_state::away), b.wait_state("c", link_state::away);
  CHECK(answer(a.peers(), "b", kind_echo, "1") == "1");
  CHECK(answer(b.peers(), "a", kind_echo, "2") == "2");
  c = std::make_unique<link_node>("c", 2, impatient(), town);
  a.wait_up("c"), b.wait_up("c");
  CHECK(answer(a.peers(), "c", kind_echo, "3") == "3");
  CHECK(figures_of(a.peers(), "c").incarnation == 2);
}

TEST_CASE("a cut cable is found by its silence, and the link is back behind it", "[link]") {
  link_town town;
  link_node a{"a", 1, impatient(), town}, b{"b", 1, impatient(), town};
  tcp_relay there{b.port()}, back{a.port()};
  town.move("b", there.port()), town.move("a", back.port());
  a.dial({"b"}), b.dial({"a"});
  a.wait_up("b"), b.wait_up("a");
  for (int round = 1; round <= 3; ++round) {
    ends e;
    a.peers().ask("b", command(kind_hold), e.next());
    b.wait_held(1);
    there.freeze(true), back.freeze(true);
    b.release_held();
    CHECK(e.wait(1)[0].how == asked::unknown);
    a.wait_state("b", link_state::away), b.wait_state("a", link_state::away);
    there.freeze(false), back.freeze(false);
    a.wait_up("b"), b.wait_up("a");
    CHECK(answer(a.peers(), "b", kind_echo, "back") == "back");
    CHECK(answer(b.peers(), "a", kind_echo, "back") == "back");
    const auto a_before = figures_of(a.peers(), "b").connects;
    const auto b_before = figures_of(b.peers(), "a").connects;
    there.cut(), back.cut();
    a.wait_connects("b", a_before + 1), b.wait_connects("a", b_before + 1);
    CHECK(answer(a.peers(), "b", kind_echo, "again") == "again");
  }
}
