#pragma once
#include "domain/order_step.hpp"
#include "http/histogram.hpp"
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace jumun::app {
/// Counts what orders come to, and how many sagas stand open in which state: kept up with each
/// step, so that a scrape reads numbers and scans nothing. Thread-safe; the steps come from one
/// thread, the committer's.
class census {
public:
  census();
  /// Milliseconds of an interactive wait up to half an hour of retries.
  static constexpr std::array<std::uint64_t, 15> duration_us{5'000, 10'000, 25'000, 50'000, 100'000,
    250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000,
    300'000'000, 1'800'000'000};
  using durations = http::histogram<duration_us.size()>;

  /// Finer, in milliseconds, for what people look at: 1 ms apart up to 16 ms, then eight to each
  /// doubling, up to half an hour.
  static constexpr std::size_t settle_buckets = 16 + 17 * 8;
  using settle_durations = http::histogram<settle_buckets>;

  /// Where an open saga stands: saga_state_of, and `recovering` for one whose row was not read yet.
  static constexpr std::array<std::string_view, 5> states{
    "running", "waiting", "paused", "blocked", "recovering"};
  static constexpr std::uint8_t blocked = 3, recovering = 4; // indices into it

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
  [[nodiscard]] std::int64_t open_in_shard(domain::shard_id shard) const {
    return shards_[shard].open.load(std::memory_order_relaxed);
  }
  /// Decisions about its orders that became durable here, since the start.
  [[nodiscard]] std::uint64_t decisions(domain::shard_id shard) const {
    return shards_[shard].decisions.load(std::memory_order_relaxed);
  }
  /// From acceptance (cancelled: from the cancellation) to rest; of rejected, preparing, cancelled.
  [[nodiscard]] const durations& took(domain::milestone m) const;
  /// From acceptance to rest, of rejected and preparing; in milliseconds.
  [[nodiscard]] const settle_durations& settled() const { return settled_; }

  struct open_order {
    domain::order_id id;
    std::string_view state; // one of `states`
  };
  /// The one that was accepted first of those that are open. Walks them, a slice at a time, so that
  /// nobody who tells of a step waits for long: about 1 ms for 50,000.
  [[nodiscard]] std::optional<open_order> oldest() const;

  /// At most so many, in no order.
  [[nodiscard]] std::vector<domain::order_id> blocked_orders(std::size_t most) const;

  /// Blocked orders whose money at risk is not known, or has changed: at most so many.
  struct unpriced {
    domain::order_id id;
    std::uint64_t version = 0; // of the row that it is to be read from, or a later one
  };
  [[nodiscard]] std::vector<unpriced> without_price(std::size_t most) const;
  /// As a row of this version says. Nothing, where the order has moved on.
  void price(domain::order_id id, std::uint64_t version, domain::money at_risk);
  /// The money at risk in all blocked orders whose price is known, by currency.
  [[nodiscard]] std::vector<domain::money> at_risk() const;

private:
  void place(domain::order_id id, std::string_view state, std::uint64_t version);
  void remove(domain::order_id id, std::uint8_t from);
  void forget_price(domain::order_id id);

  std::array<std::atomic<std::uint64_t>, domain::milestone_count> reached_{};
  durations rejected_{duration_us}, prepared_{duration_us}, cancelled_{duration_us};
  settle_durations settled_;
  struct of_shard {
    std::atomic<std::int64_t> open{0};
    std::atomic<std::uint64_t> decisions{0};
  };
  std::array<of_shard, domain::shard_count> shards_{};

  mutable std::mutex guard_;
  std::unordered_map<domain::order_id, std::uint8_t> open_as_; // index into `states`
  std::array<std::atomic<std::int64_t>, states.size()> open_{};
  // Blocked orders: each is in one of these two.
  std::unordered_map<domain::order_id, std::uint64_t> unpriced_; // the version to be read
  std::unordered_map<domain::order_id, domain::money> priced_;
  std::map<std::string, std::int64_t> at_risk_; // of priced_, by currency
};
} // namespace jumun::app
