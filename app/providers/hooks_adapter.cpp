#include "app/providers/hooks_adapter.hpp"
#include "actors/hooks.hpp"
#include "app/answer_to.hpp"
#include "app/providers/stripe_hooks.hpp"
#include "http/command.hpp"

namespace jumun::app {
std::optional<domain::shard_id> hooks_adapter::shard_of(std::string_view body) const {
  const auto read = stripe::read_event(body);
  const auto* hook = std::get_if<domain::hook_record>(&read);
  return hook ? std::optional{domain::shard_of(hook->order)} : std::nullopt;
}

std::optional<http::hook_fault> hooks_adapter::take(
  const call& c, http::done<http::outcome> reply) {
  using http::hook_fault;
  if (c.provider != provider_) return hook_fault::unknown_provider;
  const auto signature = c.field("stripe-signature");
  const auto secrets = secrets_.secrets();
  if (!signature || !stripe::signed_by(*signature, c.body, *secrets, wall_clock_us() / 1'000'000))
    return hook_fault::bad_signature;
  auto read = stripe::read_event(c.body);
  if (std::holds_alternative<stripe::not_an_event>(read)) return hook_fault::malformed;
  auto* hook = std::get_if<domain::hook_record>(&read);
  if (!hook) { // nothing to keep, nothing to do: and no reason for the provider to come again
    reply({actors::hook_reply(), {}});
    return {};
  }
  hook->event = http::digest(provider_ + '\0' + hook->event);
  const auto& env = node_.env();
  const auto to = env.route.supervisor(domain::shard_of(hook->order));
  send_command(env, to, domain::take_hook{c.from, std::move(*hook)}, std::move(reply));
  return {};
}
} // namespace jumun::app
