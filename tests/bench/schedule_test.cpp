#include "bench/client/schedule.hpp"
#include "bench/modes.hpp"
#include "tests/catch.hpp"
#include <algorithm>

using namespace jumun::bench;
using std::chrono::milliseconds;

namespace {
using seconds = std::chrono::duration<double>;
const clock::time_point begin{}; // any time will do

std::vector<std::int64_t> first_ms(schedule s, std::size_t count) {
  std::vector<std::int64_t> all;
  for (; all.size() < count; s.advance())
    all.push_back(std::chrono::round<milliseconds>(s.due() - begin).count());
  return all;
}
using times = std::vector<std::int64_t>;
} // namespace

TEST_CASE("a schedule is a fixed rate", "[bench]") {
  CHECK(first_ms({begin, {{seconds{1}, 4}}}, 6) == times{0, 250, 500, 750, 1000, 1250});
  schedule s{begin, {{seconds{1}, 30'000}}};
  for (int i = 0; i < 30'000 * 60; ++i) s.advance();
  CHECK(std::chrono::round<milliseconds>(s.due() - begin) == std::chrono::minutes{1}); // no drift
}

TEST_CASE("the threads' shares are the whole schedule, each request once", "[bench]") {
  const std::vector<phase> phases{{seconds{1}, 7}, {seconds{2}, 3}, {seconds{1}, 11}};
  times parts;
  for (unsigned thread = 0; thread < 3; ++thread) {
    const auto part = first_ms({begin, phases, thread, 3}, 10);
    parts.insert(parts.end(), part.begin(), part.end());
  }
  std::sort(parts.begin(), parts.end());
  const auto whole = first_ms({begin, phases}, 20);
  CHECK(std::equal(whole.begin(), whole.end(), parts.begin()));
}

TEST_CASE("phases follow each other at their rates", "[bench]") {
  CHECK(first_ms({begin, {{seconds{1}, 2}, {seconds{0.5}, 10}, {seconds{1}, 1}}}, 9)
        == times{0, 500, 1000, 1100, 1200, 1300, 1400, 1500, 2500});
}

TEST_CASE("what is left of a phase is too late with its end, but for the last", "[bench]") {
  schedule s{begin, {{seconds{1}, 2}, {seconds{1}, 1}}};
  s.advance(); // due after half a second
  CHECK_FALSE(s.too_late(begin + milliseconds{999}));
  CHECK(s.too_late(begin + milliseconds{1'000}));
  s.advance();
  CHECK_FALSE(s.too_late(begin + std::chrono::hours{1}));
}

TEST_CASE("a server has recovered once it stays calm", "[bench]") {
  const auto of = [](std::vector<int> worst_ms) {
    std::vector<slice> all;
    for (const int ms : worst_ms) all.push_back({1, 1, 0, milliseconds{ms}});
    return all;
  };
  const auto limit = milliseconds{10};
  CHECK(recovered_after(of({5, 90, 90, 5, 5, 5, 5, 5, 5}), 0.1, limit) == Approx(0.2));
  CHECK(recovered_after(of({5, 5, 5, 5, 5, 5}), 0.1, limit) == Approx(0.0));
  CHECK(recovered_after(of({5, 5, 5, 90, 5, 5, 5, 5, 5}), 0.1, limit) == Approx(0.3)); // again
  CHECK(recovered_after(of({5, 90, 90, 90, 5, 5}), 0.1, limit) < 0);                   // never
  CHECK(recovered_after(of({5, 90, 0, 0, 0, 0, 0}), 0.1, limit) < 0); // silence is not calm
  auto refusing = of({5, 90, 5, 5, 5, 5, 5, 5, 5});
  refusing[3].turned_away = 1;
  CHECK(recovered_after(refusing, 0.1, limit) == Approx(0.3));
}
