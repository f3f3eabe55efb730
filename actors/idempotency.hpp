#pragma once
#include "actors/environment.hpp"
#include "actors/messages.hpp"

namespace jumun::actors {
/// What the record of an Idempotency-Key says to a request that brings it.
struct key_lookup {
  enum class kind : std::uint8_t { fresh, replay, running, taken_over, reused } what = kind::fresh;
  domain::stored_reply reply; // replay
  domain::order_id order;     // running, taken_over
};
/// Reads the newest record, durable or not; fresh when the request brings no key, or the record is
/// older than limits::idempotency_kept. taken_over: whoever accepted it
/// died before it answered (the process, or an actor on the answer's way).
[[nodiscard]] key_lookup look_up(
  const environment& env, domain::shard_id shard, const domain::request_context& from);

/// Puts the record into the effect's own write set. Nothing, when the request brings no key.
void remember(storage::write_set& set, const environment& env, const domain::request_context& from,
  std::optional<domain::stored_reply> reply, std::optional<domain::order_id> order = {});

/// Answers a request whose key has been used: replay, 409 running, 422 reused. False for a fresh
/// one.
[[nodiscard]] bool answered_from_record(const environment& env, const key_lookup& found,
  const domain::request_context& from, const completion& done);

/// Sends `reply` once all that it may have seen is durable.
void answer_when_durable(
  const environment& env, const completion& done, domain::stored_reply reply);

/// Appends the set and answers once it is durable. @throws std::runtime_error when the journal
/// refuses: the actor's rows are not the newest, it must come back from disk.
void append_or_throw(
  const environment& env, storage::write_set set, storage::durable_callback then);
} // namespace jumun::actors
