#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jumun::storage {
/// One RocksDB column family each, by access pattern. Keys start with the shard (DESIGN §5).
/// On disk by name (name_of): append, never rename.
enum class table : std::uint8_t {
  meta,         // cluster-wide facts: format, shard hash, last offset
  orders,       // order_id (16 bytes)                        → order
  open_sagas,   // order_id                                   → nothing: the index for recovery
  stock,        // shard, sku                                 → stock
  reservations, // shard, sku, 0, order_id, line (2)          → reservation
  movements,    // shard, sku, 0, number (8)                  → movement
  products,     // shard, sku                                 → product
  payments,     // order_id                                   → payment_record
  deliveries,   // order_id                                   → delivery_record
  history,      // shard, 'o', order_id, sequence (8) | shard, 's', sku, 0, sequence (8) → event
  feed,         // shard, offset (8) of the last              → keys in history (feed_rows.hpp)
  idempotency,  // shard, hash (16)                           → idempotency_record
  audit,        // shard, time in ms (8), place (8)           → audit_entry; never changed
  hooks,        // shard, 'e', event (32)                     → hook_record
                // shard, 't', time in ms (8), event          → nothing: to forget the oldest
                // shard, 'p', order_id, event                → nothing: those that are parked
  webhooks,     // webhook id (16)                            → webhook
  webhook_deliveries, // webhook id (16), number (8)          → webhook_delivery
  customer_orders, // shard, customer, 0, what follows the shard in order_id → nothing: the index
};
inline constexpr std::size_t table_count = 17;
[[nodiscard]] std::string_view name_of(table t);

/// Append, never renumber: exit codes and alerts are made of these.
enum class errc : std::uint8_t {
  io_failed = 1,
  corrupt,
  full,         // no space left on the device
  held,         // another process has the folder open
  newer_format, // written by a newer release
  not_ours,     // a folder that holds something else, or another shard hash
  fenced,       // a shard that this process wrote to has a newer owner
};
struct failure {
  errc code = errc::io_failed;
  std::string detail;
};

/// One put, or (without a value) one delete.
struct entry {
  table in = table::meta;
  std::string key;
  std::optional<std::string> value;
};

/// Walks one table between two keys. Not thread-safe; sees the store as it was when opened.
class cursor {
public:
  virtual ~cursor() = default;
  [[nodiscard]] virtual bool valid() const = 0;
  [[nodiscard]] virtual std::string_view key() const = 0; // until next()
  [[nodiscard]] virtual std::string_view value() const = 0;
  virtual void next() = 0; // in the cursor's direction
};
enum class direction : std::uint8_t { forward, backward };

/// Port to the disk. rocks_store in production; memory_store in the simulator, where the n-th write
/// fails. Reads see only what is durable. All of it is thread-safe; apply() is called by one
/// thread.
class store {
public:
  virtual ~store() = default;
  /// Makes all of `entries` durable, in order, or none. Blocks for one fsync. After a failure the
  /// entries may or may not be there (a failed fsync tells nobody): never retry, stop.
  [[nodiscard]] virtual std::optional<failure> apply(const std::vector<entry>& entries) = 0;
  /// May block on a cold read. nullopt: not there. A read that fails is reported and ends the
  /// process.
  [[nodiscard]] virtual std::optional<std::string> get(table in, std::string_view key) const = 0;
  /// Keys in [from, to); an empty `to` means to the table's end. backward starts below `to`.
  [[nodiscard]] virtual std::unique_ptr<cursor> scan(
    table in, std::string_view from, std::string_view to, direction way) const = 0;
};

/// The smallest key that is greater than all keys with this prefix; empty: there is none.
[[nodiscard]] std::string after_prefix(std::string_view prefix);
} // namespace jumun::storage
