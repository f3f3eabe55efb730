#include "app/resilience/faulty_provider.hpp"
#include <boost/asio/steady_timer.hpp>
#include <memory>

namespace jumun::app {
using actors::provider_callback;
using actors::provider_charge;
using domain::payment_said;

namespace {
constexpr std::string_view name = "payment-provider";

/// What the fault does to a call of any kind. False: nothing, so make the call.
bool fails(const http::fault& f, const provider_callback& said) {
  if (f.mode == "timeout") return true;
  if (f.mode != "error") return false;
  said({payment_said::unknown, 0, "a fault was injected"});
  return true;
}
} // namespace

faulty_provider::~faulty_provider() {
  delays_.stop();
  delays_.join();
}

void faulty_provider::after(std::int64_t delay_ms, std::function<void()> act) {
  if (delay_ms == 0) return act();
  auto timer = std::make_shared<boost::asio::steady_timer>(
    delays_.get_executor(), std::chrono::milliseconds{delay_ms});
  timer->async_wait([timer, act = std::move(act)](const boost::system::error_code& stopped) {
    if (!stopped) act();
  });
}

void faulty_provider::charge(provider_charge c, provider_callback said) {
  const auto f = board_.hit(name);
  if (!f) return inner_.charge(std::move(c), std::move(said));
  after(f->delay_ms, [this, f = *f, c = std::move(c), said = std::move(said)] {
    if (fails(f, said)) return;
    if (f.mode == "decline") return said({payment_said::declined, 0, "a fault was injected"});
    if (f.mode == "timeout_after_charge")
      return inner_.charge(c, [](const actors::provider_said&) {});
    inner_.charge(c, said);
  });
}

void faulty_provider::inquire(provider_charge c, provider_callback said) {
  const auto f = board_.hit(name);
  if (!f) return inner_.inquire(std::move(c), std::move(said));
  after(f->delay_ms, [this, f = *f, c = std::move(c), said = std::move(said)] {
    if (!fails(f, said)) inner_.inquire(c, said);
  });
}

void faulty_provider::cancel(provider_charge c, provider_callback said) {
  const auto f = board_.hit(name);
  if (!f) return inner_.cancel(std::move(c), std::move(said));
  after(f->delay_ms, [this, f = *f, c = std::move(c), said = std::move(said)] {
    if (!fails(f, said)) inner_.cancel(c, said);
  });
}
} // namespace jumun::app
