#pragma once
#include "actors/payment_provider.hpp"
#include "actors/presenter.hpp"
#include "actors/registry.hpp"
#include "actors/router.hpp"
#include "domain/limits.hpp"
#include "domain/order_step.hpp"
#include "storage/journal.hpp"
#include <algorithm>
#include <atomic>
#include <limits>

namespace jumun::actors {
/// What the actors of a node are given: everything from outside comes through here, time and chance
/// too, so that a whole node runs deterministically on CAF's test scheduler. Outlives the actors.
struct environment {
  storage::journal& journal;
  router& route;
  actor_registry& registry;
  const presenter& present;
  payment_provider& provider;

  std::function<std::int64_t()> now_us; // unix microseconds; thread-safe
  [[nodiscard]] std::int64_t now_ms() const { return now_us() / 1000; }
  std::function<std::uint64_t()> random; // thread-safe
  /// Where the next entry of the audit log stands among those of its millisecond: behind all that
  /// this process has written, whatever their shards. Chance keeps it apart from another process's.
  [[nodiscard]] std::uint64_t audit_place() {
    return audited++ << 32 | (this->random() & 0xffff'ffff);
  }
  /// A decision about an order became durable. On the committer's thread; must not block.
  std::function<void(const domain::order_step&)> order_durable;
  /// A shard's supervisor has listed its open orders, in this life of it: from here on it serves,
  /// and wakes their sagas some at a time.
  std::function<void(domain::shard_id)> recovered;
  /// Shard supervisors kept falling: the node must stop being ready.
  std::function<void(std::string why)> escalated;
  /// A line for the log: event name, then key=value pairs without secrets, then the order's
  /// traceparent (empty: it is about none).
  std::function<void(std::string_view event, std::string detail, std::string_view trace)> warn;

  std::chrono::milliseconds payment_timeout{1000}; // one call to the provider
  std::vector<std::string> delivery_countries;     // ISO 3166-1 alpha-2; empty: all are served
  std::uint64_t boot = 1;                          // this process's life, for idempotency records
  /// Tests only (--failpoints): the saga of an order with this SKU throws at its first answer.
  std::string poisoned_sku;
  std::atomic<int> poison_left{std::numeric_limits<int>::max()}; // so often, then it is healed
  /// An order was found on disk: where its saga stands (saga_state_of; empty: at rest), or
  /// `recovering` before its row was read. For counts only; any thread, must not block.
  std::function<void(domain::order_id, std::string_view state)> order_found =
    [](domain::order_id, std::string_view) {};
  /// A decision about an order was appended; `from` is the phase before it. For the log: any
  /// thread, must not block for long.
  std::function<void(std::string_view from, const domain::order&)> order_moved =
    [](std::string_view, const domain::order&) {};

  /// A saga that is idle for so long leaves memory.
  std::chrono::milliseconds dormant_after{limits::dormant_after};
  /// Orders that were found open on disk, in this life of the process.
  std::atomic<std::size_t> orders_found{0};
  /// Over how long those of them are spread that a breaker had held back, in milliseconds.
  std::int64_t drain_per_s = 500;
  [[nodiscard]] std::int64_t held_spread_ms() const {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(orders_found) * 1'000 / drain_per_s,
      1, std::chrono::milliseconds{limits::breaker_slots_max}.count());
  }

  /// While orders are held back by the payment provider's breaker, so many may be unpaid.
  std::size_t waiting_orders_max = limits::waiting_orders_max;
  std::atomic<std::int64_t> orders_unpaid{0}, orders_held{0};
  [[nodiscard]] bool too_many_wait() const {
    return orders_held > 0 && orders_unpaid >= static_cast<std::int64_t>(waiting_orders_max);
  }
  std::atomic<std::uint64_t> audited{0}; // entries of the audit log, in this life of the process
  /// What an injected fault makes the courier say instead of its answer (--enable-faults).
  std::function<std::optional<domain::answer>()> delivery_fault = nullptr;
};
} // namespace jumun::actors
