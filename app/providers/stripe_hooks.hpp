#pragma once
#include "app/providers/secret_file.hpp"
#include "domain/hook.hpp"
#include <span>
#include <string_view>
#include <variant>

/// Stripe's webhooks: pure functions. Source: docs.stripe.com/webhooks, "Verify manually".
namespace jumun::app::stripe {
/// True: `header` (`t=UNIX_SECONDS,v1=HEX[,v1=HEX…]`) has a v1 that is HMAC-SHA256 of "t.body" by
/// one of `secrets`, and its time is within limits::hook_tolerance of `now_s`. Compared in constant
/// time; several v1 and several secrets are for rotation.
[[nodiscard]] bool signed_by(std::string_view header, std::string_view body,
  std::span<const std::string> secrets, std::int64_t now_s);

struct not_an_event {};
struct not_for_us {}; // of another kind, or of no order of ours
/// What an event's body says. `event` of the record is the provider's id, still to be digested.
[[nodiscard]] std::variant<domain::hook_record, not_for_us, not_an_event> read_event(
  std::string_view body);
} // namespace jumun::app::stripe
