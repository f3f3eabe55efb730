#include "actors/describe.hpp"
#include "actors/supervisor.hpp"
#include "domain/planted.hpp"
#include <algorithm>
#include <utility>

namespace jumun::actors {
std::string to_string(errc code) {
  switch (code) {
    case errc::restarts_spent: return "restarts_spent";
    case errc::restart_asked: return "restart_asked";
  }
  return "unknown";
}

namespace {
using owned_shard = node_shell::owned_shard;

void spawn_shard(node_self self, domain::shard_id shard) {
  auto& s = self->state;
  auto& of = s.owned.at(shard);
  auto child = self->spawn(supervisor, s.env, domain::shard_lease{shard, of.epoch});
  self->monitor(child);
  of.supervisor = child.address();
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

// -- owning and giving up -------------------------------------------------------------------------

void own(node_self self, domain::shard_lease lease) {
  auto& s = self->state;
  if (const auto known = s.owned.find(lease.shard); known != s.owned.end()) {
    auto& of = known->second;
    if (of.leaving) of.again = std::max(of.again.value_or(0), lease.epoch);
    return; // it is served already
  }
  s.env->journal.reopen(lease.shard, lease.epoch);
  s.owned[lease.shard].epoch = lease.epoch;
  spawn_shard(self, lease.shard);
}

/// Its supervisor has ended. Those below it may not have, quite; but what they append from here on
/// is refused, and what they appended before is waited for.
void gave_up(node_self self, domain::shard_id shard) {
  auto& s = self->state;
  auto left = s.owned.extract(shard);
  auto& of = left.mapped();
  for (const auto* kind : {"supervisor", "inventory", "payment", "delivery"})
    s.env->registry.leave(shard_actor_name(kind, shard));
  s.env->route.update(shard, [](router::shard_actors& a) { a = {}; });
  if (!JUMUN_PLANTED(fence_left_down)) s.env->journal.raise_epoch(shard, of.epoch + 1);
  for (auto& done : of.given_up) s.env->journal.when_durable(std::move(done));
  if (of.again && *of.again >= of.epoch) own(self, {shard, *of.again});
}

void give_up(node_self self, const give_up_shard& m) {
  auto& s = self->state;
  const auto known = s.owned.find(m.shard);
  if (known == s.owned.end()) return s.env->journal.when_durable(m.done);
  auto& of = known->second;
  of.given_up.push_back(m.done);
  of.again.reset();
  if (std::exchange(of.leaving, true)) return;
  if (!of.supervisor) return gave_up(self, m.shard);
  stop_actor(of.supervisor, self->address(), caf::exit_reason::user_shutdown);
}

// -- restarts -------------------------------------------------------------------------------------

void on_down(node_self self, const caf::down_msg& down) {
  auto& s = self->state;
  const auto known = std::find_if(s.owned.begin(), s.owned.end(),
    [&](const auto& one) { return one.second.supervisor == down.source; });
  if (known == s.owned.end()) return;
  auto& [shard, of] = *known;
  of.supervisor = nullptr;
  if (of.leaving) return gave_up(self, shard);
  const auto name = shard_actor_name("supervisor", shard);
  const auto error = text_of(down.reason);
  s.env->registry.fell(name, error, "restarting");
  s.env->warn("supervisor.fell", "actor=" + name + " error=" + error, "");
  if (const auto pause = of.budget.spend(s.env->now_ms()))
    return self->delayed_send(self, *pause, respawn_shard{shard});
  s.env->registry.fell(name, error, "quarantined");
  s.env->escalated("shard " + std::to_string(shard) + " keeps falling: " + error);
}

/// Unless it was given up during the pause.
void respawn_after_pause(node_self self, domain::shard_id shard) {
  const auto known = self->state.owned.find(shard);
  if (known != self->state.owned.end() && !known->second.supervisor) spawn_shard(self, shard);
}
} // namespace

node_actor::behavior_type node(
  node_self self, environment* env, std::vector<domain::shard_lease> owned) {
  self->state.env = env;
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& m) {
    for (const auto& [shard, of] : self->state.owned)
      if (of.supervisor) stop_actor(of.supervisor, self->address(), m.reason);
    self->state.owned.clear();
    self->quit(m.reason);
  });
  for (const auto& lease : owned) own(self, lease);
  return {
    [self](respawn_shard r) { respawn_after_pause(self, r.shard); },
    [self](const own_shard& m) { own(self, m.lease); },
    [self](const give_up_shard& m) { give_up(self, m); },
    [self](
      const describe& d) { d.tell(json_object{}.add("shards", self->state.owned.size()).text()); },
  };
}
} // namespace jumun::actors
