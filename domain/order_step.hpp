#pragma once
#include "domain/saga.hpp"

namespace jumun::domain {
/// What an order can come to. Each at most once in an order's life, but for blocked.
enum class milestone : std::uint8_t {
  accepted,
  rejected,
  preparing, // paid, and its delivery has started
  shipped,
  delivered,
  cancelled, // undone: all was given back
  blocked,
};
inline constexpr std::size_t milestone_count = 7;
[[nodiscard]] std::string_view name_of(milestone m);

/// A set of milestones, as bits.
using milestones = std::uint8_t;
[[nodiscard]] constexpr bool contains(milestones all, milestone m) {
  return (all & (1U << static_cast<unsigned>(m))) != 0;
}
/// Those at which this order stands.
[[nodiscard]] milestones milestones_of(const order& o);

/// What one decision made of an order, in a few bytes: who watches and who counts is told this once
/// the decision is durable.
struct order_step {
  order_id id;
  std::uint64_t version = 0;
  bool settled = false;
  milestones reached = 0;    // by this decision
  std::string_view open_as;  // saga_state_of(), a literal; empty: the saga is not open any more
  std::int64_t began_ms = 0; // at rest: when the run began that ended here, else 0
};
[[nodiscard]] order_step step_of(const decision& d);
} // namespace jumun::domain
