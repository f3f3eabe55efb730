#include "actors/guarded_provider.hpp"

namespace jumun::actors {
namespace {
constexpr std::int64_t unreachable_pause_ms = 1'000; // of a provider that could not even be asked
} // namespace

std::int64_t guarded_provider::forward_ms() {
  const auto shown = around_.now_us() / 1000;
  if (shown + ahead_ms_ < last_ms_) ahead_ms_ = last_ms_ - shown;
  return last_ms_ = shown + ahead_ms_;
}

template <class Ask> auto guarded_provider::with_breaker(Ask ask) {
  const auto chance = around_.random();
  std::unique_lock lock{guard_};
  const domain::context ctx{forward_ms(), chance};
  auto result = ask(breaker_, ctx);
  const auto now = breaker_.state();
  if (std::exchange(last_, now) == now) return result;
  const auto figures = as_shown(breaker_.look(ctx));
  lock.unlock();
  if (around_.changed) around_.changed(figures);
  return result;
}

template <class Call>
void guarded_provider::guarded(domain::order_id about, provider_callback said, Call call) {
  std::int64_t ahead_ms = 0;
  auto verdict = with_breaker([&](domain::breaker& b, const domain::context& ctx) {
    ahead_ms = ahead_ms_;
    return b.ask(about, ctx);
  });
  if (auto* held = std::get_if<domain::breaker::held>(&verdict)) {
    provider_said no{domain::payment_said::not_asked, 0, std::move(held->why)};
    no.again_at_ms = held->again_at_ms - ahead_ms;
    return said(std::move(no));
  }
  const auto number = std::get<domain::breaker::passed>(verdict).call;
  call([this, number, said = std::move(said)](provider_said what) {
    const bool failed =
      what.said == domain::payment_said::unknown || what.said == domain::payment_said::not_asked;
    with_breaker([&](domain::breaker& b, const domain::context& ctx) {
      b.answered(number, failed, ctx);
      return 0;
    });
    if (what.said == domain::payment_said::not_asked && what.again_at_ms == 0)
      what.again_at_ms = around_.now_us() / 1000 + unreachable_pause_ms;
    said(std::move(what));
  });
}

void guarded_provider::charge(provider_charge c, provider_callback said) {
  guarded(c.order, std::move(said),
    [&](provider_callback hear) { inner_.charge(std::move(c), std::move(hear)); });
}
void guarded_provider::inquire(provider_charge c, provider_callback said) {
  guarded(c.order, std::move(said),
    [&](provider_callback hear) { inner_.inquire(std::move(c), std::move(hear)); });
}
void guarded_provider::cancel(provider_charge c, provider_callback said) {
  guarded(c.order, std::move(said),
    [&](provider_callback hear) { inner_.cancel(std::move(c), std::move(hear)); });
}

domain::breaker_figures guarded_provider::as_shown(domain::breaker_figures b) const {
  b.since_ms -= ahead_ms_;
  if (b.next_probe_ms != 0) b.next_probe_ms -= ahead_ms_;
  return b;
}

domain::breaker_figures guarded_provider::look() {
  return with_breaker(
    [this](domain::breaker& b, const domain::context& ctx) { return as_shown(b.look(ctx)); });
}
} // namespace jumun::actors
