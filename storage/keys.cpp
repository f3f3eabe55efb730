#include "storage/rows.hpp"

namespace jumun::storage {
namespace {
void append_u64(std::string& to, std::uint64_t n) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<char>(n >> shift));
}
void append_id(std::string& to, domain::order_id id) {
  append_u64(to, id.hi);
  append_u64(to, id.lo);
}
std::uint64_t read_u64(std::string_view bytes) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < 8; ++i) n = (n << 8) | static_cast<unsigned char>(bytes[i]);
  return n;
}
/// shard, sku, 0: what all rows of one SKU start with. A SKU holds no NUL (the edge sees to it).
std::string sku_prefix(std::string_view sku, std::size_t room_for) {
  std::string key;
  key.reserve(2 + sku.size() + room_for);
  key.push_back(static_cast<char>(domain::shard_of(sku)));
  key.append(sku);
  key.push_back('\0');
  return key;
}
/// Stock and product events belong to a SKU, whatever the SKU looks like; all others to an order.
std::optional<domain::order_id> order_of(const domain::event& e) {
  using domain::event_type;
  if (e.type == event_type::stock_adjusted || e.type == event_type::product_changed) return {};
  return domain::parse_id(domain::id_kind::order, e.key);
}
} // namespace

std::string order_key(domain::order_id id) {
  std::string key;
  key.reserve(16);
  append_id(key, id);
  return key;
}

std::string sku_key(std::string_view sku) {
  std::string key;
  key.reserve(1 + sku.size());
  key.push_back(static_cast<char>(domain::shard_of(sku)));
  key.append(sku);
  return key;
}

std::string reservation_key(std::string_view sku, domain::order_id order, std::uint16_t line) {
  auto key = sku_prefix(sku, 18);
  append_id(key, order);
  key.push_back(static_cast<char>(line >> 8));
  key.push_back(static_cast<char>(line));
  return key;
}

std::string movement_key(std::string_view sku, std::uint64_t number) {
  auto key = sku_prefix(sku, 8);
  append_u64(key, number);
  return key;
}

std::string history_prefix(domain::order_id id) {
  std::string key;
  key.reserve(26);
  key.push_back(static_cast<char>(domain::shard_of(id)));
  key.push_back('o');
  append_id(key, id);
  return key;
}

std::string history_key(const domain::event& e) {
  std::string key;
  if (const auto id = order_of(e)) {
    key = history_prefix(*id);
  } else {
    key.reserve(11 + e.key.size());
    key.push_back(static_cast<char>(domain::shard_of(e.key)));
    key.push_back('s');
    key.append(e.key);
    key.push_back('\0');
  }
  append_u64(key, e.sequence);
  return key;
}

std::string feed_key(domain::shard_id shard, std::uint64_t offset) {
  std::string key;
  key.reserve(9);
  key.push_back(static_cast<char>(shard));
  append_u64(key, offset);
  return key;
}

std::string idempotency_key(domain::shard_id shard, std::string_view hash) {
  std::string key;
  key.reserve(1 + hash.size());
  key.push_back(static_cast<char>(shard));
  key.append(hash);
  return key;
}

std::string customer_order_key(std::string_view customer, domain::order_id id) {
  const auto order = order_key(id);
  std::string key;
  key.reserve(order.size() + customer.size() + 1);
  key.push_back(order.front());
  key.append(customer);
  key.push_back('\0');
  key.append(order, 1);
  return key;
}

std::string audit_key(domain::shard_id shard, std::int64_t time_ms, std::uint64_t place) {
  std::string key;
  key.reserve(17);
  key.push_back(static_cast<char>(shard));
  append_u64(key, static_cast<std::uint64_t>(time_ms));
  append_u64(key, place);
  return key;
}

std::string hook_key(domain::shard_id shard, std::string_view event) {
  return std::string{static_cast<char>(shard), 'e'}.append(event);
}

std::string hook_age_key(domain::shard_id shard, std::int64_t received_ms, std::string_view event) {
  std::string key{static_cast<char>(shard), 't'};
  append_u64(key, static_cast<std::uint64_t>(received_ms));
  return key.append(event);
}

std::string parked_hook_prefix(domain::shard_id shard) { return {static_cast<char>(shard), 'p'}; }

std::string parked_hook_key(domain::order_id order, std::string_view event) {
  auto key = parked_hook_prefix(domain::shard_of(order));
  append_id(key, order);
  return key.append(event);
}

std::string_view event_of_hook_age_key(std::string_view key) {
  return key.substr(std::min<std::size_t>(key.size(), 10));
}

std::string_view event_of_parked_hook_key(std::string_view key) {
  return key.substr(std::min<std::size_t>(key.size(), 18));
}

std::string webhook_key(domain::order_id id) { return order_key(id); }

std::string webhook_delivery_key(domain::order_id webhook, std::uint64_t number) {
  auto key = webhook_key(webhook);
  append_u64(key, number);
  return key;
}

std::optional<domain::order_id> order_of_key(std::string_view key) {
  if (key.size() != 16) return {};
  return domain::order_id{read_u64(key), read_u64(key.substr(8))};
}

std::optional<std::uint64_t> number_of_key(std::string_view key) {
  if (key.size() < 8) return {};
  return read_u64(key.substr(key.size() - 8));
}
} // namespace jumun::storage
