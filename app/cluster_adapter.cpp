#include "app/cluster_adapter.hpp"
#include "actors/supervisor.hpp"
#include "app/cluster/cluster_side.hpp"

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

std::string_view name_of(cluster::link_state s) {
  switch (s) {
    case cluster::link_state::away: return "away";
    case cluster::link_state::up: return "up";
    case cluster::link_state::refused: return "refused";
  }
  return "away";
}
} // namespace

http::cluster_info cluster_adapter::cluster() {
  const auto& from = node_.coordinator();
  const auto now = from.now();
  const auto link = from.link();
  http::cluster_info c{from.self(), from.kind(), now->map.version, now->assigner,
    link.up || node_.alone() ? "" : link.error};
  for (const auto& m : now->members) {
    http::member_info one{m.node, m.role, m.state, m.incarnation, m.release, m.protocol, m.tunnel,
      m.http, m.ops, m.map_version, 0};
    for (const auto& s : now->map.shards) one.shards += s.node == m.node;
    c.members.push_back(std::move(one));
  }
  if (auto* side = node_.side())
    for (const auto& p : side->links())
      c.sees.push_back(
        {p.node, std::string{name_of(p.state)}, p.rtt_us, p.connects, p.in_flight, p.last_error});
  return c;
}

std::vector<http::shard_info> cluster_adapter::shards() {
  const auto map = node_.coordinator().now()->map;
  std::vector<http::shard_info> all;
  for (std::size_t i = 0; i < map.shards.size(); ++i) {
    const auto& s = map.shards[i];
    const auto name = actors::shard_actor_name("supervisor", static_cast<domain::shard_id>(i));
    const auto ours = node_.env().registry.find(name);
    all.push_back({static_cast<int>(i), s.node, ours ? ours->state : "elsewhere", s.epoch, s.to});
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
