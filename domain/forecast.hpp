#pragma once
#include "domain/saga.hpp"

namespace jumun::domain {
/// What an operator's action would do to an order as it stands: the decision without its effect.
struct forecast {
  /// would-act, no-op (it stands so already), or action-not-allowed.
  std::string_view outcome;
  order next;                          // as it would be; the same where nothing would change
  std::vector<std::string_view> sends; // names of the commands that would go out at once
};
/// Pure. What is on its way to the saga meanwhile may make it another.
[[nodiscard]] forecast foresee(const order& now, const operator_acted& what, context ctx);

/// `reserve_stock` and so on.
[[nodiscard]] std::string_view name_of(const command& c);
} // namespace jumun::domain
