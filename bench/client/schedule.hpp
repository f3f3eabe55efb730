#pragma once
#include <chrono>
#include <cstdint>

namespace jumun::bench {
using clock = std::chrono::steady_clock;

/// When an open loop means to send its requests: at a fixed rate, whatever the server does. What a
/// stalled server makes late is still counted from here (Gil Tene's coordinated omission).
class schedule {
public:
  /// Every `stride`-th request of `per_second`, beginning with number `first`: a thread's share.
  schedule(clock::time_point begin, double per_second, unsigned first = 0, unsigned stride = 1)
      : begin_(begin), gap_ns_(1e9 / per_second), next_(first), stride_(stride) {}

  /// When the next request is meant to be sent.
  [[nodiscard]] clock::time_point due() const {
    return begin_
           + std::chrono::nanoseconds{
             static_cast<std::int64_t>(gap_ns_ * static_cast<double>(next_))};
  }
  void advance() { next_ += stride_; }

private:
  clock::time_point begin_;
  double gap_ns_;
  std::uint64_t next_;
  std::uint64_t stride_;
};
} // namespace jumun::bench
