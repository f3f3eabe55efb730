#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace jumun::bench {
using nanoseconds = std::chrono::nanoseconds;

/// Latencies, log-linear as in HdrHistogram: 128 steps to an octave, so that a percentile is wrong
/// by less than 0.4 %, at 36 KiB however many there are. From 1 ns to 73 minutes; longer ones count
/// as that long. Not thread-safe: one a thread, and `add` them up.
class histogram {
public:
  histogram();
  void record(nanoseconds latency);
  void add(const histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The least latency that `share` (0..1) of all don't exceed; 0 when there are none.
  [[nodiscard]] nanoseconds percentile(double share) const;
  [[nodiscard]] nanoseconds max() const { return nanoseconds{max_}; } // exact
  [[nodiscard]] nanoseconds mean() const;

private:
  std::vector<std::uint64_t> steps_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::int64_t max_ = 0;
};
} // namespace jumun::bench
