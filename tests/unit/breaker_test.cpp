#include "domain/breaker.hpp"
#include "domain/limits.hpp"
#include "tests/catch.hpp"
#include <map>
#include <set>

using namespace jumun::domain;
namespace limits = jumun::limits;

namespace {
constexpr std::int64_t start = 1'700'000'000'000;

order_id order_number(std::uint64_t n) { return make_order_id(7, start, 0, n); }

/// A breaker, its clock, and what happened to the calls.
struct bench {
  explicit bench(breaker_settings with = {}) : b(with, start) {}
  breaker b;
  std::int64_t now = start;
  std::uint64_t chance = 0; // no jitter
  std::uint64_t next = 0;   // a fresh order for each call

  context at() const { return {now, chance}; }
  std::variant<breaker::passed, breaker::held> ask(order_id about) { return b.ask(about, at()); }
  std::optional<std::uint64_t> call() {
    const auto verdict = ask(order_number(++next));
    const auto* passed = std::get_if<breaker::passed>(&verdict);
    return passed ? std::optional{passed->call} : std::nullopt;
  }
  bool answered(bool failed) {
    const auto id = call();
    if (id) b.answered(*id, failed, at());
    return id.has_value();
  }
  void all(int n, bool failed) {
    for (int i = 0; i < n; ++i) answered(failed);
  }
  std::string state() { return std::string{name_of(b.look(at()).state)}; }
};
constexpr bool failed = true;
} // namespace

TEST_CASE("it opens at the failure rate, and not before enough calls have ended", "[breaker]") {
  struct row {
    const char* what;
    int good, bad;
    const char* state;
  };
  const row table[] = {
    {"too few to judge by", 0, 19, "closed"},
    {"enough, and all bad", 0, 20, "open"},
    {"just below the rate", 9, 13, "closed"},
    {"just at the rate", 8, 12, "open"},
    {"a few bad among many", 100, 20, "closed"},
    {"nothing but good", 1000, 0, "closed"},
  };
  for (const auto& r : table) {
    CAPTURE(r.what);
    bench t;
    t.all(r.good, !failed);
    t.all(r.bad, failed);
    CHECK(t.state() == r.state);
  }
}

TEST_CASE("a call that is never answered has failed at its deadline", "[breaker]") {
  bench t;
  for (int i = 0; i < 20; ++i) CHECK(t.call());
  t.now += 999;
  CHECK(t.state() == "closed");
  CHECK(t.b.look(t.at()).in_flight == 20);
  t.now += 1;
  CHECK(t.state() == "open");
  CHECK(t.b.look(t.at()).in_flight == 0);
}

TEST_CASE("failures leave the window with time", "[breaker]") {
  bench t;
  t.all(19, failed);
  t.now += 10'000;
  t.all(19, failed);
  CHECK(t.state() == "closed");
  CHECK(t.b.look(t.at()).failures == 19);
}

TEST_CASE("one order that fails again and again is its card's matter", "[breaker]") {
  bench t;
  for (int i = 0; i < 1000; ++i) {
    const auto verdict = t.ask(order_number(1));
    t.b.answered(std::get<breaker::passed>(verdict).call, failed, t.at());
  }
  CHECK(t.state() == "closed");
  CHECK(t.b.look(t.at()).failures == limits::breaker_failures_each);
}

TEST_CASE("open, nothing passes, and each is told a time of its own", "[breaker]") {
  bench t;
  t.all(20, failed);
  std::set<std::int64_t> times;
  for (int i = 0; i < 100; ++i) {
    const auto verdict = t.ask(order_number(1'000 + static_cast<std::uint64_t>(i)));
    const auto* held = std::get_if<breaker::held>(&verdict);
    REQUIRE(held);
    CHECK(held->again_at_ms >= start + 1'000);
    CHECK(
      held->why == "the payment provider has not been answering since 2023-11-14T22:13:20.000Z");
    times.insert(held->again_at_ms);
  }
  CHECK(times.size() == 100); // 500 a second: 2 ms each
  const auto seen = t.b.look(t.at());
  CHECK(seen.waiting == 100);
  CHECK(seen.next_probe_ms == start + 1'000);
  CHECK(seen.held_back == 100);
}

TEST_CASE("half-open lets a few probes pass; the first answer decides", "[breaker]") {
  const auto probing = [] {
    bench t;
    t.all(20, failed);
    t.now += 1'000;
    return t;
  };
  SECTION("an answer closes it") {
    auto t = probing();
    CHECK(t.answered(!failed));
    CHECK(t.state() == "closed");
  }
  SECTION("a failure opens it again, for twice as long, and so on up to a cap") {
    auto t = probing();
    for (const auto pause : {2'000, 4'000, 8'000, 10'000, 10'000}) {
      CHECK(t.answered(failed));
      CHECK(t.state() == "open");
      CHECK(t.b.look(t.at()).next_probe_ms == t.now + pause);
      t.now += pause;
    }
  }
  SECTION("a probe that is not answered opens it again") {
    auto t = probing();
    CHECK(t.call());
    t.now += 1'000;
    CHECK(t.state() == "open");
  }
  SECTION("no more than a few at once") {
    auto t = probing();
    for (std::size_t i = 0; i < limits::breaker_probes_max; ++i) CHECK(t.call());
    CHECK_FALSE(t.call());
  }
  SECTION("a call from before it opened decides nothing") {
    bench t;
    const auto old = t.call();
    t.all(20, failed);
    t.now += 900;
    t.chance = 500; // the back-off's jitter: half a second less
    CHECK(t.state() == "open");
    t.b.answered(*old, !failed, t.at());
    CHECK(t.state() == "open");
  }
}

TEST_CASE("the pause's jitter takes half of it away at most", "[breaker]") {
  for (const std::uint64_t chance : {0ULL, 1ULL, 500ULL, 999'999'937ULL, ~0ULL}) {
    bench t;
    t.chance = chance;
    t.all(20, failed);
    const auto until = t.b.look(t.at()).next_probe_ms - t.now;
    CHECK(until >= 500);
    CHECK(until <= 1'000);
  }
}

TEST_CASE("the bulkhead holds back what is over its bound", "[breaker]") {
  breaker_settings with;
  with.in_flight_max = 2;
  bench t{with};
  const auto one = t.call();
  CHECK(t.call());
  CHECK_FALSE(t.call());
  t.b.answered(*one, !failed, t.at());
  CHECK(t.call());
  CHECK(t.state() == "closed");
}

TEST_CASE("orders that were held back drain at a rate that grows to its bound", "[breaker]") {
  breaker_settings with;
  with.drain_per_s = 100;
  bench t{with};
  t.all(20, failed);
  std::map<std::int64_t, std::vector<std::uint64_t>> due; // each comes when it was told to
  const auto hold = [&](std::uint64_t n) {
    const auto verdict = t.ask(order_number(n));
    if (const auto* held = std::get_if<breaker::held>(&verdict))
      return due[held->again_at_ms].push_back(n), false;
    t.b.answered(std::get<breaker::passed>(verdict).call, !failed, t.at());
    return true;
  };
  for (std::uint64_t n = 1'000'000; n < 1'002'000; ++n) CHECK_FALSE(hold(n));
  std::map<std::int64_t, int> in_second; // since it closed
  std::int64_t closed_ms = 0;
  int through = 0;
  while (!due.empty()) {
    t.now = std::max(t.now, due.begin()->first);
    const auto here = due.begin()->second;
    due.erase(due.begin());
    for (const auto n : here) {
      if (!hold(n)) continue;
      if (closed_ms == 0) closed_ms = t.now;
      ++in_second[(t.now - closed_ms) / 1'000];
      ++through;
    }
    if (closed_ms != 0) CHECK(t.answered(!failed)); // who never waited passes at once
  }
  CHECK(through == 2'000);
  CHECK(in_second[0] <= 30); // a tenth at first, and what a moment of rest saved
  for (const auto& [second, n] : in_second) {
    CAPTURE(second);
    CHECK(n <= 100 + 11);
  }
  CHECK(in_second.rbegin()->first >= 20);
  CHECK(t.b.look(t.at()).waiting == 0);
}
