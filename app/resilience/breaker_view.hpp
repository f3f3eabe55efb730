#pragma once
#include "actors/guarded_provider.hpp"
#include "http/breakers.hpp"

namespace jumun::app {
/// The payment provider's breaker, for the edge and for metrics.
class breaker_view final : public http::breakers {
public:
  explicit breaker_view(actors::guarded_provider& payments) : payments_(payments) {}
  std::vector<http::breaker_info> look() override {
    const auto b = payments_.look();
    return {{"payment-provider", std::string{domain::name_of(b.state)}, b.since_ms, b.calls,
      b.failures, b.in_flight, b.waiting, b.next_probe_ms, b.opened, b.held_back}};
  }

private:
  actors::guarded_provider& payments_;
};
} // namespace jumun::app
