#pragma once
#include "domain/order.hpp"
#include <array>
#include <optional>

namespace jumun::domain {
/// What an operator may do to a saga (API.md). Append, never renumber.
enum class operator_action : std::uint8_t { pause = 1, resume, retry_now, cancel, resolve };
inline constexpr std::array all_operator_actions{operator_action::pause, operator_action::resume,
  operator_action::retry_now, operator_action::cancel, operator_action::resolve};
[[nodiscard]] std::string_view name_of(operator_action a);
[[nodiscard]] std::optional<operator_action> parse_operator_action(std::string_view name);

/// Those that would change something now:
/// pause      in flight: nothing more is sent for it; answers to what was asked are still taken
/// resume     paused, or set aside after crashes: all that is owed is sent
/// retry_now  in a back-off, or set aside: what is owed is sent at once
/// cancel     as a customer may, and also after the courier failed with the goods in hand
/// resolve    a person has done by hand what a blocked saga was about: given the money back
///            (refunding, voiding), or brought the goods after the courier failed (then it is
///            delivered; what was lost is cancelled instead). Stock and bookings are our own rows,
///            which nobody can change by hand: those steps are retried, not resolved.
[[nodiscard]] std::vector<operator_action> allowed_actions(const order& o);
/// It stands as this action would leave it: to do it again changes nothing.
[[nodiscard]] bool already_so(const order& o, operator_action a);
} // namespace jumun::domain
