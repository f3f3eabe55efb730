#include "app/cluster/cluster_core.hpp"

namespace jumun::app {
using weight = cluster::note::weight;

cluster_core::cluster_core(outside with, domain::shard_map stored, bool new_disk, inside node)
    : with_(std::move(with)),
      owners_(with_.node, std::move(stored), new_disk, around_ownership(node)),
      stock_(node.env, node.system, with_.peers, owners_),
      mover_(std::make_shared<mover>(around_mover(node))) {
  for (std::size_t i = 0; i < domain::shard_count; ++i)
    node.env.route.update(static_cast<domain::shard_id>(i),
      [this](actors::router::shard_actors& a) { a.inventory = stock_.stub(); });
  on_tell(
    [this](const auto& from, const auto& what, const auto&) { return stock_.take(from, what); });
  hear_peers();
}

void cluster_core::hear_peers() {
  with_.peers.on_tell(
    [this](const std::string& from, const cluster::envelope& what, const cluster::receipt& held) {
      if (!listening_) return;
      for (const auto& taker : tell_takers_)
        if (taker(from, what, held)) return;
    });
  with_.peers.on_ask([this](const std::string& from, const cluster::envelope& what,
                       const cluster::reply_once& reply) {
    if (!listening_) return;
    if (mover::takes(what)) return mover_->take(from, what, reply);
    for (const auto& taker : ask_takers_)
      if (taker(from, what, reply)) return;
    reply.unsupported();
  });
  // Its answers may have been lost with the link.
  with_.peers.on_change([this](const std::string& node, cluster::link_state now) {
    const bool up = now == cluster::link_state::up;
    with_.say({weight::info, "peer.link", "node=" + node + (up ? " up=true" : " up=false")});
    if (up && listening_) stock_.reachable(owners_.shards_of(node));
  });
}

ownership::surroundings cluster_core::around_ownership(const inside& node) {
  const auto root = node.root;
  auto* env = &node.env;
  return {node.env.journal,
    [root](domain::shard_lease lease) { caf::anon_send(root, actors::own_shard{lease}); },
    [root, leaving = node.leaving](domain::shard_id shard, std::function<void()> done) {
      leaving(shard);
      caf::anon_send(root, actors::give_up_shard{shard, std::move(done)});
    },
    [this, env](domain::shard_id shard) {
      env->route.update(shard, [this](actors::router::shard_actors& a) {
        a = {};
        a.inventory = stock_.stub();
      });
    },
    node.left, [this](const domain::shard_set& shards) { stock_.reachable(shards); },
    [this](std::uint64_t version) { with_.agreed.durable(version); },
    [this](std::string_view event, std::string detail) {
      with_.say({weight::error, event, std::move(detail)});
    },
    [this](domain::shard_lease lease, bool held, bool fresh) {
      return mover_->may_serve(lease, held, fresh);
    },
    [this](domain::shard_lease lease) { return mover_->gave_away(lease); }};
}

mover::surroundings cluster_core::around_mover(const inside& node) {
  return {with_.node, node.env.journal, with_.peers, with_.run, with_.later,
    [this](domain::shard_id shard, std::function<void()> done) {
      owners_.give_up(shard, std::move(done));
    },
    [this](domain::shard_id shard) { owners_.take_back(shard); },
    [this](domain::shard_id shard) {
      const auto owner = owners_.owner_of(shard);
      return std::pair{owner.node, owner.epoch};
    },
    [this](domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
      std::function<void(cluster::passed)> done) {
      with_.agreed.pass(shard, epoch, to, std::move(done));
    },
    with_.now_ms, with_.random,
    [this](std::string_view event, std::string detail) {
      const bool usual =
        event == "shard.moved" || event == "shard.move_failed"; // it is tried again
      with_.say({usual ? weight::info : weight::warn, event, std::move(detail)});
    },
    with_.reached, [this] { return with_.agreed.link().up; },
    [this](domain::shard_id shard) { return !owners_.missing().test(shard); }};
}

void cluster_core::open() {
  listening_ = true;
  mover_->start();
}

void cluster_core::follow(const cluster::view& now) {
  owners_.follow(now);
  if (!now.joined) return;
  domain::shard_set coming;
  for (std::size_t i = 0; i < domain::shard_count; ++i)
    coming[i] = now.map.shards[i].to == with_.node;
  mover_->want(domain::wanted_moves(now.map, with_.node), coming);
}

void cluster_core::quiet() {
  listening_ = false;
  with_.agreed.stop();
  mover_->stop();
}
} // namespace jumun::app
