#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace jumun::http {
/// Counts durations by upper bounds, as Prometheus has them (`le`): two relaxed additions each, so
/// that it may stand on the hottest path. Any thread may count and read.
template <std::size_t N> class histogram {
public:
  /// Microseconds, ascending; what is above the last of them is counted apart.
  using bounds = std::array<std::uint64_t, N>;
  explicit constexpr histogram(const bounds& upper) : upper_{upper} {}

  void count(std::uint64_t us) {
    const auto at = std::lower_bound(upper_.begin(), upper_.end(), us) - upper_.begin();
    in_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(us, std::memory_order_relaxed);
  }

  struct counted {
    std::array<std::uint64_t, N + 1> in{}; // each bucket's own; the last has no bound
    std::uint64_t sum_us = 0;
  };
  [[nodiscard]] counted read() const {
    counted now;
    for (std::size_t i = 0; i <= N; ++i) now.in[i] = in_[i].load(std::memory_order_relaxed);
    now.sum_us = sum_us_.load(std::memory_order_relaxed);
    return now;
  }
  [[nodiscard]] const bounds& upper() const { return upper_; }

private:
  const bounds& upper_; // one for all histograms of a kind
  std::array<std::atomic<std::uint64_t>, N + 1> in_{};
  std::atomic<std::uint64_t> sum_us_{0};
};
} // namespace jumun::http
