#include "domain/shard_map.hpp"
#include "domain/invariant.hpp"
#include "domain/planted.hpp"
#include <algorithm>

namespace jumun::domain {
shard_map taken_by(const std::string& node, shard_map before) {
  bool changed = false;
  for (auto& s : before.shards) {
    if (s.node == node) continue;
    s = {node, s.epoch + 1};
    changed = true;
  }
  if (changed) ++before.version;
  return before;
}

std::vector<shard_lease> leases_of(const shard_map& map, const std::string& node) {
  std::vector<shard_lease> held;
  for (std::size_t i = 0; i < map.shards.size(); ++i)
    if (map.shards[i].node == node) held.push_back({static_cast<shard_id>(i), map.shards[i].epoch});
  return held;
}

std::vector<wanted_move> wanted_moves(const shard_map& map, const std::string& node) {
  std::vector<wanted_move> wanted;
  for (std::size_t i = 0; i < map.shards.size(); ++i)
    if (const auto& s = map.shards[i]; s.node == node && !s.to.empty())
      wanted.push_back({static_cast<shard_id>(i), s.epoch, s.to});
  return wanted;
}

passing judge_pass(const shard_owner& entry, const std::string& from, epoch_id epoch) {
  if (entry.epoch > epoch) return passing::done;
  if (entry.epoch < epoch) return passing::early;
  return entry.node == from || JUMUN_PLANTED(passed_by_anybody) ? passing::due : passing::fenced;
}

shard_map passed_on(shard_map map, shard_id shard, const std::string& to) {
  JUMUN_INVARIANT(!to.empty(), "a shard that was somebody's is never nobody's");
  auto& s = map.shards[shard];
  s = {to, JUMUN_PLANTED(epoch_stays_at_a_pass) ? s.epoch : s.epoch + 1};
  ++map.version;
  return map;
}

bool covers(const shard_map& map, const shard_map& other) {
  if (JUMUN_PLANTED(older_map_taken)) return true;
  return map.version >= other.version
         && std::equal(map.shards.begin(), map.shards.end(), other.shards.begin(),
           [](const shard_owner& a, const shard_owner& b) { return a.epoch >= b.epoch; });
}

std::string contradiction(const shard_map& a, const shard_map& b) {
  if (!a.lineage.empty() && !b.lineage.empty() && a.lineage != b.lineage)
    return "their lineages are " + a.lineage + " and " + b.lineage;
  for (std::size_t i = 0; i < shard_count; ++i)
    if (const auto& x = a.shards[i], &y = b.shards[i]; x.epoch == y.epoch && x.node != y.node)
      return "shard " + std::to_string(i) + " at epoch " + std::to_string(x.epoch) + " is " + x.node
             + "'s in one and " + y.node + "'s in the other";
  return {};
}

std::variant<shard_map, std::string> merged(const std::vector<shard_map>& stored) {
  shard_map all;
  std::array<std::uint64_t, shard_count> said_by{}; // the version that each entry is from
  for (std::size_t n = 0; n < stored.size(); ++n) {
    const auto& one = stored[n];
    for (std::size_t before = 0; before < n; ++before)
      if (auto why = contradiction(stored[before], one); !why.empty()) return why;
    if (all.lineage.empty()) all.lineage = one.lineage;
    all.version = std::max(all.version, one.version);
    for (std::size_t i = 0; i < shard_count; ++i)
      if (JUMUN_PLANTED(map_rebuilt_from_oldest)
            ? all.shards[i].epoch == 0 || one.shards[i].epoch < all.shards[i].epoch
            : std::pair{one.shards[i].epoch, one.version}
                > std::pair{all.shards[i].epoch, said_by[i]})
        all.shards[i] = one.shards[i], said_by[i] = one.version;
  }
  ++all.version;
  return all;
}
} // namespace jumun::domain
