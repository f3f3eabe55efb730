#include "app/audit_adapter.hpp"
#include "app/pages.hpp"

namespace jumun::app {
void audit_adapter::record(domain::audit_entry entry, http::done<bool> then) {
  if (elsewhere_ && node_.served().none()) return elsewhere_(std::move(entry), std::move(then));
  record_here(std::move(entry), std::move(then));
}

void audit_adapter::record_here(domain::audit_entry entry, http::done<bool> then) {
  auto& env = node_.env();
  entry.time_ms = env.now_ms();
  const auto place = env.audit_place();
  const auto row = storage::encode(entry);
  // Of no order, and the lists merge all shards: any of ours that does not leave just now.
  for (const auto n : domain::numbers_of(node_.served())) {
    const auto shard = static_cast<domain::shard_id>(n);
    storage::write_set set;
    set.shard = shard;
    set.epoch = node_.epoch_of(shard);
    if (set.epoch == 0) continue; // it has just left
    set.entries.push_back(
      {storage::table::audit, storage::audit_key(shard, entry.time_ms, place), row});
    const auto said = env.journal.append(std::move(set), [then] { then(true); });
    if (said == storage::append_result::ok) return;
  }
  then(false); // we have none
}

std::optional<http::listed<domain::audit_entry>> audit_adapter::list(
  const http::audit_query& q, std::size_t limit, const std::string& cursor) {
  return listed_by(node_, [&](const domain::shard_set& ours) {
    return storage::list_audit(
      node_.disk(), {q.principal, q.action, q.target}, limit, cursor, ours);
  });
}
} // namespace jumun::app
