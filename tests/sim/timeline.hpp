#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace jumun::sim {
/// Simulated time, which outlives the node, and what the outside world will do when.
class timeline {
public:
  /// Microseconds since the run began; never goes back.
  [[nodiscard]] std::int64_t now_us() const { return now_us_; }
  [[nodiscard]] std::int64_t now_ms() const { return now_us_ / 1000; }
  /// What the node's clock shows: unix microseconds, which may jump.
  [[nodiscard]] std::int64_t wall_us() const { return epoch_us + now_us_ + skew_us_; }
  void skew_by(std::int64_t ms) { skew_us_ += ms * 1000; }
  void advance_to(std::int64_t us) {
    if (us > now_us_) now_us_ = us;
  }
  /// Runs `what` once `ms` have passed; of those at one time the first said goes first.
  void later(std::int64_t ms, std::function<void()> what) {
    due_.emplace(now_us_ + ms * 1000, std::move(what));
  }
  [[nodiscard]] std::optional<std::int64_t> next_due_us() const {
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
  }
  /// Runs one thing that is due by now. False: there is none.
  bool run_one_due() {
    if (due_.empty() || due_.begin()->first > now_us_) return false;
    auto what = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    what();
    return true;
  }

private:
  static constexpr std::int64_t epoch_us = 1'700'000'000'000'000;
  std::int64_t now_us_ = 0, skew_us_ = 0;
  std::multimap<std::int64_t, std::function<void()>> due_;
};
} // namespace jumun::sim
