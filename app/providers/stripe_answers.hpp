#pragma once
#include "actors/payment_provider.hpp"
#include "app/outbound/http_client.hpp"
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What Stripe's answers mean: pure functions, and the table of them is their unit test.
/// Source: docs.stripe.com/api (PaymentIntents, Refunds, errors, idempotent requests).
namespace jumun::app::stripe {
/// `a=1&b%5Bc%5D=2` (WHATWG URL, application/x-www-form-urlencoded).
[[nodiscard]] std::string form(const std::vector<std::pair<std::string, std::string>>& fields);

/// Stripe's record of one payment.
struct intent {
  std::string id, status, currency; // currency as ours: upper case
  std::string payment_id;           // metadata; empty: none
  std::string decline;              // why it was declined the last time; empty: it was not
  std::int64_t amount = 0;          // asked; the smallest unit of the currency, as ours
  std::int64_t received = 0;
  std::int64_t refunded = 0; // known only where latest_charge was expanded
  bool operator==(const intent&) const = default;
};

enum class heard : std::uint8_t {
  intent,        // 200: `of`
  declined,      // 402: the card was asked, and said no: `reason`; `of` where it was told
  refused,       // 400, 404: these terms are not taken, now or later: `reason`
  key_taken,     // 400 idempotency_error: the key was used with other terms before
  misconfigured, // 401, 403: our key is wrong, which says nothing about the payment
  unclear,       // all else: 409, 429, 5xx, no answer, an answer that is none of theirs
};
struct reading {
  heard what = heard::unclear;
  intent of;
  std::string reason;      // a short code; no content of the answer but Stripe's own code
  bool replayed = false;   // the first answer to this Idempotency-Key, not a fresh one
  bool surely_not = false; // unclear: the request was surely not carried out
};
/// An answer about one PaymentIntent.
[[nodiscard]] reading read_intent(const outbound_response& r);

/// An answer of the search: the first intent that is not canceled, else the first; nullopt: there
/// is none. Unless `what` is intent, the search itself failed.
struct found {
  heard what = heard::unclear;
  std::optional<intent> of;
  std::string reason;
};
[[nodiscard]] found read_search(const outbound_response& r);

struct refund {
  std::string status; // succeeded, pending, …; empty: no refund was made
  std::int64_t amount = 0;
  std::string reason;
  heard what = heard::unclear;
};
[[nodiscard]] refund read_refund(const outbound_response& r);

/// What an intent's state says to a charge or an inquiry. nullopt: nothing sure and nothing under
/// way; it must be given up (canceled) before anything can be said.
[[nodiscard]] std::optional<actors::provider_said> said_of(
  const intent& i, const actors::provider_charge& asked);
/// False: another payment's, amount or currency than was asked. A person must look.
[[nodiscard]] bool matches(const intent& i, const actors::provider_charge& asked);
} // namespace jumun::app::stripe
