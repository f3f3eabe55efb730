#include "actors/describe.hpp"
#include "actors/supervisor.hpp"

namespace jumun::actors {
std::string to_string(errc code) {
  switch (code) {
    case errc::restarts_spent: return "restarts_spent";
    case errc::restart_asked: return "restart_asked";
  }
  return "unknown";
}

namespace {
void spawn_shard(node_self self, domain::shard_id shard) {
  auto& s = self->state;
  auto child = self->spawn(supervisor, s.env, domain::shard_lease{shard, s.owned.at(shard)});
  self->monitor(child);
  s.shards[child.address()] = shard;
  actor_record r;
  r.name = shard_actor_name("supervisor", shard);
  r.kind = "supervisor";
  r.parent = "node";
  r.shard = shard;
  r.address = child.address();
  r.signs = signs_of(child);
  s.env->registry.enter(std::move(r));
  s.env->route.update(shard, [&](router::shard_actors& a) { a.supervisor = child; });
  // Not before: what a predecessor accepted may still be on its way to the disk.
  s.env->journal.when_durable([child] { caf::anon_send(child, recover{}); });
}

void on_down(node_self self, const caf::down_msg& down) {
  auto& s = self->state;
  const auto known = s.shards.find(down.source);
  if (known == s.shards.end()) return;
  const auto shard = known->second;
  s.shards.erase(known);
  const auto name = shard_actor_name("supervisor", shard);
  const auto error = text_of(down.reason);
  s.env->registry.fell(name, error, "restarting");
  s.env->warn("supervisor.fell", "actor=" + name + " error=" + error, "");
  if (const auto pause = s.budgets[shard].spend(s.env->now_ms()))
    return self->delayed_send(self, *pause, respawn_shard{shard});
  s.env->registry.fell(name, error, "quarantined");
  s.env->escalated("shard " + std::to_string(shard) + " keeps falling: " + error);
}
} // namespace

node_actor::behavior_type node(
  node_self self, environment* env, std::vector<domain::shard_lease> owned) {
  self->state.env = env;
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& m) {
    for (const auto& [who, shard] : self->state.shards) stop_actor(who, self->address(), m.reason);
    self->state.shards.clear();
    self->quit(m.reason);
  });
  for (const auto& lease : owned) self->state.owned[lease.shard] = lease.epoch;
  for (const auto& lease : owned) spawn_shard(self, lease.shard);
  return {
    [self](respawn_shard r) { spawn_shard(self, r.shard); },
    [self](
      const describe& d) { d.tell(json_object{}.add("shards", self->state.shards.size()).text()); },
  };
}
} // namespace jumun::actors
