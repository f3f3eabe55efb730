#include "app/cluster/stock_bridge.hpp"
#include "cluster/messages.hpp"
#include "domain/limits.hpp"

namespace jumun::app {
namespace {
using cluster::envelope;
using cluster::message_kind;

std::string step_of(const domain::reserve_stock&) { return "reserve"; }
std::string step_of(const domain::commit_stock&) { return "commit"; }
std::string step_of(const domain::release_stock&) { return "release"; }

/// The same each time that it is asked for: `ord_…/reserve/0`.
template <class Command> std::string id_of(const Command& c) {
  return domain::to_text(domain::id_kind::order, c.order) + "/" + step_of(c) + "/"
         + std::to_string(c.line);
}
} // namespace

stock_bridge::stock_bridge(
  actors::environment& env, caf::actor_system& system, cluster::peers& to, const ownership& owners)
    : env_(env), system_(system), to_(to), owners_(owners),
      stub_(system.spawn(actors::elsewhere, &env,
        actors::outlet<actors::stock_command>{[this](const auto& c) { send(c); }})) {}

void stock_bridge::stop() {
  std::map<std::string, actors::saga_actor> askers;
  {
    const std::lock_guard lock{guard_};
    stopped_ = true;
    askers.swap(askers_);
  }
  for (const auto& [node, asker] : askers)
    caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(stub_, caf::exit_reason::user_shutdown);
}

// -- out ------------------------------------------------------------------------------------------

envelope stock_bridge::envelope_for(domain::shard_id shard, const ownership::owner& owner) const {
  envelope e;
  e.shard = shard;
  e.epoch = owner.epoch;
  e.map_version = owner.map_version;
  // Behind it the saga asks anew; nobody acts on it (clocks differ), but it tells how old it is.
  e.deadline_ms = env_.now_ms() + std::chrono::milliseconds{limits::answer_timeout}.count();
  return e;
}

void stock_bridge::tell(const std::string& node, envelope what, std::atomic<std::uint64_t>& sent) {
  const bool goes = !node.empty() && node != owners_.self() && to_.tell(node, std::move(what));
  ++(goes ? sent : counts_.not_sent);
}

void stock_bridge::send(const actors::stock_command& c) {
  const auto shard = actors::shard_of(c);
  const auto owner = owners_.owner_of(shard);
  auto e = envelope_for(shard, owner);
  std::visit(
    [&e](const auto& command) {
      e.command_id = id_of(command);
      cluster::pack(e, command);
    },
    c);
  tell(owner.node, std::move(e), counts_.commands_sent);
}

/// To the node that asked: another one that owns the order's shard by now asks anew.
void stock_bridge::answer(const std::string& to, const domain::stock_answered& a) {
  const auto shard = domain::shard_of(a.order);
  auto e = envelope_for(shard, owners_.owner_of(shard));
  cluster::pack(e, a);
  tell(to, std::move(e), counts_.answers_sent);
}

// -- in -------------------------------------------------------------------------------------------

bool stock_bridge::take(const std::string& from, const envelope& what) {
  switch (static_cast<message_kind>(what.kind)) {
    case message_kind::reserve_stock: return obey<domain::reserve_stock>(from, what);
    case message_kind::commit_stock: return obey<domain::commit_stock>(from, what);
    case message_kind::release_stock: return obey<domain::release_stock>(from, what);
    case message_kind::stock_answered: return take_answer(what);
    // Its map is newer than ours, or it is not up yet: then it says so when it is.
    case message_kind::not_owner: ++counts_.not_owner_heard; return true;
    case message_kind::shard_reachable: {
      domain::shard_set one;
      let_ask_again(one.set(what.shard));
      return true;
    }
    default: return false;
  }
}

template <class Command> bool stock_bridge::obey(const std::string& from, const envelope& what) {
  const auto c = cluster::unpack<Command>(what);
  if (!c || domain::shard_of(c->sku) != what.shard) {
    ++counts_.malformed;
    return true;
  }
  // A lower epoch is a sender that has not heard yet that we took it; a higher one knows better.
  const auto ours = owners_.epoch_of(what.shard);
  const auto asker = asker_of(from);
  if (!asker) return true; // we are going down
  if (ours == 0 || what.epoch > ours || !actors::obey(env_, *c, asker))
    refuse(from, what);
  else
    ++counts_.commands_taken;
  return true;
}

void stock_bridge::refuse(const std::string& from, const envelope& what) {
  {
    const std::lock_guard lock{guard_};
    in_vain_[what.shard].insert(from);
  }
  auto e = envelope_for(what.shard, owners_.owner_of(what.shard));
  e.kind = static_cast<std::uint16_t>(message_kind::not_owner);
  e.command_id = what.command_id;
  tell(from, std::move(e), counts_.not_owner_said);
}

bool stock_bridge::take_answer(const envelope& what) {
  const auto a = cluster::unpack<domain::stock_answered>(what);
  if (!a) {
    ++counts_.malformed;
    return true;
  }
  ++counts_.answers_taken;
  const auto shard = domain::shard_of(a->order);
  if (const auto to = env_.route.supervisor(shard); to && owners_.serves(shard))
    caf::anon_send(to, *a);
  return true;
}

actors::saga_actor stock_bridge::asker_of(const std::string& node) {
  const std::lock_guard lock{guard_};
  auto& asker = askers_[node];
  if (!asker && !stopped_)
    asker = system_.spawn(actors::asker, &env_,
      actors::outlet<domain::stock_answered>{
        [this, node](const domain::stock_answered& a) { answer(node, a); }});
  return asker;
}

void stock_bridge::reachable(const domain::shard_set& shards) {
  std::map<domain::shard_id, std::set<std::string>> to_tell;
  {
    const std::lock_guard lock{guard_};
    for (const auto n : domain::numbers_of(shards))
      if (auto known = in_vain_.extract(static_cast<domain::shard_id>(n)))
        to_tell.insert(std::move(known));
  }
  for (const auto& [shard, nodes] : to_tell)
    for (const auto& node : nodes) {
      auto e = envelope_for(shard, owners_.owner_of(shard));
      e.kind = static_cast<std::uint16_t>(message_kind::shard_reachable);
      (void)to_.tell(node, std::move(e));
    }
  let_ask_again(shards);
}

void stock_bridge::let_ask_again(const domain::shard_set& shards) {
  for (const auto n : domain::numbers_of(owners_.served()))
    if (const auto to = env_.route.supervisor(static_cast<domain::shard_id>(n)))
      caf::anon_send(to, actors::ask_again{shards});
}

stock_bridge::figures stock_bridge::now() const {
  return {counts_.commands_sent, counts_.commands_taken, counts_.answers_sent,
    counts_.answers_taken, counts_.not_sent, counts_.not_owner_said, counts_.not_owner_heard,
    counts_.malformed};
}
} // namespace jumun::app
