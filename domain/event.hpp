#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jumun::domain {
/// What happened, by the names of API.md. Stored on disk: append, never renumber.
enum class event_type : std::uint8_t {
  order_placed = 1,
  stock_decreased,
  payment_approved,
  delivery_started,
  order_canceled,
  payment_canceled,
  delivery_canceled,
  stock_increased,
  stock_rejected,
  payment_declined,
  payment_outcome_unknown,
  delivery_picked_up,
  delivery_completed,
  delivery_failed,
  order_rejected,
  order_completed,
  saga_blocked,
  operator_acted,
  stock_adjusted,
  product_changed,
};
inline constexpr std::uint8_t event_type_last = 20;

/// `OrderPlaced` and so on: the bare name that is the CloudEvents `type`.
[[nodiscard]] std::string_view name_of(event_type type);
/// The inverse of name_of; nullopt: no event has this name.
[[nodiscard]] std::optional<event_type> parse_event_type(std::string_view name);
/// `orders`, `payments`, `inventory` or `deliveries`.
[[nodiscard]] std::string_view topic_of(event_type type);

/// One fact, in the order's history and in the feed. Carries no token, address or body.
struct event {
  event_type type = event_type::order_placed;
  std::string key;            // CloudEvents partitionkey: the order's public id, or the SKU
  std::uint64_t sequence = 0; // gapless per key, from 1
  std::int64_t time_ms = 0;   // unix milliseconds
  std::string traceparent;
  // data: what applies to the type; empty or 0 is left out of the JSON
  std::string sku;
  std::int64_t quantity = 0;
  std::int64_t amount = 0; // minor units, with `currency`
  std::string currency;
  std::string reason; // a code or a person's words
  std::string detail;
  bool operator==(const event&) const = default;
};
} // namespace jumun::domain
