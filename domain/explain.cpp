#include "domain/order.hpp"
#include "domain/time_text.hpp"

// One sentence for each place where a saga can stand: what is done, why, since when, what it waits
// for, what comes next, and what is at risk. For operators; no personal data.
namespace jumun::domain {
namespace {
std::string since(const order& o) { return " since " + time_text(o.phase_since_ms); }

std::string amount_text(std::int64_t amount, const std::string& currency) {
  return std::to_string(amount) + " " + currency + " (minor units)";
}

std::string_view doing(phase p) {
  switch (p) {
    case phase::reserving: return "Stock is being reserved";
    case phase::charging: return "The payment provider is being asked for the money";
    case phase::inquiring:
      return "The payment provider is being asked what became of a charge without an answer";
    case phase::dispatching: return "The order is paid and its delivery is being started";
    case phase::committing:
      return "The delivery has started and the reserved stock is leaving the shelf";
    case phase::undelivering: return "The delivery is being stopped";
    case phase::refunding: return "The money is being given back";
    case phase::voiding: return "A charge of unknown outcome is being made void";
    case phase::releasing: return "The stock is being put back";
    default: return "";
  }
}

/// What follows the present phase, and whom it waits for.
std::string_view then(phase p) {
  switch (p) {
    case phase::reserving: return "the payment comes next";
    case phase::charging:
    case phase::inquiring: return "the delivery comes next if it is paid";
    case phase::dispatching: return "the stock leaves the shelf next";
    case phase::committing: return "the courier comes next";
    case phase::undelivering: return "the money is given back next";
    case phase::refunding:
    case phase::voiding: return "the stock is put back next";
    case phase::releasing: return "nothing is left to be undone after that";
    default: return "";
  }
}

std::string_view whom(phase p) {
  switch (p) {
    case phase::charging:
    case phase::inquiring:
    case phase::refunding:
    case phase::voiding: return "the payment provider";
    case phase::dispatching:
    case phase::undelivering: return "the delivery";
    default: return "the inventory";
  }
}

std::string because(const order& o) {
  if (o.why == ending::cancel) return " because the order was cancelled";
  if (o.why == ending::reject) return " because the order was rejected (" + o.failure_code + ")";
  return {};
}

std::string last_said(const order& o) {
  return o.last_error.empty() ? std::string{} : ", last: " + o.last_error;
}

std::string waits_for(const order& o) {
  if (o.paused) return "; an operator has paused it, so nothing is sent until it is resumed";
  if (o.held_since_ms > 0)
    return "; the payment provider has not been asked since " + time_text(o.held_since_ms)
           + " because " + o.last_error + ", and is asked again from "
           + time_text(o.next_attempt_ms) + " on, as its breaker lets it be";
  if (o.next_attempt_ms == 0) return "; the answer of " + std::string{whom(o.at)} + " is awaited";
  return "; " + std::string{whom(o.at)} + " is asked again at " + time_text(o.next_attempt_ms)
         + " (failed attempts: " + std::to_string(o.attempts) + last_said(o) + ")";
}

std::string at_rest_text(const order& o) {
  if (o.at == phase::rejected)
    return "The order was rejected (" + o.failure_code + ") and nothing of it is kept.";
  if (o.at == phase::cancelled && o.payment == payment_status::resolved)
    return "The order was cancelled and undone; a person has settled its money outside of the "
           "payment provider.";
  if (o.at == phase::cancelled) return "The order was cancelled and undone.";
  if (o.delivery == delivery_status::delivered) return "The order was delivered.";
  if (o.delivery == delivery_status::failed)
    return "The courier could not deliver it, so it waits for an operator to resolve it (it was "
           "brought after all) or to cancel it, with "
           + amount_text(money_at_risk(o), o.currency) + " at risk.";
  if (o.shipped) return "The courier has the goods; nothing is owed until the courier reports.";
  return "The goods are ready for the courier; nothing is owed until the courier reports.";
}
} // namespace

std::string explain(const order& o) {
  if (o.poisoned)
    return "Its actor crashed too often (" + o.last_error
           + "), so nothing has been sent for it since " + time_text(o.updated_ms) + ", with "
           + amount_text(money_at_risk(o), o.currency)
           + " at risk; an operator can retry it, and the next start of the process will.";
  if (at_rest(o)) return at_rest_text(o);
  std::string text{doing(o.at)};
  text += because(o) + since(o) + waits_for(o);
  if (o.blocked)
    text += "; its budget is spent" + std::string{o.paused ? "" : " and it still goes on trying"}
            + ", with " + amount_text(money_at_risk(o), o.currency) + " at risk";
  else if (const auto risk = money_at_risk(o); risk > 0)
    text += "; " + amount_text(risk, o.currency) + " are still to be given back";
  return text + "; " + std::string{then(o.at)} + ".";
}
} // namespace jumun::domain
