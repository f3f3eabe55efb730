#include "actors/supervisor.hpp"
#include "actors/delivery_actor.hpp"
#include "actors/describe.hpp"
#include "actors/hooks.hpp"
#include "actors/idempotency.hpp"
#include "actors/inventory_actor.hpp"
#include "actors/payment_actor.hpp"
#include "actors/saga_actor.hpp"
#include "domain/planted.hpp"
#include "storage/queries.hpp"
#include <algorithm>

namespace jumun::actors {
std::optional<std::chrono::milliseconds> restart_budget::spend(std::int64_t now_ms) {
  using std::chrono::milliseconds;
  const auto window = milliseconds{limits::child_restart_window}.count();
  while (!spent_ms_.empty() && now_ms - spent_ms_.front() > window) spent_ms_.pop_front();
  if (spent_ms_.size() >= limits::child_restarts_max) return {};
  const auto pause = milliseconds{limits::child_restart_base} * (1 << spent_ms_.size());
  spent_ms_.push_back(now_ms);
  return std::min<milliseconds>(pause, limits::child_restart_cap);
}

std::string shard_actor_name(std::string_view kind, domain::shard_id shard) {
  return std::string{kind} + "/" + std::to_string(shard);
}

namespace {
constexpr int recovered_at_a_time = 32;

using domain::order_id;
using storage::table;

std::string_view name_of(role r) {
  switch (r) {
    case role::inventory: return "inventory";
    case role::payment: return "payment";
    case role::delivery: return "delivery";
    case role::saga: return "saga";
  }
  return "";
}

template <class Handle> void enter(
  supervisor_self self, const Handle& child, std::string name, role who, order_id order = {}) {
  const auto& s = self->state;
  actor_record r;
  r.name = std::move(name);
  r.kind = name_of(who);
  r.parent = shard_actor_name("supervisor", s.shard);
  r.shard = s.shard;
  r.order = order;
  r.address = child.address();
  r.signs = signs_of(child);
  s.env->registry.enter(std::move(r));
}

// -- the shard's three fixed children
// ----------------------------------------------------------------

template <class Function> auto spawn_fixed(supervisor_self self, role who, Function make) {
  auto& s = self->state;
  auto child = self->spawn(make, s.env, domain::shard_lease{s.shard, s.epoch});
  self->monitor(child);
  s.fixed[who].address = child.address();
  enter(self, child, shard_actor_name(name_of(who), s.shard), who);
  return child;
}

void spawn_role(supervisor_self self, role who) {
  auto& s = self->state;
  auto& route = s.env->route;
  switch (who) {
    case role::inventory:
      route.update(s.shard, [h = spawn_fixed(self, who, inventory)](auto& a) { a.inventory = h; });
      break;
    case role::payment:
      route.update(s.shard, [h = spawn_fixed(self, who, payment)](auto& a) { a.payment = h; });
      break;
    case role::delivery:
      route.update(s.shard, [h = spawn_fixed(self, who, delivery)](auto& a) { a.delivery = h; });
      break;
    case role::saga: break;
  }
}

// -- sagas
// --------------------------------------------------------------------------------------------

/// The order has appeared: what was said about it before is told now.
void unpark_hooks(supervisor_self self, supervisor_shell::child& child, order_id id) {
  auto& parked = self->state.parked;
  for (auto& h : parked)
    if (h.order == id) child.waiting.emplace_back(hook_message{{{}, std::move(h)}, {}});
  std::erase_if(parked, [id](const auto& h) { return h.order == id; });
}

/// Spawns the saga of `id`; without `fresh` it reads its row itself, so that a bad row is its own
/// crash. It sends nothing before it is told to, or hears a command.
supervisor_shell::child& spawn_saga(
  supervisor_self self, order_id id, std::optional<domain::order> fresh = {}) {
  auto& s = self->state;
  auto& child = s.sagas[id];
  std::shared_ptr<saga_start> start;
  if (fresh) {
    ++s.env->orders_unpaid; // now: the next order may be judged before this saga runs
    start = std::make_shared<saga_start>(saga_start{std::move(fresh), {}});
  } else if (const auto slept = s.dormant.find(id); slept != s.dormant.end()) {
    ++s.woken;
    start = std::make_shared<saga_start>(saga_start{{}, std::move(slept->second)});
    s.dormant.erase(slept);
  }
  child.handle = self->spawn(saga, s.env, supervisor_actor{self}, s.epoch, id, std::move(start));
  child.sent = 0;
  self->monitor(child.handle);
  s.by_address[child.handle.address()] = id;
  enter(self, child.handle, saga_name(id), role::saga, id);
  unpark_hooks(self, child, id);
  auto waiting = std::move(child.waiting);
  child.waiting.clear();
  for (auto& m : waiting) {
    ++child.sent;
    std::visit([&](auto& what) { self->send(child.handle, std::move(what)); }, m);
  }
  return child;
}

template <class Command> order_id order_of(const Command& c) { return c.order; }
order_id order_of(const domain::take_hook& c) { return c.what.order; }
/// All that the supervisor sends to a saga is counted: it may call back one that has just said that
/// it is idle. What comes during the pause of its restart is lost.
template <class Message>
void send_counted(supervisor_self self, supervisor_shell::child& child, Message m) {
  if (!child.handle) return;
  ++child.sent;
  self->send(child.handle, std::move(m));
}
void let_go_on(supervisor_self self, supervisor_shell::child& child) {
  send_counted(self, child, resume{}); // or its restart will
}
/// Spawns a saga that goes on at once with what it owes.
void start_saga(supervisor_self self, order_id id, std::optional<domain::order> fresh = {}) {
  let_go_on(self, spawn_saga(self, id, std::move(fresh)));
}
/// The saga of an order that is open; woken, if it sleeps. Null: there is none.
supervisor_shell::child* awake(supervisor_self self, order_id id) {
  auto& s = self->state;
  if (const auto known = s.sagas.find(id); known != s.sagas.end()) return &known->second;
  return s.dormant.contains(id) ? &spawn_saga(self, id) : nullptr;
}

/// Hands a command on to its order's saga, which is revived from disk when it is at rest.
template <class Message>
void hand_on(supervisor_self self, const Message& m, const domain::request_context& from) {
  auto& s = self->state;
  const auto id = order_of(m.command);
  auto* child = awake(self, id);
  if (!child) {
    if (!s.env->journal.latest(table::orders, storage::order_key(id)))
      return answer_when_durable(*s.env, m.done,
        s.env->present.refused(domain::refusal::not_found, "There is no such order.", "", from));
    ++s.revived;
    child = &spawn_saga(self, id);
  }
  if (!child->handle) return child->waiting.emplace_back(m), void();
  send_counted(self, *child, m);
}

/// What the provider said of an order that is at rest comes too late.
void hand_on_answer(supervisor_self self, const domain::payment_answered& a) {
  if (auto* child = awake(self, a.order)) send_counted(self, *child, a);
}

/// Keeps a hook whose order isn't here; above the bound the oldest one is forgotten.
void park(supervisor_self self, const hook_message& m) {
  auto& s = self->state;
  storage::write_set set;
  set.shard = s.shard;
  set.epoch = s.epoch;
  auto hook = m.command.what;
  hook.parked = true;
  if (s.parked.size() >= limits::hooks_parked_max) {
    const auto& oldest = s.parked.front();
    set.entries.push_back({table::hooks, storage::parked_hook_key(oldest.order, oldest.event), {}});
    s.env->warn("payment.hook_dropped", "too many hooks wait for orders that are not here", "");
    s.parked.pop_front();
  }
  remember_hook(set, *s.env, hook);
  append_or_throw(*s.env, std::move(set), [done = m.done] { done({hook_reply(), {}, false}); });
  hook.parked = false; // once it is taken
  s.parked.push_back(std::move(hook));
}

void take_hook(supervisor_self self, const hook_message& m) {
  auto& s = self->state;
  const auto& hook = m.command.what;
  const auto here = s.sagas.contains(hook.order) || s.dormant.contains(hook.order)
                    || s.env->journal.latest(table::orders, storage::order_key(hook.order));
  if (here) return hand_on(self, m, m.command.from);
  if (find_hook(*s.env, hook)) return answer_when_durable(*s.env, m.done, hook_reply());
  park(self, m);
}

void forget(supervisor_self self, order_id id) {
  auto& s = self->state;
  const auto known = s.sagas.find(id);
  if (known == s.sagas.end()) return;
  if (known->second.handle) s.by_address.erase(known->second.handle.address());
  s.sagas.erase(known);
}

/// One heap a shard, not a timer of CAF's for each saga.
void arm(supervisor_self self) {
  auto& s = self->state;
  if (s.timers.empty()) return;
  const auto due = s.timers.begin()->first;
  if (s.tick_at_ms != 0 && s.tick_at_ms <= due) return;
  s.tick_at_ms = due;
  const auto left = std::max<std::int64_t>(0, due - s.env->now_ms());
  self->delayed_send(self, std::chrono::milliseconds{left}, tick{due});
}

/// Out of memory, and counted as it was: the saga that goes gives its own counts back.
void put_to_sleep(supervisor_self self, order_id id, const saga_notes& notes) {
  auto& s = self->state;
  auto& asleep = s.dormant[id];
  asleep.notes = notes;
  if (notes.unpaid) asleep.unpaid.set(&s.env->orders_unpaid);
  if (notes.held) asleep.held.set(&s.env->orders_held);
  s.env->registry.falls_asleep(saga_name(id));
  if (notes.wake_ms == 0) return;
  s.timers.emplace(notes.wake_ms, id);
  arm(self);
}

void let_rest(supervisor_self self, const saga_at_rest& m) {
  const auto known = self->state.sagas.find(m.order);
  if (known == self->state.sagas.end() || !known->second.handle) return;
  const auto& child = known->second;
  const auto handle = child.handle;
  if (self->current_sender() != caf::actor_cast<caf::strong_actor_ptr>(handle))
    return; // an earlier life of it
  if (child.sent != m.seen && !JUMUN_PLANTED(retired_too_early))
    return;                             // something is on its way to it
  if (m.asleep && child.budget) return; // it has fallen lately: that is not forgotten
  self->demonitor(handle.address());
  forget(self, m.order);
  if (m.asleep)
    put_to_sleep(self, m.order, *m.asleep);
  else
    self->state.env->registry.leave(saga_name(m.order));
  self->send(handle, retire{});
}

/// One poisoned order is set aside, with its error; its shard goes on.
void quarantine(supervisor_self self, order_id id, const std::string& error) {
  auto& s = self->state;
  forget(self, id);
  const auto name = saga_name(id);
  s.env->registry.fell(name, error, "quarantined");
  const auto row = s.env->journal.latest(table::orders, storage::order_key(id));
  auto now = row ? storage::decode<domain::order>(*row) : std::nullopt;
  s.env->warn("saga.quarantined", "actor=" + name + " error=" + error, now ? now->traceparent : "");
  if (!now) return s.env->order_found(id, "blocked"); // unreadable: nothing else can be said
  const auto before = replacing(*now);
  const auto phase = domain::name_of(now->at);
  auto d = domain::advance(
    std::move(*now), domain::found_poisoned{error}, {s.env->now_ms(), s.env->random()});
  if (d.outcome != domain::verdict::applied) return;
  append_or_throw(*s.env, write_set_for(s.epoch, d, before),
    [env = s.env, step = domain::step_of(d)] { env->order_durable(step); });
  s.env->order_moved(phase, d.next);
}

/// Of the newest row; empty: there is none, or it can't be read.
std::string trace_of(const environment& env, order_id id) {
  const auto row = env.journal.latest(table::orders, storage::order_key(id));
  const auto o = row ? storage::decode<domain::order>(*row) : std::nullopt;
  return o ? o->traceparent : "";
}

void saga_fell(supervisor_self self, order_id id, const std::string& error) {
  auto& s = self->state;
  auto& child = s.sagas[id];
  s.by_address.erase(child.handle.address());
  child.handle = nullptr;
  if (!child.budget) child.budget = std::make_unique<restart_budget>();
  const auto pause = child.budget->spend(s.env->now_ms());
  if (!pause && JUMUN_PLANTED(poison_takes_shard_down)) throw std::runtime_error{error};
  if (!pause) return quarantine(self, id, error);
  s.env->registry.fell(saga_name(id), error, "restarting");
  s.env->warn("saga.fell", "actor=" + saga_name(id) + " error=" + error, trace_of(*s.env, id));
  self->delayed_send(self, *pause, respawn{role::saga, id});
}

// -- restarts
// --------------------------------------------------------------------------------------------

void stop_children(supervisor_self self, const caf::error& why) {
  auto& s = self->state;
  const auto stop = [&](const caf::actor_addr& who) { stop_actor(who, self->address(), why); };
  for (const auto& [who, child] : s.fixed) stop(child.address);
  for (const auto& [id, child] : s.sagas) {
    if (child.handle) stop(child.handle.address());
    s.env->registry.leave(saga_name(id));
  }
  for (const auto& [id, asleep] : s.dormant) s.env->registry.leave(saga_name(id), id);
  s.fixed.clear();
  s.sagas.clear();
  s.dormant.clear();
  s.by_address.clear();
}

void role_fell(supervisor_self self, role who, const std::string& error) {
  auto& s = self->state;
  s.env->registry.fell(shard_actor_name(name_of(who), s.shard), error, "restarting");
  s.env->warn(
    "actor.fell", "actor=" + shard_actor_name(name_of(who), s.shard) + " error=" + error, "");
  const auto pause = s.fixed[who].budget.spend(s.env->now_ms());
  if (pause) return self->delayed_send(self, *pause, respawn{who, {}});
  const auto why = caf::make_error(errc::restarts_spent, error);
  stop_children(self, why);
  self->quit(why);
}

void on_down(supervisor_self self, const caf::down_msg& down) {
  auto& s = self->state;
  const auto error = text_of(down.reason);
  if (const auto saga = s.by_address.find(down.source); saga != s.by_address.end())
    return saga_fell(self, saga->second, error);
  for (const auto& [who, child] : s.fixed)
    if (child.address == down.source) return role_fell(self, who, error);
}

/// Some of them at a time: a command to one that has yet to come revives it, so the shard serves
/// meanwhile, however many there are. By way of the clock: an actor that sends to itself keeps its
/// thread, and the other shards would wait to be listed.
void go_on_recovering(supervisor_self self) {
  if (!self->state.to_recover.empty())
    self->delayed_send(self, std::chrono::milliseconds{1}, recover{});
}

void on_respawn(supervisor_self self, const respawn& r) {
  auto& s = self->state;
  if (r.who == role::saga) {
    const auto known = s.sagas.find(r.order);
    if (known == s.sagas.end() || !known->second.handle) start_saga(self, r.order);
    return;
  }
  spawn_role(self, r.who);
  // Questions to the one that fell are lost: ask again now rather than at their deadlines.
  for (auto& [id, child] : s.sagas) let_go_on(self, child);
  if (r.who != role::payment || JUMUN_PLANTED(sleeper_forgotten)) return;
  const bool under_way = !s.to_recover.empty();
  for (const auto& [id, asleep] : s.dormant) s.to_recover.push_back(id);
  if (!under_way) go_on_recovering(self);
}

// -- deadlines: one heap a shard, not a timer of CAF's for each saga
// ----------------------------------------

void on_tick(supervisor_self self, const tick& t) {
  auto& s = self->state;
  if (t.at_ms != s.tick_at_ms) return; // an earlier one has taken its place
  s.tick_at_ms = 0;
  const auto now = std::max(s.env->now_ms(), t.at_ms); // the clock may have been set back since
  while (!s.timers.empty() && s.timers.begin()->first <= now) {
    const auto id = s.timers.begin()->second;
    s.timers.erase(s.timers.begin());
    if (JUMUN_PLANTED(timer_lost) && !s.timers.empty() && s.timers.begin()->first <= now) continue;
    const auto slept = s.dormant.find(id);
    if (slept != s.dormant.end() && slept->second.notes.wake_ms > now) continue; // an older one
    if (auto* child = awake(self, id)) send_counted(self, *child, domain::timer_fired{});
  }
  arm(self);
}

// -- acceptance
// ---------------------------------------------------------------------------------------------

/// Another life of this process accepted it and died before it answered: its next asker waits for
/// it.
void take_over(supervisor_self self, const place_message& m, order_id id) {
  auto& s = self->state;
  storage::write_set set;
  set.shard = s.shard;
  set.epoch = s.epoch;
  remember(set, *s.env, m.command.from, {}, id);
  append_or_throw(*s.env, std::move(set), [done = m.done, id] { done({{}, id, false}); });
}

/// Takes the draft out of `m`.
void place(supervisor_self self, place_message& m) {
  auto& s = self->state;
  auto& c = m.command;
  const auto found = look_up(*s.env, s.shard, c.from);
  if (answered_from_record(*s.env, found, c.from, m.done)) return;
  if (found.what == key_lookup::kind::taken_over) return take_over(self, m, found.order);
  if (s.env->too_many_wait())
    return m.done(
      {s.env->present.refused(domain::refusal::overloaded,
         "Too many orders wait for the payment provider; it is not answering.", "", c.from),
        {}, false});
  auto draft = std::move(c.draft);
  const auto us = s.env->now_us();
  draft.created_ms = us / 1000;
  const auto ms_256th = static_cast<std::uint64_t>(us % 1000 * 256 / 1000);
  draft.id = domain::make_order_id(s.shard, draft.created_ms, ms_256th, s.env->random());
  auto d = domain::begin(std::move(draft));
  const auto id = d.next.id;
  auto set = write_set_for(s.epoch, d, {});
  command_result result;
  if (c.wants_settled) {
    set.patient = true; // its asker waits for what comes of it
    result.to_settle = id;
    remember(set, *s.env, c.from, {}, id);
  } else {
    result.reply = s.env->present.placed(d.next);
    remember(set, *s.env, c.from, result.reply, id);
  }
  append_or_throw(*s.env, std::move(set),
    [env = s.env, step = domain::step_of(d), done = m.done, result = std::move(result)]() mutable {
      env->order_durable(step);
      done(std::move(result));
    });
  ++s.accepted;
  s.env->order_moved("", d.next);
  start_saga(self, id, std::move(d.next));
}

/// The answer of an order that was accepted, as it stands now.
domain::stored_reply placed_reply(const environment& env, order_id id) {
  const auto row = env.journal.latest(table::orders, storage::order_key(id));
  const auto o = row ? storage::decode<domain::order>(*row) : std::nullopt;
  if (!o) throw std::runtime_error{"an accepted order's row can't be read"};
  return env.present.placed(*o);
}

/// Keeps a reply that was made at the edge, or gives back the one that was there first.
void keep_reply(supervisor_self self, const remember_message& m) {
  auto& env = *self->state.env;
  const auto& c = m.command;
  const auto found = look_up(env, self->state.shard, c.from);
  const auto in_progress = found.what == key_lookup::kind::running;
  const auto settles_it = in_progress && c.reply.status < 300; // an edge's 4xx is another request's
  if (!settles_it && answered_from_record(env, found, c.from, m.done)) return;
  // Another life of this process accepted the order: that is the answer, whatever the edge makes of
  // the request today (its price may have changed since).
  const auto taken_over = found.what == key_lookup::kind::taken_over;
  auto reply = taken_over ? placed_reply(env, found.order) : c.reply;
  storage::write_set set;
  set.shard = self->state.shard;
  set.epoch = self->state.epoch;
  std::optional<order_id> order;
  if (found.order != order_id{}) order = found.order;
  remember(set, env, c.from, reply, order);
  append_or_throw(env, std::move(set), [done = m.done, reply = std::move(reply)] {
    done({reply, {}, false});
  });
}

/// What was parked before this life: its order may have come meanwhile, be it at rest.
void recover_parked_hooks(supervisor_self self) {
  auto& s = self->state;
  for (auto& h : parked_hooks(s.env->journal.disk(), s.shard)) {
    const auto same = [&h](const auto& other) { return other.event == h.event; };
    if (std::any_of(s.parked.begin(), s.parked.end(), same)) continue; // came again in this life
    h.parked = false;
    const auto here = s.sagas.contains(h.order) || s.dormant.contains(h.order)
                      || s.env->journal.latest(table::orders, storage::order_key(h.order));
    if (here)
      hand_on(self, hook_message{{{}, std::move(h)}, {}}, {});
    else
      s.parked.push_back(std::move(h));
  }
}

/// Only once all that was appended before this life is on the disk: what its predecessor accepted
/// and died of (or was restarted after) may still be on its way there.
void list_open_sagas(supervisor_self self) {
  auto& s = self->state;
  s.listed = true;
  s.to_recover = storage::open_orders(s.env->journal.disk(), s.shard);
  if (JUMUN_PLANTED(taken_sagas_sleep) && s.epoch > 1) s.to_recover.clear();
  std::reverse(s.to_recover.begin(), s.to_recover.end()); // the oldest is taken first, from behind
  s.env->orders_found += s.to_recover.size();
  for (const auto id : s.to_recover)
    if (!s.sagas.contains(id)) s.env->order_found(id, "recovering");
  recover_parked_hooks(self);
  s.env->recovered(s.shard);
  go_on_recovering(self);
}

/// Most of those that waited before this life may sleep on: no actor is needed to see that. False:
/// not this one, or its row can't be read, which is to be its own crash.
bool sleeps_on(supervisor_self self, order_id id) {
  auto& s = self->state;
  try {
    const auto o = revived_order(*s.env, id);
    const auto wake = domain::may_sleep_until(o, 0, s.env->now_ms(), s.env->dormant_after.count());
    if (!wake || (o.next_attempt_ms == 0 && !o.paused)) return false; // it owes a question
    actor_record r;
    r.name = saga_name(id);
    r.kind = name_of(role::saga);
    r.order = id;
    s.env->registry.enter(std::move(r));
    const auto wake_ms = JUMUN_PLANTED(back_off_forgotten) ? 0 : *wake;
    put_to_sleep(self, id, notes_of(o, wake_ms, 0, /*asked_first=*/false));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void recover_some_sagas(supervisor_self self) {
  auto& s = self->state;
  for (int i = 0; i < recovered_at_a_time && !s.to_recover.empty(); ++i) {
    const auto id = s.to_recover.back();
    s.to_recover.pop_back();
    if (const auto known = s.sagas.find(id); known != s.sagas.end())
      let_go_on(self, known->second); // a command revived it: it has not yet sent what it owes
    else if (s.dormant.contains(id) || !sleeps_on(self, id))
      start_saga(self, id);
  }
  go_on_recovering(self);
}
} // namespace

supervisor_actor::behavior_type supervisor(
  supervisor_self self, environment* env, domain::shard_lease held) {
  auto& s = self->state;
  s.env = env;
  s.shard = held.shard;
  s.epoch = held.epoch;
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& m) {
    stop_children(self, m.reason);
    self->quit(m.reason);
  });
  self->set_exception_handler([self](std::exception_ptr& thrown) {
    auto why = error_of(thrown);
    stop_children(self, why);
    return why;
  });
  for (const auto who : {role::inventory, role::payment, role::delivery}) spawn_role(self, who);
  return {
    [self](place_message& m) { place(self, m); },
    [self](const cancel_message& m) { hand_on(self, m, m.command.from); },
    [self](const report_message& m) { hand_on(self, m, m.command.from); },
    [self](const hook_message& m) { take_hook(self, m); },
    [self](const operate_message& m) { hand_on(self, m, m.command.from); },
    [self](const remember_message& m) { keep_reply(self, m); },
    [self](const domain::payment_answered& a) { hand_on_answer(self, a); },
    [self](recover) { self->state.listed ? recover_some_sagas(self) : list_open_sagas(self); },
    [self](const saga_at_rest& m) { let_rest(self, m); },
    [self](const describe_saga& m) {
      if (auto* child = awake(self, m.order)) send_counted(self, *child, m.what);
    },
    [self](const arm_timer& t) {
      self->state.timers.emplace(t.at_ms, t.order);
      arm(self);
    },
    [self](const tick& t) { on_tick(self, t); },
    [self](const respawn& r) { on_respawn(self, r); },
    // One that is at rest has nothing to wait for.
    [self](const domain::stock_answered& a) {
      auto* child = awake(self, a.order);
      if (child && child->handle) self->send(child->handle, a); // as a shard of this node would
    },
    [self](const ask_again& m) {
      auto& s = self->state;
      std::vector<order_id> asleep;
      for (const auto& [id, saga] : s.dormant)
        if (saga.notes.asks_stock) asleep.push_back(id);
      for (auto& [id, child] : s.sagas) send_counted(self, child, m);
      for (const auto& id : asleep) send_counted(self, *awake(self, id), m);
    },
    [self](const describe& d) {
      const auto& s = self->state;
      d.tell(json_object{}
               .add("shard", static_cast<int>(s.shard))
               .add("sagas", s.sagas.size())
               .add("dormant", s.dormant.size())
               .add("to_recover", s.to_recover.size())
               .add("timers", s.timers.size())
               .add("parked_hooks", s.parked.size())
               .add("accepted", s.accepted)
               .add("revived", s.revived)
               .add("woken", s.woken)
               .text());
    },
  };
}
} // namespace jumun::actors
