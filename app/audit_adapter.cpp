#include "app/audit_adapter.hpp"
#include "app/pages.hpp"

namespace jumun::app {
void audit_adapter::record(domain::audit_entry entry, http::done<bool> then) {
  entry.time_ms = env_.now_ms();
  storage::write_set set; // shard 0: of no order, and the lists merge all shards
  set.epoch = env_.journal.epoch_of(set.shard);
  set.entries.push_back({storage::table::audit,
    storage::audit_key(set.shard, entry.time_ms, env_.random()), storage::encode(entry)});
  const auto said = env_.journal.append(std::move(set), [then] { then(true); });
  if (said != storage::append_result::ok) then(false);
}

std::optional<http::listed<domain::audit_entry>> audit_adapter::list(
  const http::audit_query& q, std::size_t limit, const std::string& cursor) {
  return listed(
    storage::list_audit(env_.journal.disk(), {q.principal, q.action, q.target}, limit, cursor));
}
} // namespace jumun::app
