#pragma once
#include "actors/payment_provider.hpp"
#include "domain/breaker.hpp"
#include <mutex>

namespace jumun::actors {
/// A payment provider behind a circuit breaker and a bulkhead (domain/breaker.hpp), shared by all
/// payment actors. A call that is held back is answered not_asked at once, on the caller's thread,
/// and surely never reaches the provider. Thread-safe; calls the provider outside of its lock.
class guarded_provider final : public payment_provider {
public:
  struct surroundings {
    std::function<std::int64_t()> now_us;  // unix microseconds; thread-safe
    std::function<std::uint64_t()> random; // thread-safe
    /// After each change of state; outside of the lock, on the thread of a call or of an answer.
    std::function<void(const domain::breaker_figures&)> changed;
  };
  /// `inner` outlives this, and none of its callbacks may come once this is gone.
  guarded_provider(payment_provider& inner, domain::breaker_settings with, surroundings around)
      : inner_(inner), around_(std::move(around)), breaker_(with, around_.now_us() / 1000) {}

  void charge(provider_charge c, provider_callback said) override;
  void inquire(provider_charge c, provider_callback said) override;
  void cancel(provider_charge c, provider_callback said) override;

  [[nodiscard]] domain::breaker_figures look(); // times as the clock shows them

private:
  /// Asks the breaker; then `call`s with a callback that tells it the answer.
  template <class Call> void guarded(domain::order_id about, provider_callback said, Call call);
  /// One question to the breaker, under the lock; tells of a change of state afterwards.
  template <class Ask> auto with_breaker(Ask ask);

  payment_provider& inner_;
  surroundings around_;
  /// Unix milliseconds, but never going back: a clock that is set back by an hour must not keep the
  /// breaker open for an hour. Under the lock.
  std::int64_t forward_ms();
  [[nodiscard]] domain::breaker_figures as_shown(domain::breaker_figures b) const;

  std::mutex guard_;
  std::int64_t last_ms_ = 0, ahead_ms_ = 0; // of forward_ms(); how far it is ahead of the clock
  domain::breaker breaker_;
  domain::breaker_state last_ = domain::breaker_state::closed;
};
} // namespace jumun::actors
