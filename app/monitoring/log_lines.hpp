#pragma once
#include "domain/order.hpp"
#include "http/logs.hpp"
#include <string>
#include <string_view>

namespace jumun::app {
/// What actors have to say, as lines of the log. `traceparent` is the order's: its trace_id is the
/// line's; empty: the line is about no order.
void log_actor_warning(std::string_view event, std::string detail, std::string_view traceparent);
/// A debug line `saga.step` for each decision about an order. `from`: the phase before it; empty:
/// it was just accepted.
void log_saga_step(std::string_view from, const domain::order& now);

/// The edge's port to the log of this process.
class process_logs final : public http::logs {
public:
  [[nodiscard]] bool debugs() const override;
  void access(const http::access_line& line) override;
  [[nodiscard]] std::string_view level() const override;
  [[nodiscard]] bool set_level(std::string_view name) override;
};
} // namespace jumun::app
