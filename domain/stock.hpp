#pragma once
#include "domain/order.hpp"
#include "domain/saga.hpp"
#include <optional>

namespace jumun::domain {
/// What is on the menu: a price and a name.
struct product {
  std::string sku;
  std::string name;
  money unit_price;
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;
  std::int64_t updated_ms = 0;
  bool operator==(const product&) const = default;
};

/// What is on the shelf. on_hand = available + reserved, none is ever negative.
struct stock {
  std::string sku;
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::uint64_t version = 0;   // 0: no row yet
  std::uint64_t movements = 0; // number of the last movement
  std::uint64_t sequence = 0;  // of the last event whose key is this SKU
  std::int64_t updated_ms = 0;
  [[nodiscard]] std::int64_t available() const { return on_hand - reserved; }
  bool operator==(const stock&) const = default;
};

/// One change of on_hand. Their deltas add up to on_hand.
struct movement {
  std::string sku;
  std::uint64_t number = 0; // 1.. per SKU
  std::int64_t delta = 0;
  std::string reason; // a person's words, or delivery | restock | count
  std::string reference;
  std::optional<order_id> order;
  std::int64_t on_hand_after = 0;
  std::int64_t time_ms = 0;
  bool operator==(const movement&) const = default;
};

/// The receiver's own memory of (order, line): what makes its commands idempotent.
/// Append, never renumber. released is also the tombstone of a release that came first.
enum class reservation_state : std::uint8_t { live = 1, refused = 2, committed = 3, released = 4 };
struct reservation {
  order_id order;
  std::uint16_t line = 0;
  std::string sku;
  std::int64_t quantity = 0;
  reservation_state state = reservation_state::live;
  std::int64_t updated_ms = 0;
  bool operator==(const reservation&) const = default;
};

/// What a stock command comes to. Without `row`, nothing is written: a repetition.
struct stock_decision {
  stock next;
  std::optional<reservation> row;
  std::optional<movement> moved;
  stock_answered reply;
};
/// Pure. `known` is the row of (order, line), if there is one.
[[nodiscard]] stock_decision reserve(
  stock now, const std::optional<reservation>& known, const reserve_stock& c, std::int64_t now_ms);
[[nodiscard]] stock_decision commit(
  stock now, const std::optional<reservation>& known, const commit_stock& c, std::int64_t now_ms);
[[nodiscard]] stock_decision release(
  stock now, const std::optional<reservation>& known, const release_stock& c, std::int64_t now_ms);

/// What the stock manager asks: `delta` more (or fewer) on the shelf. nullopt: it would leave less
/// than what is reserved, or more than limits::stock_max.
struct adjustment {
  std::int64_t delta = 0;
  std::string reason;
  std::string reference;
};
struct adjusted {
  stock next;
  movement moved;
  event fact; // StockAdjusted
};
[[nodiscard]] std::optional<adjusted> adjust(stock now, const adjustment& a, std::int64_t now_ms);

// -- payment and delivery receivers -------------------------------------------------------------

/// The payment actor's own row: asked: a call may be at the provider. cancelled is also the
/// tombstone.
enum class charge_state : std::uint8_t {
  approved = 1,
  declined = 2,
  cancelling = 3,
  cancelled = 4
};
struct payment_record {
  order_id order;
  charge_state state = charge_state::approved;
  std::int64_t amount = 0;   // taken
  std::int64_t refunded = 0; // given back
  std::string currency;
  std::string reason; // of a decline
  std::uint64_t version = 0;
  std::int64_t updated_ms = 0;
  std::string reference = {}; // the provider's own name for it; the embedded simulator has none
  bool operator==(const payment_record&) const = default;
};

/// The delivery actor's own row; cancelled is also the tombstone, refused stays refused.
enum class booking_state : std::uint8_t { started = 1, refused = 2, cancelled = 3 };
struct delivery_record {
  order_id order;
  booking_state state = booking_state::started;
  std::uint64_t version = 0;
  std::int64_t updated_ms = 0;
  bool operator==(const delivery_record&) const = default;
};
struct delivery_decision {
  std::optional<delivery_record> row; // nullopt: a repetition, nothing is written
  delivery_answered reply;
};
[[nodiscard]] delivery_decision start(
  const std::optional<delivery_record>& known, order_id order, bool served, std::int64_t now_ms);
[[nodiscard]] delivery_decision cancel(
  const std::optional<delivery_record>& known, order_id order, std::int64_t now_ms);
} // namespace jumun::domain
