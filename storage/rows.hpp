#pragma once
#include "domain/audit.hpp"
#include "domain/hook.hpp"
#include "domain/order.hpp"
#include "domain/request.hpp"
#include "domain/shard_map.hpp"
#include "domain/stock.hpp"
#include "domain/webhook.hpp"
#include "storage/store.hpp"

/// Rows: one byte of format (row_format), eight bytes of version (little endian, 0 where a row has
/// none), then a protobuf message of rows.proto. An old reader skips the fields that it doesn't
/// know; a format above its own is refused (nullopt). Keys are big endian, so that they sort as
/// they count.
namespace jumun::storage {
inline constexpr std::uint8_t row_format = 1;

[[nodiscard]] std::string order_key(
  domain::order_id id);                                  // orders, open_sagas, payments, deliveries
[[nodiscard]] std::string sku_key(std::string_view sku); // stock, products
[[nodiscard]] std::string reservation_key(
  std::string_view sku, domain::order_id order, std::uint16_t line);
[[nodiscard]] std::string movement_key(std::string_view sku, std::uint64_t number);
[[nodiscard]] std::string history_key(const domain::event& e);
[[nodiscard]] std::string history_prefix(domain::order_id id);
[[nodiscard]] std::string feed_key(domain::shard_id shard, std::uint64_t offset);
[[nodiscard]] std::string idempotency_key(domain::shard_id shard, std::string_view hash);
/// In the index of orders by customer. A customer holds no NUL (the edge sees to it).
[[nodiscard]] std::string customer_order_key(std::string_view customer, domain::order_id id);
/// `place` is that of the entry among those of its millisecond.
[[nodiscard]] std::string audit_key(
  domain::shard_id shard, std::int64_t time_ms, std::uint64_t place);
/// `event`: the digest of a hook's event id; it is the end of the other two.
[[nodiscard]] std::string hook_key(domain::shard_id shard, std::string_view event);
[[nodiscard]] std::string hook_age_key(
  domain::shard_id shard, std::int64_t received_ms, std::string_view event);
[[nodiscard]] std::string parked_hook_prefix(domain::shard_id shard);
[[nodiscard]] std::string parked_hook_key(domain::order_id order, std::string_view event);
[[nodiscard]] std::string_view event_of_hook_age_key(std::string_view key);
[[nodiscard]] std::string_view event_of_parked_hook_key(std::string_view key);
[[nodiscard]] std::string webhook_key(domain::order_id id);
[[nodiscard]] std::string webhook_delivery_key(domain::order_id webhook, std::uint64_t number);
[[nodiscard]] std::optional<domain::order_id> order_of_key(std::string_view key);
inline constexpr std::string_view shard_map_key = "shard_map"; // in meta
/// The last eight bytes of a movement's, event's or feed row's key: its number, sequence or offset.
[[nodiscard]] std::optional<std::uint64_t> number_of_key(std::string_view key);

/// The version in a row's header; nullopt for what is not a row. An event never changes: its row
/// has its offset in the feed there (0: written by a release before 0.2).
[[nodiscard]] std::optional<std::uint64_t> version_of(std::string_view row);
/// Writes the version of a row that encode() made.
void set_version(std::string& row, std::uint64_t version);

[[nodiscard]] std::string encode(const domain::order& o);
[[nodiscard]] std::string encode(const domain::stock& s);
[[nodiscard]] std::string encode(const domain::reservation& r);
[[nodiscard]] std::string encode(const domain::movement& m);
[[nodiscard]] std::string encode(const domain::product& p);
[[nodiscard]] std::string encode(const domain::payment_record& p);
[[nodiscard]] std::string encode(const domain::delivery_record& d);
[[nodiscard]] std::string encode(const domain::event& e);
[[nodiscard]] std::string encode(const domain::idempotency_record& r);
[[nodiscard]] std::string encode(const domain::audit_entry& e);
[[nodiscard]] std::string encode(const domain::shard_map& m);
[[nodiscard]] std::string encode(const domain::hook_record& h);
[[nodiscard]] std::string encode(const domain::webhook& w); // with its secrets, in plain
[[nodiscard]] std::string encode(const domain::webhook_delivery& d);

/// The inverse of encode(); nullopt for a damaged row, one of a newer format, or with a value out
/// of its range. Never throws on account of what the bytes are.
template <class Row> [[nodiscard]] std::optional<Row> decode(std::string_view bytes);
template <> std::optional<domain::order> decode(std::string_view bytes);
template <> std::optional<domain::stock> decode(std::string_view bytes);
template <> std::optional<domain::reservation> decode(std::string_view bytes);
template <> std::optional<domain::movement> decode(std::string_view bytes);
template <> std::optional<domain::product> decode(std::string_view bytes);
template <> std::optional<domain::payment_record> decode(std::string_view bytes);
template <> std::optional<domain::delivery_record> decode(std::string_view bytes);
template <> std::optional<domain::event> decode(std::string_view bytes);
template <> std::optional<domain::idempotency_record> decode(std::string_view bytes);
template <> std::optional<domain::audit_entry> decode(std::string_view bytes);
template <> std::optional<domain::shard_map> decode(std::string_view bytes);
template <> std::optional<domain::hook_record> decode(std::string_view bytes);
template <> std::optional<domain::webhook> decode(std::string_view bytes);
template <> std::optional<domain::webhook_delivery> decode(std::string_view bytes);
} // namespace jumun::storage
