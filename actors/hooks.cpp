#include "actors/hooks.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"
#include "domain/stock.hpp"
#include <algorithm>

namespace jumun::actors {
using domain::hook_record;
using storage::table;

namespace {
constexpr std::size_t forgotten_at_once = 8; // more than come in: it can't grow

void forget_old_ones(storage::write_set& set, const environment& env) {
  const auto kept = std::chrono::milliseconds{limits::hooks_kept}.count();
  const auto before = env.now_ms() - kept;
  const auto disk = env.journal.disk().scan(table::hooks, storage::hook_age_key(set.shard, 0, ""),
    storage::hook_age_key(set.shard, std::max<std::int64_t>(before, 0), ""),
    storage::direction::forward);
  for (std::size_t n = 0; disk->valid() && n < forgotten_at_once; ++n, disk->next()) {
    const auto event = storage::event_of_hook_age_key(disk->key());
    const auto key = storage::hook_key(set.shard, event);
    const auto row = env.journal.latest(table::hooks, key);
    const auto old = row ? storage::decode<hook_record>(*row) : std::nullopt;
    if (old && old->parked)
      set.entries.push_back({table::hooks, storage::parked_hook_key(old->order, event), {}});
    set.entries.push_back({table::hooks, key, {}});
    set.entries.push_back({table::hooks, std::string{disk->key()}, {}});
  }
}
} // namespace

std::optional<hook_record> find_hook(const environment& env, const hook_record& like) {
  const auto row =
    env.journal.latest(table::hooks, storage::hook_key(domain::shard_of(like.order), like.event));
  return row ? storage::decode<hook_record>(*row) : std::nullopt;
}

void remember_hook(storage::write_set& set, const environment& env, hook_record h) {
  forget_old_ones(set, env);
  const bool parks = h.parked && !JUMUN_PLANTED(parked_hook_lost);
  const auto waits = parks ? std::optional<std::string>{""} : std::nullopt;
  set.entries.push_back({table::hooks, storage::parked_hook_key(h.order, h.event), waits});
  set.entries.push_back(
    {table::hooks, storage::hook_age_key(set.shard, h.received_ms, h.event), ""});
  set.entries.push_back({table::hooks, storage::hook_key(set.shard, h.event), storage::encode(h)});
}

bool about_our_payment(const environment& env, const hook_record& h) {
  const auto row = env.journal.latest(table::payments, storage::order_key(h.order));
  const auto paid = row ? storage::decode<domain::payment_record>(*row) : std::nullopt;
  return !paid || paid->reference.empty() || h.reference.empty() || paid->reference == h.reference;
}

domain::stored_reply hook_reply() {
  domain::stored_reply r;
  r.status = 202;
  r.body = R"({"received":true})";
  return r;
}

std::vector<hook_record> parked_hooks(const storage::store& disk, domain::shard_id shard) {
  std::vector<hook_record> all;
  const auto from = storage::parked_hook_prefix(shard);
  const auto at =
    disk.scan(table::hooks, from, storage::after_prefix(from), storage::direction::forward);
  for (; at->valid(); at->next()) {
    const auto event = storage::event_of_parked_hook_key(at->key());
    const auto row = disk.get(table::hooks, storage::hook_key(shard, event));
    if (auto h = row ? storage::decode<hook_record>(*row) : std::nullopt) all.push_back(*h);
  }
  std::stable_sort(all.begin(), all.end(),
    [](const auto& a, const auto& b) { return a.received_ms < b.received_ms; });
  return all;
}
} // namespace jumun::actors
