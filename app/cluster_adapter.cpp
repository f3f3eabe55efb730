#include "app/cluster_adapter.hpp"
#include "actors/supervisor.hpp"
#include "app/cluster/cluster_side.hpp"
#include <algorithm>
#include <map>

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

/// Messages that wait for the actors which a shard has for itself.
std::uint64_t mailbox_of(const actors::actor_registry& all, domain::shard_id shard) {
  std::int64_t depth = 0;
  for (const auto* kind : {"supervisor", "inventory", "payment", "delivery"})
    if (const auto a = all.find(actors::shard_actor_name(kind, shard))) depth += a->mailbox_depth();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, depth));
}

std::map<domain::shard_id, http::move_info> moves_of(const node& inside) {
  std::map<domain::shard_id, http::move_info> out;
  if (const auto* side = inside.side())
    for (auto& p : side->moves().progress())
      out[p.shard] = {std::move(p.from), std::move(p.to), std::move(p.step), p.rows, p.bytes};
  return out;
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
  const auto* side = node_.side();
  if (!side) return c;
  const auto wire = side->wire();
  c.certificate_until_ms = wire.certificate_until * 1'000;
  std::map<std::string_view, std::size_t> links;
  for (const auto& p : wire.peers) links[p.node] = p.links;
  for (const auto& p : side->links())
    c.sees.push_back({p.node, std::string{name_of(p.state)}, p.rtt_us, p.connects, p.in_flight,
      p.unhandled, p.refused_for_credit, p.unknown, links[p.node], p.last_error});
  return c;
}

std::vector<http::shard_info> cluster_adapter::shards() {
  const auto map = node_.coordinator().now()->map;
  const auto lag = node_.journal().lag_us();
  auto moves = moves_of(node_);
  std::vector<http::shard_info> all;
  for (std::size_t i = 0; i < map.shards.size(); ++i) {
    const auto& s = map.shards[i];
    const auto shard = static_cast<domain::shard_id>(i);
    const auto ours = node_.env().registry.find(actors::shard_actor_name("supervisor", shard));
    auto& one = all.emplace_back(http::shard_info{
      static_cast<int>(i), s.node, ours ? ours->state : "elsewhere", s.epoch, s.to});
    if (ours) {
      one.lag_us = lag[i], one.mailbox = mailbox_of(node_.env().registry, shard);
      one.sagas_open = node_.orders().open_in_shard(shard);
      one.decisions = node_.orders().decisions(shard);
    }
    if (const auto moving = moves.find(shard); moving != moves.end())
      one.move = std::move(moving->second);
  }
  return all;
}

http::moving cluster_adapter::move(int shard, const std::string& to) {
  return told(node_.coordinator().move(static_cast<domain::shard_id>(shard), to));
}

http::moving cluster_adapter::drain(const std::string& node) {
  return told(node_.coordinator().drain(node));
}

http::moving cluster_adapter::resume(const std::string& node) {
  return told(node_.coordinator().resume(node));
}
} // namespace jumun::app
