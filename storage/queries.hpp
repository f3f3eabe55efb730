#pragma once
#include "domain/feed_position.hpp"
#include "domain/shard_set.hpp"
#include "storage/rows.hpp"

/// Reads for the edge: what is durable, merged over all shards, or over `only` some of them: a
/// folder may have rows of shards that are another node's. May block on a cold read. Thread-safe.
namespace jumun::storage {
template <class Row> struct page {
  std::vector<Row> rows;
  std::string next_cursor;       // opaque; empty: that was the last page
  std::vector<std::string> keys; // of the rows: by them the pages of many nodes are merged
  char kind = 0;                 // of the cursor, see domain/page_cursor.hpp
};

[[nodiscard]] std::optional<domain::order> find_order(const store& disk, domain::order_id id);
[[nodiscard]] std::optional<domain::stock> find_stock(const store& disk, std::string_view sku);
[[nodiscard]] std::optional<domain::product> find_product(const store& disk, std::string_view sku);

struct order_filter {
  std::string customer, status, saga, sku; // empty: any
  std::optional<std::int64_t> created_after_ms, created_before_ms;
  std::uint32_t phases = 0; // bits by domain::phase's numbers; 0: any
};
/// Newest first by order id's time. With a customer: by their index, so that a page costs what it
/// holds. A cursor that is not ours: nullopt.
[[nodiscard]] std::optional<page<domain::order>> list_orders(const store& disk,
  const order_filter& f, std::size_t limit, std::string_view cursor,
  const domain::shard_set& only = domain::all_shards());
/// Open sagas (in flight or blocked), oldest first; with f.saga `done`: those at rest.
[[nodiscard]] std::optional<page<domain::order>> list_sagas(const store& disk,
  const order_filter& f, std::size_t limit, std::string_view cursor,
  const domain::shard_set& only = domain::all_shards());
/// By SKU.
[[nodiscard]] std::optional<page<domain::stock>> list_stock(const store& disk, std::size_t limit,
  std::string_view cursor, const domain::shard_set& only = domain::all_shards());
[[nodiscard]] std::optional<page<domain::product>> list_products(const store& disk,
  std::size_t limit, std::string_view cursor, const domain::shard_set& only = domain::all_shards());
/// Newest first.
[[nodiscard]] std::optional<page<domain::movement>> list_movements(
  const store& disk, std::string_view sku, std::size_t limit, std::string_view cursor);

struct audit_filter {
  std::string principal, action, target; // empty: any
};
/// Newest first, over all shards.
[[nodiscard]] std::optional<page<domain::audit_entry>> list_audit(const store& disk,
  const audit_filter& f, std::size_t limit, std::string_view cursor,
  const domain::shard_set& only = domain::all_shards());

struct fed_event {
  domain::event fact;
  domain::shard_id shard = 0;
  std::uint64_t offset = 0; // commit order on this node; its cursor
};
/// What the feed has: of each shard the offsets behind `low`, up to and with `last`.
struct feed_bounds {
  domain::feed_position low;
  std::uint64_t last = 0;
  /// One number behind which every shard's are there.
  [[nodiscard]] std::uint64_t begins_after() const { return low.greatest(); }
};
[[nodiscard]] feed_bounds read_feed_bounds(const store& disk);

struct feed_page {
  std::vector<fed_event> rows;
  std::uint64_t next = 0; // read on behind this offset
  bool at_end = true;     // nothing that was durable lies behind `next`
  bool expired = false;   // `after` lies before the feed's begin: some of what was wanted is gone
  feed_bounds bounds;     // as they were while this page was read
};
/// The feed by offset, behind `after` (nullopt: from its begin). topic and key: empty: all.
/// Examines at most 10,000 rows for a page, so a filtered one may be short without being at_end.
/// One key's events are read from its history, and expire only where that begins with a gap.
/// Events of one offset (a shard that moved here brought its own) come together: `limit` may be
/// passed for them.
[[nodiscard]] feed_page read_feed(const store& disk, std::string_view topic, std::string_view key,
  std::optional<std::uint64_t> after, std::size_t limit);
/// The same for `only` some shards, behind each one's own place. feed_position::latest: none of
/// it. `from_begin`: a shard at 0 is read from wherever it begins, and does not expire.
[[nodiscard]] feed_page read_feed(const store& disk, std::string_view topic, std::string_view key,
  const domain::feed_position& after, bool from_begin, std::size_t limit,
  const domain::shard_set& only);
/// All ids in the index of open sagas, shard by shard: what recovery starts from.
[[nodiscard]] std::vector<domain::order_id> open_orders(const store& disk, domain::shard_id shard);

/// The event that the feed's row is about; nullopt: it is not kept any more.
[[nodiscard]] std::optional<domain::event> find_event(
  const store& disk, domain::event_type type, std::string_view key, std::uint64_t sequence);
[[nodiscard]] std::vector<domain::webhook> all_webhooks(const store& disk, domain::shard_id shard);
/// By number.
[[nodiscard]] std::vector<domain::webhook_delivery> all_webhook_deliveries(
  const store& disk, domain::order_id webhook);
/// Newest first. `state`: as name_of, empty: all.
[[nodiscard]] std::optional<page<domain::webhook_delivery>> list_webhook_deliveries(
  const store& disk, domain::order_id webhook, std::string_view state, std::size_t limit,
  std::string_view cursor);
} // namespace jumun::storage
