#include "tests/catch.hpp"
#include "tests/support/link_node.hpp"
#include <algorithm>
#include <atomic>
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <chrono>
#include <semaphore>
#include <thread>

// Prints figures and judges none: integration_tests "[.link-figures]" (ADR 0016).
namespace {
using namespace jumun;
using namespace jumun::tests;
using clock_type = std::chrono::steady_clock;

double us_since(clock_type::time_point began) {
  return std::chrono::duration<double, std::micro>(clock_type::now() - began).count();
}

struct figure {
  double per_second = 0, p50_us = 0, p99_us = 0;
};
/// `outstanding` asks in flight at any time, `count` in all. `ask(done)` asks once.
template <class Ask> figure measure(std::size_t outstanding, std::size_t count, const Ask& ask) {
  std::counting_semaphore<1'024> room{static_cast<std::ptrdiff_t>(outstanding)};
  std::vector<double> took(count);
  std::atomic<std::size_t> ended = 0;
  const auto began = clock_type::now();
  for (std::size_t i = 0; i < count; ++i) {
    room.acquire();
    const auto at = clock_type::now();
    ask([&, i, at] {
      took[i] = us_since(at);
      ++ended;
      room.release();
    });
  }
  for (std::size_t i = 0; i < outstanding; ++i) room.acquire();
  figure f;
  f.per_second = static_cast<double>(count) / us_since(began) * 1e6;
  std::sort(took.begin(), took.end());
  f.p50_us = took[count / 2];
  f.p99_us = took[count * 99 / 100];
  return f;
}
void print(const std::string& what, const figure& f) {
  std::printf("%-34s %9.0f/s   p50 %7.0f us   p99 %7.0f us\n", what.c_str(), f.per_second, f.p50_us,
    f.p99_us);
  std::fflush(stdout);
}

caf::behavior bare_echo(caf::event_based_actor*) {
  return {[](const std::string& x) { return x; }};
}
struct bare_ask {
  std::string bytes;
  std::function<void()> done;
};
} // namespace
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bare_ask)
namespace {
struct bare_config : caf::actor_system_config {
  bare_config() {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
  }
};
} // namespace

TEST_CASE("what a hop costs", "[.link-figures]") {
  const std::string payload(200, 'x');
  const auto counts = [](std::size_t outstanding) { return outstanding == 1 ? 3'000U : 60'000U; };
  {
    link_town town;
    link_node a{"a", 1, {}, town}, b{"b", 1, {}, town};
    a.dial({"b"});
    a.wait_up("b");
    for (const std::size_t n : {1, 64, 512})
      print(
        "link, ask, " + std::to_string(n) + " outstanding", measure(n, counts(n), [&](auto done) {
          a.peers().ask("b", command(kind_echo, payload), [done](cluster::ask_result r) {
            if (r.how == cluster::asked::answered) done();
          });
        }));
    const auto began = clock_type::now();
    constexpr std::size_t tells = 200'000;
    for (std::size_t i = 0; i < tells;)
      if (a.peers().tell("b", command(kind_none, payload)))
        ++i;
      else
        std::this_thread::yield();
    (void)b.told_all(tells);
    std::printf("%-34s %9.0f/s\n", "link, tell", tells / us_since(began) * 1e6);
  }
  {
    bare_config ca, cb;
    caf::actor_system a{ca}, b{cb};
    const auto port = b.middleman().publish(b.spawn(bare_echo), 0, "127.0.0.1");
    REQUIRE(port);
    const auto there = a.middleman().remote_actor("127.0.0.1", *port);
    REQUIRE(there);
    auto asker = a.spawn([there = *there](caf::event_based_actor* self) -> caf::behavior {
      return {[=](bare_ask& q) {
        self->request(there, caf::infinite, q.bytes)
          .then([done = q.done](const std::string&) { done(); }, [](caf::error&) {});
      }};
    });
    for (const std::size_t n : {1, 64, 512})
      print("bare CAF, request, " + std::to_string(n) + " outstanding",
        measure(n, counts(n), [&](auto done) {
          caf::anon_send(asker, bare_ask{payload, done});
        }));
    caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(*there, caf::exit_reason::user_shutdown);
  }
}
