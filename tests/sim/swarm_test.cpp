#include "tests/catch.hpp"
#include "tests/sim/run.hpp"

using namespace jumun;
using sim::fault;
using sim::fired;

namespace {
std::string joined(const std::vector<sim::violation>& all) {
  std::string out;
  for (const auto& v : all) out += "\n  " + v.code + ": " + v.what;
  return out;
}
} // namespace

TEST_CASE("the same seed gives the same run, byte for byte", "[sim]") {
  std::set<std::uint64_t> different;
  for (std::uint64_t seed = 100; seed < 108; ++seed) {
    const auto once = sim::run(seed), again = sim::run(seed);
    CAPTURE(seed);
    CHECK(once.fingerprint == again.fingerprint);
    CHECK(once.faults == again.faults);
    CHECK(once.steps == again.steps);
    different.insert(once.fingerprint);
  }
  CHECK(different.size() == 8);
}

TEST_CASE("a run can be told again by the list of its faults", "[sim]") {
  for (std::uint64_t seed = 200; seed < 204; ++seed) {
    const auto drawn = sim::run(seed);
    sim::run_options how;
    how.only = std::set<fired>{drawn.faults.begin(), drawn.faults.end()};
    std::size_t lines = 0;
    how.trace = [&](const std::string&) { ++lines; }; // reading along changes nothing
    CAPTURE(seed);
    CHECK(sim::run(seed, how).fingerprint == drawn.fingerprint);
    CHECK(lines > drawn.events);
  }
}

TEST_CASE("no failed write, wherever it is, loses stock, money or an answer", "[sim]") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    sim::run_options how;
    how.with = sim::options{seed};
    how.with->rate.fill(0);
    how.with->rate[static_cast<std::size_t>(fault::cancels)] = 5'000;
    how.with->rate[static_cast<std::size_t>(fault::operates)] = 3'000;
    how.with->orders = 4;
    how.fail_landed = seed % 2 == 1;
    for (how.fail_batch = 1;; ++how.fail_batch) {
      const auto end = sim::run(seed, how);
      CAPTURE(seed, how.fail_batch, joined(end.wrong));
      REQUIRE(end.wrong.empty());
      if (end.batches <= how.fail_batch) break; // no write left to fail: this seed is covered
      REQUIRE(end.lives > 1);
    }
  }
}

TEST_CASE("the minimiser keeps what is needed and nothing else", "[sim]") {
  std::vector<fired> all;
  for (std::uint32_t i = 1; i <= 40; ++i) all.push_back({fault::command_lost, i});
  const std::set<fired> needed{{fault::command_lost, 7}, {fault::command_lost, 31}};
  const auto few = sim::fewest(all, [&](const std::vector<fired>& candidate) {
    const std::set<fired> have{candidate.begin(), candidate.end()};
    return std::includes(have.begin(), have.end(), needed.begin(), needed.end());
  });
  CHECK(std::set<fired>{few.begin(), few.end()} == needed);
  CHECK(sim::fewest(all, [](const auto&) { return true; }).empty());
}

TEST_CASE("a list of faults is read as it is printed", "[sim]") {
  const std::set<fired> two{{fault::killed, 3}, {fault::clock_back, 12}};
  CHECK(sim::parse_fired("killed:3,clock_back:12") == two);
  CHECK(sim::parse_fired("") == std::set<fired>{});
  for (const auto* bad : {"killed", "killed:", "killed:x", "nobody:1", "killed:3,,"})
    CHECK_FALSE(sim::parse_fired(bad).has_value());
}
