#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace jumun::domain {
/// One of the 256 virtual shards, fixed for a cluster's life (DESIGN §3).
using shard_id = std::uint8_t;
inline constexpr std::size_t shard_count = 256;

/// Rises with each change of a shard's owner (domain/shard_map.hpp).
using epoch_id = std::uint64_t;

/// Names one order for all time. 128 bits: shard 8 | unix milliseconds 48 | 1/256 of one 8 | random
/// 64, so that ids sort by the time of acceptance behind their shard. All zero is never valid.
struct order_id {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  auto operator<=>(const order_id&) const = default;
};

[[nodiscard]] order_id make_order_id(
  shard_id shard, std::int64_t unix_ms, std::uint64_t ms_256th, std::uint64_t random);
[[nodiscard]] inline shard_id shard_of(order_id id) { return static_cast<shard_id>(id.hi >> 56); }
[[nodiscard]] inline std::int64_t accepted_ms(order_id id) {
  return static_cast<std::int64_t>((id.hi >> 8) & 0xffff'ffff'ffffULL);
}

/// FNV-1a 64 with a final mix. Its name is stored with the data: another function would look for
/// rows where they are not.
inline constexpr std::string_view shard_hash_name = "fnv1a64-mix13";
[[nodiscard]] std::uint64_t stable_hash(std::string_view bytes);
/// The shard of a SKU, or of an idempotency scope. Pure.
[[nodiscard]] inline shard_id shard_of(std::string_view key) {
  return static_cast<shard_id>(stable_hash(key) >> 56);
}

/// What a public id names; an order's payment, delivery and cancellation share its 128 bits.
enum class id_kind : std::uint8_t { order, payment, delivery, cancellation, event, webhook };

/// `ord_` (pay_, dlv_, cxl_, evt_, whk_) + 26 characters of Crockford base32, upper case.
[[nodiscard]] std::string to_text(id_kind kind, order_id id);
/// The inverse; nullopt for another prefix, length or alphabet. Lower case is accepted.
[[nodiscard]] std::optional<order_id> parse_id(id_kind kind, std::string_view text);
} // namespace jumun::domain

template <> struct std::hash<jumun::domain::order_id> {
  std::size_t operator()(const jumun::domain::order_id& id) const noexcept {
    return static_cast<std::size_t>(id.hi ^ (id.lo * 0x9e3779b97f4a7c15ULL));
  }
};
