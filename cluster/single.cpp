#include "cluster/single.hpp"

namespace jumun::cluster {
single::single(std::string node, domain::shard_map stored)
    : node_{std::move(node)}, map_{domain::taken_by(node_, std::move(stored))} {}

std::vector<member> single::members() const { return {{node_, "all", "up"}}; }

change single::move(domain::shard_id, const std::string& to) {
  return to == node_ ? change::begun : change::unknown_node;
}

change single::drain(const std::string& node) {
  return node == node_ ? change::nowhere_to_go : change::unknown_node;
}
} // namespace jumun::cluster
