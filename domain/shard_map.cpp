#include "domain/shard_map.hpp"

namespace jumun::domain {
shard_map taken_by(const std::string& node, shard_map before) {
  bool changed = false;
  for (auto& s : before.shards) {
    if (s.node == node) continue;
    s.node = node;
    ++s.epoch;
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
} // namespace jumun::domain
