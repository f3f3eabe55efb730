#pragma once
#include "domain/saga.hpp"
#include <functional>
#include <string>

namespace jumun::actors {
struct provider_charge {
  domain::order_id order;
  std::string payment_id;  // the idempotency key at the provider: never a new one on a retry
  std::int64_t amount = 0; // minor units
  std::string currency;
  std::string token;            // secret
  std::string traceparent = {}; // W3C Trace Context of the order; empty: none
  std::string reference = {};   // the provider's own name for it, where it is known
};
struct provider_said {
  domain::payment_said said = domain::payment_said::unknown;
  std::int64_t amount = 0; // cancelled: minor units given back (0: nothing had been taken)
  std::string reason;
  std::string reference = {};   // the provider's own name for it; empty: none was told
  std::int64_t again_at_ms = 0; // not_asked: unix ms, not before then; 0: whenever
};
using provider_callback = std::function<void(provider_said)>; // at most once, on any thread

/// Port to a payment provider: money is outside of us. Every call is idempotent by payment_id,
/// returns at once, and may never call back: the payment actor has the deadline. Called only once
/// what owes it is durable. Any of them may also say not_asked, when the call surely never left.
class payment_provider {
public:
  virtual ~payment_provider() = default;
  /// approved, declined (reason), or unknown (it failed; it may have happened).
  virtual void charge(provider_charge c, provider_callback said) = 0;
  /// approved, declined, absent (never heard of it), pending (at work), cancelled, or unknown.
  /// With all that its charge had, for providers that can only be asked by asking again.
  virtual void inquire(provider_charge c, provider_callback said) = 0;
  /// cancelled with the amount given back; from then on a charge of this payment_id is declined. Or
  /// unknown.
  virtual void cancel(provider_charge c, provider_callback said) = 0;
};
} // namespace jumun::actors
