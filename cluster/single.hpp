#pragma once
#include "cluster/coordinator.hpp"

namespace jumun::cluster {
/// The embedded default: one node, which owns every shard for as long as it lives.
class single final : public coordinator {
public:
  /// `stored`: the map that the data folder was left with; shards of another name change hands, at
  /// a new epoch. The caller stores map() before anything is written under it.
  single(std::string node, domain::shard_map stored);

  std::string kind() const override { return "single"; }
  const std::string& self() const override { return node_; }
  domain::shard_map map() const override { return map_; }
  std::vector<member> members() const override;
  change move(domain::shard_id shard, const std::string& to) override;
  change drain(const std::string& node) override;

private:
  const std::string node_;
  const domain::shard_map map_;
};
} // namespace jumun::cluster
