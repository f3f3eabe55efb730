#pragma once
#include "domain/ids.hpp"
#include <string>
#include <vector>

namespace jumun::domain {
/// Minor units + ISO 4217. One order has one currency.
struct money {
  std::int64_t amount = 0;
  std::string currency;
  bool operator==(const money&) const = default;
};

/// Where a saga stands. Stored on disk: append, never renumber.
enum class phase : std::uint8_t {
  reserving =
    1, // forward: reserving → charging (⇄ inquiring) → dispatching → committing → fulfilled
  charging,
  inquiring,   // the charge's outcome is unknown: asking the provider by our id
  dispatching, // paid; the delivery is being started
  committing,  // delivery started; reserved stock leaves the shelf
  fulfilled,   // the saga has done its part; the courier reports from here
  undelivering, // backward: undelivering → refunding | voiding → releasing → rejected | cancelled
  refunding,
  voiding, // like refunding, where the charge may never have happened
  releasing,
  rejected,
  cancelled,
};

/// Why a saga goes backward.
enum class ending : std::uint8_t { none = 0, reject = 1, cancel = 2 };

/// noted: held, by an answer that is in memory only; it becomes held with its event at the next
/// write.
enum class line_state : std::uint8_t { open = 0, held, refused, committed, released, noted };

struct order_line {
  std::string sku;
  std::string name;
  std::int64_t quantity = 0;
  std::int64_t unit_price = 0; // minor units of the order's currency
  line_state state = line_state::open;
  bool operator==(const order_line&) const = default;
};

/// none: nothing asked yet. unknown: asked, no sure answer. voided: surely not taken. resolved: a
/// person has settled it outside of the provider, who may keep it for all we know. Append only.
enum class payment_status : std::uint8_t {
  none = 0,
  pending,
  approved,
  declined,
  unknown,
  refunded,
  voided,
  resolved
};
/// Append only.
enum class delivery_status : std::uint8_t {
  none = 0,
  started,
  picked_up,
  delivered,
  failed,
  cancelled,
  refused
};

struct address {
  std::string line1, line2, city, postal_code, country; // personal data: rows only, never logs
  bool operator==(const address&) const = default;
};

/// One order and its saga: the row, and everything that recovery needs.
struct order {
  order_id id;
  std::string customer;
  std::string principal;         // who placed it
  std::vector<order_line> lines; // one per SKU
  std::string currency;
  std::int64_t total = 0;
  std::string method; // "card"
  std::string token;  // secret: for the provider only
  address ship_to;
  std::string traceparent;

  phase at = phase::reserving;
  ending why = ending::none;
  payment_status payment = payment_status::none;
  std::int64_t captured = 0; // minor units that the provider took
  std::int64_t refunded = 0; // minor units that it gave back
  /// Minor units that a person says to have given back by other means: never in `refunded`.
  std::int64_t settled_outside = 0;
  delivery_status delivery = delivery_status::none;
  bool shipped = false; // the courier has had it: cancelling is over, even after a failure
  bool cancel_requested = false;
  std::string cancel_reason;
  std::int64_t cancel_requested_ms = 0;
  std::string failure_code; // empty: none
  std::string failure_detail;

  std::uint32_t attempts = 0;       // of the present phase, beyond the first
  std::uint32_t charges_asked = 0;  // charge attempts, all of one payment id
  std::int64_t phase_since_ms = 0;  // when the present phase began
  std::int64_t next_attempt_ms = 0; // 0: not waiting
  std::string last_error;           // of the present phase
  bool blocked = false;             // a person should look; inverses still go on
  bool poisoned = false;            // its actor kept crashing: nothing is sent any more
  bool paused = false;              // by an operator: nothing is sent, answers are still taken
  bool resolved = false; // an operator has done something by hand that the saga was about
  /// Since when its provider surely was not asked, as a breaker held the call back; 0: not held.
  std::int64_t held_since_ms = 0;

  std::uint64_t version = 0;  // rises with every write
  std::uint64_t sequence = 0; // of the last event in its history
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  bool operator==(const order&) const = default;
};

// -- what the world may see of it: pure functions of the row ------------------------------------

/// `pending`, `reserving`, … `cancelled`: the order's axis (API.md, "Placing an order").
[[nodiscard]] std::string_view status_of(const order& o);
/// `running`, `waiting`, `paused`, `blocked`, `done`: the saga's axis.
[[nodiscard]] std::string_view saga_state_of(const order& o);
[[nodiscard]] std::string_view name_of(payment_status s);
[[nodiscard]] std::string_view name_of(delivery_status s);
[[nodiscard]] std::string_view name_of(phase p);
/// rejected, preparing, shipped, delivered, cancelled, or blocked.
[[nodiscard]] bool settled(const order& o);
/// Nothing is owed any more; only a cancellation or a courier can move it.
[[nodiscard]] bool at_rest(const order& o);
/// In the index of open sagas: not at rest, or blocked (so that it is listed).
[[nodiscard]] inline bool open(const order& o) { return !at_rest(o) || o.blocked; }
[[nodiscard]] bool cancellable(const order& o);
/// Accepted, and nobody knows yet whether it will be paid: what piles up behind a provider that is
/// down.
[[nodiscard]] bool unpaid(const order& o);
/// Minor units that a customer paid and that this saga still has to give back.
[[nodiscard]] std::int64_t money_at_risk(const order& o);
/// One sentence: why it stands where it stands. For operators; no personal data.
[[nodiscard]] std::string explain(const order& o);
} // namespace jumun::domain
