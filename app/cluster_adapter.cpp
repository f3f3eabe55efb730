#include "app/cluster_adapter.hpp"
#include "actors/supervisor.hpp"

namespace jumun::app {
namespace {
http::moving told(cluster::change c) {
  switch (c) {
    case cluster::change::begun: return http::moving::begun;
    case cluster::change::unknown_node: return http::moving::unknown_node;
    case cluster::change::nowhere_to_go: return http::moving::nowhere_to_go;
    case cluster::change::unavailable: return http::moving::unavailable;
  }
  return http::moving::nowhere_to_go;
}
} // namespace

http::cluster_info cluster_adapter::cluster() {
  const auto& from = node_.coordinator();
  http::cluster_info c{from.self(), from.kind(), from.map().version, {}};
  for (const auto& m : from.members()) c.members.push_back({m.node, m.role, m.state});
  return c;
}

std::vector<http::shard_info> cluster_adapter::shards() {
  const auto map = node_.coordinator().map();
  std::vector<http::shard_info> all;
  for (std::size_t i = 0; i < map.shards.size(); ++i) {
    const auto& s = map.shards[i];
    const auto name = actors::shard_actor_name("supervisor", static_cast<domain::shard_id>(i));
    const auto ours = node_.env().registry.find(name);
    all.push_back({static_cast<int>(i), s.node, ours ? ours->state : "elsewhere", s.epoch});
  }
  return all;
}

http::moving cluster_adapter::move(int shard, const std::string& to) {
  return told(node_.coordinator().move(static_cast<domain::shard_id>(shard), to));
}

http::moving cluster_adapter::drain(const std::string& node) {
  return told(node_.coordinator().drain(node));
}
} // namespace jumun::app
