#pragma once
#include "domain/order_step.hpp"
#include "http/histogram.hpp"
#include <mutex>
#include <unordered_map>

namespace jumun::app {
/// Counts what orders come to, and how many sagas stand open in which state: kept up with each
/// step, so that a scrape reads numbers and scans nothing. Thread-safe; the steps come from one
/// thread, the committer's.
class census {
public:
  /// Milliseconds of an interactive wait up to half an hour of retries.
  static constexpr std::array<std::uint64_t, 15> duration_us{5'000, 10'000, 25'000, 50'000, 100'000,
    250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000,
    300'000'000, 1'800'000'000};
  using durations = http::histogram<duration_us.size()>;

  /// Where an open saga stands: saga_state_of, and `recovering` for one whose row was not read yet.
  static constexpr std::array<std::string_view, 5> states{
    "running", "waiting", "paused", "blocked", "recovering"};

  /// A decision is durable.
  void stepped(const domain::order_step& s, std::int64_t now_ms);
  /// An order was read from disk, or (`recovering`) is about to be. An empty state: it is at rest.
  void found(domain::order_id id, std::string_view state);

  /// This node has given up the shard: its open orders stand elsewhere.
  void forget(domain::shard_id shard);

  [[nodiscard]] std::uint64_t orders(domain::milestone m) const {
    return reached_[static_cast<std::size_t>(m)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t open_in(std::size_t state) const {
    return open_[state].load(std::memory_order_relaxed);
  }
  /// From acceptance (cancelled: from the cancellation) to rest; of rejected, preparing, cancelled.
  [[nodiscard]] const durations& took(domain::milestone m) const;

private:
  void place(domain::order_id id, std::string_view state);

  std::array<std::atomic<std::uint64_t>, domain::milestone_count> reached_{};
  durations rejected_{duration_us}, prepared_{duration_us}, cancelled_{duration_us};

  std::mutex guard_;
  std::unordered_map<domain::order_id, std::uint8_t> open_as_; // index into `states`
  std::array<std::atomic<std::int64_t>, states.size()> open_{};
};
} // namespace jumun::app
