#pragma once
#include "app/node.hpp"
#include "http/cluster_view.hpp"

namespace jumun::app {
/// The edge's view of the coordinator, with the state of this node's own shards.
class cluster_adapter final : public http::cluster_view {
public:
  explicit cluster_adapter(node& inside) : node_{inside} {}
  http::cluster_info cluster() override;
  std::vector<http::shard_info> shards() override;
  http::moving move(int shard, const std::string& to) override;
  http::moving drain(const std::string& node) override;
  http::moving resume(const std::string& node) override;

private:
  node& node_;
};
} // namespace jumun::app
