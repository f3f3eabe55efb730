#pragma once
#include "actors/environment.hpp"
#include "actors/messages.hpp"
#include "http/shop.hpp"

namespace jumun::app {
/// One answer to the edge, whatever becomes of the actor that was asked.
[[nodiscard]] inline actors::completion answer_to(
  const actors::environment& env, http::done<http::outcome> reply, domain::request_context from) {
  return actors::completion{[&env, reply = std::move(reply), from = std::move(from)](
                              actors::command_result r) {
    if (r.lost)
      r.reply = env.present.refused(domain::refusal::shard_unavailable,
        "Its actor was restarted before it could answer; ask again with the same Idempotency-Key.",
        "", from);
    reply({std::move(r.reply), r.to_settle, r.lost});
  }};
}

/// Sends a command to an actor of its shard. An empty handle drops it, and the completion says so.
template <class Command, class Handle> void send_command(
  const actors::environment& env, const Handle& to, Command c, http::done<http::outcome> reply) {
  auto done = answer_to(env, std::move(reply), c.from);
  if (to) caf::anon_send(to, actors::asked_by_edge<Command>{std::move(c), std::move(done)});
}
} // namespace jumun::app
