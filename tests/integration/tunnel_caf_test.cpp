#include "tests/catch.hpp"
#include "tests/integration/tunnel_rig.hpp"
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <iostream>

// CAF 0.17.6 itself on both ends of the tunnel.
namespace {
using namespace jumun;
using namespace jumun::tests;
using cluster::tunnel_refusal;

struct caf_settings : caf::actor_system_config {
  caf_settings() {
    load<caf::io::middleman>();
    set("scheduler.max-threads", 1);
  }
};
/// One process's actors; it publishes one that adds one to a number.
struct caf_node {
  caf_settings settings;
  caf::actor_system system{settings};
  caf::actor adder = system.spawn([](caf::event_based_actor*) {
    return caf::behavior{
      [](std::int32_t n) { return n + 1; }, [](const std::string& text) { return text; }};
  });
  std::uint16_t port = publish();
  ~caf_node() { caf::anon_send_exit(adder, caf::exit_reason::user_shutdown); }

private:
  std::uint16_t publish() {
    const auto bound = system.middleman().publish(adder, 0, "127.0.0.1");
    if (!bound) throw std::runtime_error{system.render(bound.error())};
    return *bound;
  }
};
struct two_cafs {
  authority by;
  caf_node caf_a, caf_b;
  tunnel_node a{"a"}, b{"b"};
  two_cafs() {
    a.start(by, caf_a.port);
    b.start(by, caf_b.port);
    a.meet(b);
  }
};
caf::actor remote(caf_node& from, std::uint16_t port) {
  auto found = from.system.middleman().remote_actor("127.0.0.1", port);
  if (!found) throw std::runtime_error{from.system.render(found.error())};
  return *found;
}

/// Asks `count` times, `outstanding` at once. @returns seconds.
double ask(caf_node& from, const caf::actor& whom, int count, int outstanding) {
  caf::scoped_actor self{from.system};
  int sent = 0, wrong = 0, failed = 0;
  const auto began = std::chrono::steady_clock::now();
  const auto asker = from.system.spawn([&](caf::event_based_actor* me) {
    const auto next = std::make_shared<std::function<void()>>();
    const auto left = std::make_shared<int>(count);
    *next = [me, whom, next, left, count, &sent, &wrong, &failed] {
      if (sent == count) return;
      const std::int32_t n = sent++;
      const auto done = [me, next, left] {
        if (--*left == 0)
          me->quit();
        else
          (*next)();
      };
      me->request(whom, std::chrono::seconds{30}, n)
        .then([n, done, &wrong](std::int32_t answer) { wrong += answer != n + 1, done(); },
          [done, &failed](const caf::error&) { ++failed, done(); });
    };
    for (int i = 0; i < outstanding; ++i) (*next)();
    me->attach_functor([next] { *next = nullptr; });
    return caf::behavior{[](caf::unit_t) {}};
  });
  self->wait_for(asker);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  CHECK(wrong == 0);
  CHECK(failed == 0);
  return took.count();
}
} // namespace

TEST_CASE("actors talk across the tunnel, sixty-four questions at once, both ways", "[tunnel]") {
  two_cafs n;
  const auto b_from_a = remote(n.caf_a, n.a->way_to("b"));
  const auto a_from_b = remote(n.caf_b, n.b->way_to("a"));
  ask(n.caf_a, b_from_a, 2'000, 64);
  ask(n.caf_b, a_from_b, 2'000, 64);
  caf::scoped_actor self{n.caf_a.system};
  const std::string large(7'000'000, 'x');
  bool same = false;
  self->request(b_from_a, std::chrono::seconds{30}, large)
    .receive([&](const std::string& answer) { same = answer == large; },
      [&](const caf::error& why) { FAIL(n.caf_a.system.render(why)); });
  CHECK(same);
}

TEST_CASE("CAF hears that a peer is gone, and comes back by the same way", "[tunnel]") {
  two_cafs n;
  const auto way = n.a->way_to("b");
  caf::scoped_actor self{n.caf_a.system};
  // For a moment after a link's end CAF may give the proxy of the old one, or B's may take the new
  // connection for a second one of the same node: then nothing is answered, and it is tried again.
  const auto comes_back = [&] {
    return eventually([&] {
      bool answered = false;
      const auto there = n.caf_a.system.middleman().remote_actor("127.0.0.1", way);
      if (!there) return false;
      self->request(*there, std::chrono::milliseconds{200 * slowness}, std::int32_t{1})
        .receive([&](std::int32_t) { answered = true; }, [](const caf::error&) {});
      return answered;
    });
  };
  const auto ends = [&](const std::function<void(const caf::actor&)>& how) {
    const auto b = remote(n.caf_a, way);
    self->monitor(b);
    how(b);
    self->receive([&](const caf::down_msg& gone) { CHECK(gone.source == b.address()); });
  };
  REQUIRE(comes_back());
  ends([&](const caf::actor&) { n.b->forget("a"); });
  REQUIRE(comes_back());
  // More than the peer takes: the link goes, and the next one is as good as new.
  ends([](const caf::actor& b) { caf::anon_send(b, std::string(9'000'000, 'x')); });
  CHECK(n.b.refused(tunnel_refusal::too_large) == 1);
  CHECK(comes_back());
}

TEST_CASE("what the tunnel costs: run by hand with [.tunnel-cost]", "[.tunnel-cost]") {
  two_cafs n;
  const auto by_tunnel = remote(n.caf_a, n.a->way_to("b"));
  const auto bare = [] { // a second pair of systems: a node is reached by one way only
    struct bare_pair {
      caf_node a, b;
      caf::actor to_b = remote(a, b.port);
    };
    return std::make_unique<bare_pair>();
  }();
  for (int round = 0; round < 4; ++round) {
    for (const int outstanding : {1, 64}) {
      const int count = outstanding == 1 ? 5'000 : 100'000;
      const auto plain = ask(bare->a, bare->to_b, count, outstanding);
      const auto tls = ask(n.caf_a, by_tunnel, count, outstanding);
      std::cout << outstanding << " outstanding: bare " << plain / count * 1e6 << " us ("
                << count / plain << "/s), tunnel " << tls / count * 1e6 << " us (" << count / tls
                << "/s), ratio " << tls / plain << '\n';
    }
  }
}
