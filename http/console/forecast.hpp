#pragma once
#include "domain/forecast.hpp"
#include <string>

namespace jumun::http {
/// What the action would do to `now`, as JSON; `node`: that serves the order.
[[nodiscard]] std::string forecast_json(
  const domain::order& now, const domain::forecast& f, std::string_view node);
/// One order of a batch that was not asked what would be: `outcome` is `done`, or a problem's code.
[[nodiscard]] std::string done_json(
  std::string_view order_id, std::string_view outcome, std::string_view detail);
} // namespace jumun::http
