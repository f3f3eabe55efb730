#include "tests/catch.hpp"
#include "tests/sim/run.hpp"

using namespace jumun;
using sim::fault;
using sim::fired;

namespace {
sim::run_options of_three() {
  sim::run_options how;
  how.nodes = 3;
  return how;
}
std::string joined(const std::vector<sim::violation>& all) {
  std::string out;
  for (const auto& v : all) out += "\n  " + v.code + ": " + v.what;
  return out;
}
} // namespace

TEST_CASE("the same seed gives the same run of several nodes, byte for byte", "[sim][cluster]") {
  std::set<std::uint64_t> different;
  for (std::uint64_t seed = 100; seed < 104; ++seed) {
    const auto once = sim::run(seed, of_three()), again = sim::run(seed, of_three());
    CAPTURE(seed);
    CHECK(once.fingerprint == again.fingerprint);
    CHECK(once.faults == again.faults);
    CHECK(once.steps == again.steps);
    different.insert(once.fingerprint);
  }
  CHECK(different.size() == 4);
}

TEST_CASE("a run of several nodes can be told again by the list of its faults", "[sim][cluster]") {
  for (std::uint64_t seed = 200; seed < 203; ++seed) {
    const auto drawn = sim::run(seed, of_three());
    auto how = of_three();
    how.only = std::set<fired>{drawn.faults.begin(), drawn.faults.end()};
    std::size_t lines = 0;
    how.trace = [&](const std::string&) { ++lines; }; // reading along changes nothing
    CAPTURE(seed);
    CHECK(sim::run(seed, how).fingerprint == drawn.fingerprint);
    CHECK(lines > drawn.events);
  }
}

TEST_CASE("shards that are wished elsewhere all the time lose nothing", "[sim][cluster]") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    auto how = of_three();
    how.nodes = 2 + seed % 3;
    how.with = sim::options(seed, how.nodes);
    how.with->rate.fill(0);
    how.with->rate[static_cast<std::size_t>(fault::shard_wished)] = 200;
    how.with->rate[static_cast<std::size_t>(fault::cancels)] = 5'000;
    const auto end = sim::run(seed, how);
    CAPTURE(seed, joined(end.wrong));
    CHECK(end.wrong.empty());
    CHECK(end.moves > 3);
  }
}
