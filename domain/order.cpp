#include "domain/order.hpp"

namespace jumun::domain {
namespace {
std::string_view forward_status(const order& o) {
  switch (o.payment) {
    case payment_status::none:
      if (o.at == phase::charging) return "paying"; // held back before anything was asked
      return o.version <= 1 ? "pending" : "reserving";
    case payment_status::approved:
    case payment_status::refunded: return "paid";
    default: return "paying";
  }
}
std::string amount_text(std::int64_t amount, const std::string& currency) {
  return std::to_string(amount) + " " + currency + " (minor units)";
}
std::string waiting_text(const order& o) {
  if (o.held_since_ms > 0) return "; this call waits and was not made, because " + o.last_error;
  if (o.next_attempt_ms == 0) return "; its answer is awaited";
  std::string text = "; it is asked again after a pause (" + std::to_string(o.attempts) + " so far";
  if (!o.last_error.empty()) text += ", last: " + o.last_error;
  return text + ")";
}
std::string_view sentence_for(phase p) {
  switch (p) {
    case phase::reserving: return "Stock is being reserved";
    case phase::charging: return "The payment provider is asked for the money";
    case phase::inquiring:
      return "The charge's outcome is unknown, so the provider is asked by our payment id";
    case phase::dispatching: return "The order is paid and its delivery is being started";
    case phase::committing:
      return "The delivery has started and the reserved stock is leaving the shelf";
    case phase::undelivering: return "The delivery is being stopped";
    case phase::refunding: return "The money is being given back";
    case phase::voiding: return "A charge of unknown outcome is being made void";
    case phase::releasing: return "Reserved stock is being put back";
    case phase::fulfilled: return "The saga is done; the courier reports from here";
    case phase::rejected: return "The order was rejected and nothing of it is kept";
    case phase::cancelled: return "The order was cancelled and undone";
  }
  return "";
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
  if (o.blocked) return "blocked";
  if (at_rest(o)) return "done";
  if (o.paused) return "paused";
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

bool settled(const order& o) { return at_rest(o) || o.blocked; }

bool cancellable(const order& o) {
  return o.why == ending::none && !o.shipped && o.delivery != delivery_status::delivered
         && o.at != phase::rejected && o.at != phase::cancelled;
}

bool unpaid(const order& o) {
  return o.why == ending::none && !o.poisoned
         && (o.at == phase::reserving || o.at == phase::charging || o.at == phase::inquiring);
}

std::int64_t money_at_risk(const order& o) {
  if (o.why == ending::none && !o.blocked) return 0;
  if (o.captured > 0) return o.captured - o.refunded;
  const auto unsure = o.payment == payment_status::pending || o.payment == payment_status::unknown;
  return unsure && !at_rest(o) ? o.total : 0;
}

std::string explain(const order& o) {
  if (o.poisoned)
    return "Its actor crashed too often (" + o.last_error
           + "), so nothing is sent for it until the process starts anew.";
  std::string text{sentence_for(o.at)};
  if (o.at == phase::fulfilled && o.delivery == delivery_status::failed)
    return "The courier could not deliver it, so it waits for an operator.";
  if (o.at == phase::fulfilled && o.delivery == delivery_status::delivered)
    return "The order was delivered.";
  if (at_rest(o)) return text + ".";
  if (o.why == ending::cancel) text += " because the order was cancelled";
  if (o.why == ending::reject) text += " because the order was rejected (" + o.failure_code + ")";
  if (o.paused) return text + "; an operator has paused it.";
  text += waiting_text(o);
  if (o.blocked)
    text += "; its budget is spent, " + amount_text(money_at_risk(o), o.currency)
            + " at risk, and it still goes on trying";
  return text + ".";
}
} // namespace jumun::domain
