#pragma once
#include "domain/event.hpp"
#include "domain/hook_news.hpp"
#include "domain/operator.hpp"
#include "domain/order.hpp"
#include <optional>
#include <variant>

namespace jumun::domain {
// -- commands: what a phase owes its peers. Their identity is (order, phase, line): deterministic,
// so that asking again is the same command (DESIGN §4). -----------------------------------------

struct reserve_stock {
  order_id order;
  std::uint16_t line = 0; // index into order::lines
  std::string sku;
  std::int64_t quantity = 0;
};
/// The reserved goods leave the shelf: on_hand and reserved fall.
struct commit_stock {
  order_id order;
  std::uint16_t line = 0;
  std::string sku;
};
/// Undoes a reservation, or a commit (then the goods are back on the shelf). One that comes before
/// its reserve leaves a tombstone, so that a late reserve is refused.
struct release_stock {
  order_id order;
  std::uint16_t line = 0;
  std::string sku;
};
struct charge_payment {
  order_id order;
  std::uint32_t attempt = 0; // 1.. ; the payment id stays the same
  std::int64_t amount = 0;
  std::string currency;
  std::string token;         // secret
  std::string traceparent;   // of the order, for the provider
  bool first = false;        // surely nothing was asked for this order before; owed() never says so
  std::uint64_t version = 0; // of the row that owes it: tells a repetition from a new command
};
struct inquire_payment {
  order_id order;
  std::uint32_t attempt = 0; // the inquiry's own count
  std::int64_t amount = 0;
  std::string currency;
  std::string token; // secret
  std::string traceparent;
};
/// Gives back what was taken, or makes sure that nothing can be taken any more (refund | void).
struct cancel_payment {
  order_id order;
  phase about = phase::refunding; // refunding or voiding
  std::uint32_t attempt = 0;
  std::int64_t amount = 0;
  std::string currency;
  std::string token; // secret
  std::string traceparent;
};
struct start_delivery {
  order_id order;
  std::string country;
};
struct cancel_delivery {
  order_id order;
};
using command = std::variant<reserve_stock, commit_stock, release_stock, charge_payment,
  inquire_payment, cancel_payment, start_delivery, cancel_delivery>;

// -- inputs: what may happen to a saga ----------------------------------------------------------

/// What a peer said. Unknown: it may have happened.
enum class answer : std::uint8_t { done = 1, refused = 2, unknown = 3 };

struct stock_answered {
  order_id order;
  phase about = phase::reserving; // reserving, committing or releasing
  std::uint16_t line = 0;
  answer said = answer::unknown;
  bool moved = false; // releasing: stock really came back (false: only a tombstone was left)
  std::string reason; // of a refusal
};
/// absent: the provider has never heard of it. pending: it is still at work. not_asked: this call
/// surely never left us (breaker open, bulkhead full); about earlier ones it says nothing.
enum class payment_said : std::uint8_t {
  approved = 1,
  declined,
  absent,
  pending,
  cancelled,
  unknown,
  not_asked
};
struct payment_answered {
  order_id order;
  phase about = phase::charging; // charging, inquiring, refunding or voiding
  std::uint32_t attempt = 0;
  payment_said said = payment_said::unknown;
  std::int64_t amount = 0; // cancelled: minor units given back
  std::string reason;
  std::int64_t again_at_ms = 0; // not_asked: not before then
  bool first = false;           // charging: what the command said
};
struct delivery_answered {
  order_id order;
  phase about = phase::dispatching; // dispatching or undelivering
  answer said = answer::unknown;
  bool moved = false; // undelivering: a delivery had really been started
  std::string reason;
};
/// The clock reached next_attempt_ms, or the answers' deadline.
struct timer_fired {};
struct cancel_requested {
  std::string reason;
  std::string traceparent = {}; // the request's own: of all that follows. Empty: the order's stays
};
struct courier_reported {
  delivery_status status = delivery_status::picked_up; // picked_up, delivered or failed
  std::string note;
  std::string traceparent = {}; // the request's own: of its events. Empty: the order's
};
/// The payment provider's hook: an outcome ends the wait for the next question; what it reversed of
/// a paid order is undone, as if the customer had cancelled.
struct provider_reported {
  hook_news news = hook_news::outcome;
};
/// Who holds the stock that it waits for may answer again: the wait for the next question is over.
struct stock_reachable {};
/// Its actor kept crashing (DESIGN §7).
struct found_poisoned {
  std::string error;
};
/// A new life of the process tries what was set aside once more.
struct revived {};
/// Said by a person who may; see operator.hpp.
struct operator_acted {
  operator_action action = operator_action::pause;
  std::string reason;
};
using input =
  std::variant<stock_answered, payment_answered, delivery_answered, timer_fired, cancel_requested,
    courier_reported, found_poisoned, provider_reported, revived, operator_acted, stock_reachable>;

/// Time and chance come in from outside.
struct context {
  std::int64_t now_ms = 0;
  std::uint64_t random = 0; // for jitter
};

enum class verdict : std::uint8_t {
  applied, // persist `next` and `events`, then send `commands`
  noted,   // `next` differs in memory only: nothing to persist, nothing to send
  ignored, // duplicate or late: `next` is the same
  refused, // the asker may not (not cancellable, a step backwards, not now): `next` is the same
};

struct decision {
  order next;
  std::vector<event> events;
  std::vector<command> commands;
  verdict outcome = verdict::ignored;
  std::string refusal; // a code, with verdict::refused
  std::uint8_t reached =
    0; // applied: milestones (order_step.hpp) that `next` has and `now` had not
};

/// A new order: the row to persist, OrderPlaced, and the commands of its first phase.
/// @pre id, customer, lines (one per SKU), currency, total, token, created_ms are set.
[[nodiscard]] decision begin(order fresh);

/// All that the present phase still owes; empty at rest, and while poisoned or paused.
/// Recovery is: load the row, send what is owed (DESIGN §4). There is no second mechanism.
[[nodiscard]] std::vector<command> owed(const order& o);

/// Decides what one input means: the table of API.md. Pure: no clock, no I/O, no randomness.
/// @pre `now` is a state this function or begin() produced.
[[nodiscard]] decision advance(order now, const input& what, context ctx);

/// Its commands go to inventories, which may be on other nodes.
[[nodiscard]] bool asks_stock(phase p);

/// When timer_fired is due, in unix ms: the next attempt, or the deadline for answers; 0: never. At
/// once, where a clock that was set back makes it longer than limits::wait_max.
[[nodiscard]] std::int64_t wake_at(const order& o, std::int64_t asked_ms, std::int64_t now_ms);

/// Whether the saga may leave memory: it has been idle for `patience_ms`, and whatever is expected
/// comes by way of its supervisor, which wakes it then. Then its wake_at (0: never), which is at
/// least `patience_ms` away; nullopt: it is at work, at rest, or set aside.
[[nodiscard]] std::optional<std::int64_t> may_sleep_until(
  const order& o, std::int64_t asked_ms, std::int64_t now_ms, std::int64_t patience_ms);

/// When its supervisor's clock is to look at the saga, in unix ms: wake_at, or earlier, when it
/// will have been idle for long enough to sleep; 0: never.
[[nodiscard]] std::int64_t look_at(
  const order& o, std::int64_t asked_ms, std::int64_t now_ms, std::int64_t patience_ms);

/// base × 2^attempt, capped, with full jitter (AWS Architecture Blog, "Exponential backoff and
/// jitter"): uniform in [0, cap].
[[nodiscard]] std::int64_t backoff_ms(std::uint32_t attempt, bool inverse, std::uint64_t random);
} // namespace jumun::domain
