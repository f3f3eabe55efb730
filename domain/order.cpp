#include "domain/order.hpp"
#include "domain/planted.hpp"
#include <algorithm>

namespace jumun::domain {
namespace {
std::string_view forward_status(const order& o) {
  switch (o.payment) {
    case payment_status::none:
      if (o.charges_asked > 0) return "paying"; // held back before anything was asked
      return o.version <= 1 ? "pending" : "reserving";
    case payment_status::approved:
    case payment_status::refunded:
    case payment_status::resolved: return "paid";
    default: return "paying";
  }
}
} // namespace

std::string_view status_of(const order& o) {
  switch (o.at) {
    case phase::rejected: return "rejected";
    case phase::cancelled: return "cancelled";
    case phase::fulfilled:
      if (o.delivery == delivery_status::delivered) return "delivered";
      return o.shipped ? "shipped" : "preparing";
    default: return o.why == ending::cancel ? "cancelling" : forward_status(o);
  }
}

std::string_view saga_state_of(const order& o) {
  if (o.poisoned) return "blocked";
  if (at_rest(o)) return o.blocked ? "blocked" : "done";
  if (o.paused) return "paused"; // a person has it in hand: told before why it needed one
  if (o.blocked) return "blocked";
  return o.next_attempt_ms > 0 || o.held_since_ms > 0 ? "waiting" : "running";
}

std::string_view name_of(payment_status s) {
  switch (s) {
    case payment_status::none: return "none";
    case payment_status::pending: return "pending";
    case payment_status::approved: return "approved";
    case payment_status::declined: return "declined";
    case payment_status::unknown: return "unknown";
    case payment_status::refunded: return "refunded";
    case payment_status::voided: return "voided";
    case payment_status::resolved: return "resolved";
  }
  return "";
}

std::string_view name_of(delivery_status s) {
  switch (s) {
    case delivery_status::none: return "none";
    case delivery_status::started: return "started";
    case delivery_status::picked_up: return "picked_up";
    case delivery_status::delivered: return "delivered";
    case delivery_status::failed: return "failed";
    case delivery_status::cancelled: return "cancelled";
    case delivery_status::refused: return "refused";
  }
  return "";
}

std::string_view name_of(phase p) {
  switch (p) {
    case phase::reserving: return "reserving";
    case phase::charging: return "charging";
    case phase::inquiring: return "inquiring";
    case phase::dispatching: return "dispatching";
    case phase::committing: return "committing";
    case phase::fulfilled: return "fulfilled";
    case phase::undelivering: return "undelivering";
    case phase::refunding: return "refunding";
    case phase::voiding: return "voiding";
    case phase::releasing: return "releasing";
    case phase::rejected: return "rejected";
    case phase::cancelled: return "cancelled";
  }
  return "";
}

bool at_rest(const order& o) {
  return o.at == phase::fulfilled || o.at == phase::rejected || o.at == phase::cancelled;
}

bool settled(const order& o) { return at_rest(o) || saga_state_of(o) == "blocked"; }

bool cancellable(const order& o) {
  return o.why == ending::none && (!o.shipped || JUMUN_PLANTED(shipped_is_cancellable))
         && o.delivery != delivery_status::delivered
         && o.at != phase::rejected && o.at != phase::cancelled;
}

bool unpaid(const order& o) {
  return o.why == ending::none && !o.poisoned
         && (o.at == phase::reserving || o.at == phase::charging || o.at == phase::inquiring);
}

std::int64_t money_at_risk(const order& o) {
  if (o.why == ending::none && !o.blocked) return 0;
  if (o.captured > 0) return std::max<std::int64_t>(0, o.captured - o.refunded - o.settled_outside);
  const auto unsure = o.payment == payment_status::pending || o.payment == payment_status::unknown;
  return unsure && !at_rest(o) ? o.total : 0;
}
} // namespace jumun::domain
