#pragma once
#include "actors/environment.hpp"
#include "domain/hook.hpp"

namespace jumun::actors {
/// The record of this very event, durable or not.
[[nodiscard]] std::optional<domain::hook_record> find_hook(
  const environment& env, const domain::hook_record& like);

/// Puts the record into the write set of its effect (or of its parking), and forgets a few that are
/// older than limits::hooks_kept, so that the table stays bounded.
void remember_hook(storage::write_set& set, const environment& env, domain::hook_record h);

/// False: it speaks of another payment than the one that this order was paid by.
[[nodiscard]] bool about_our_payment(const environment& env, const domain::hook_record& h);

/// 202: it is on disk, whatever it comes to.
[[nodiscard]] domain::stored_reply hook_reply();

/// Those of a shard that wait for their order, oldest first. Blocks; for a start.
[[nodiscard]] std::vector<domain::hook_record> parked_hooks(
  const storage::store& disk, domain::shard_id shard);
} // namespace jumun::actors
