#include "bench/client/histogram.hpp"
#include "tests/catch.hpp"
#include <algorithm>
#include <cmath>
#include <random>

using namespace jumun::bench;

namespace {
constexpr double error_max = 0.01;

nanoseconds exact(const std::vector<std::int64_t>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return nanoseconds{sorted[std::max<std::size_t>(rank, 1) - 1]};
}
/// Latencies as they come: many of some 100 µs, a few of up to a minute.
std::vector<std::int64_t> latencies(unsigned seed, int count) {
  std::mt19937_64 chance{seed};
  std::lognormal_distribution<> spread{12, 2};
  std::vector<std::int64_t> all;
  for (int i = 0; i < count; ++i)
    all.push_back(
      std::min<std::int64_t>(static_cast<std::int64_t>(spread(chance)), 60'000'000'000));
  return all;
}
} // namespace

TEST_CASE("a percentile is within one per cent of what sorting says", "[bench]") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    auto all = latencies(seed, 1 + static_cast<int>(seed * seed * 50));
    histogram h, other;
    for (std::size_t i = 0; i < all.size(); ++i)
      (i % 3 ? h : other).record(nanoseconds{all[i]}); // two threads' share
    h.add(other);
    std::sort(all.begin(), all.end());
    CHECK(h.count() == all.size());
    CHECK(h.max().count() == all.back());
    for (const double share : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto want = exact(all, share).count(), have = h.percentile(share).count();
      CAPTURE(seed, share, want, have);
      CHECK(std::abs(static_cast<double>(have - want)) <= error_max * static_cast<double>(want));
    }
  }
}

TEST_CASE(
  "a histogram is exact up to 255 ns, and takes what is too long as the longest", "[bench]") {
  for (int ns = 0; ns < 256; ++ns) {
    histogram h;
    h.record(nanoseconds{ns});
    CHECK(h.percentile(0.5).count() == ns);
  }
  histogram h;
  CHECK(h.percentile(0.99).count() == 0);
  h.record(std::chrono::hours{10});
  h.record(nanoseconds{-5}); // a clock that two threads read
  CHECK(h.percentile(0.01).count() == 0);
  CHECK(h.max() > std::chrono::hours{1});
  CHECK(h.percentile(1) > std::chrono::hours{1});
}
