#include "actors/saga_actor.hpp"
#include "actors/describe.hpp"
#include "actors/hooks.hpp"
#include "actors/idempotency.hpp"
#include "domain/planted.hpp"
#include <algorithm>

namespace jumun::actors {
namespace {
using storage::table;

domain::context context_of(const environment& env) { return {env.now_ms(), env.random()}; }

// -- act ------------------------------------------------------------------------------------------

/// Sends one command to the actor that it is for. Nobody waits: what isn't answered is asked again.
class sender {
public:
  explicit sender(saga_self self) : self_(self) {}
  template <class Command> void to_inventory(const Command& c) const {
    if (auto to = env().route.inventory(domain::shard_of(c.sku)))
      self_->send(to, asked<Command>{c, me()});
  }
  void operator()(const domain::reserve_stock& c) const { to_inventory(c); }
  void operator()(const domain::commit_stock& c) const { to_inventory(c); }
  void operator()(const domain::release_stock& c) const { to_inventory(c); }
  void operator()(const domain::charge_payment& c) const { to_payment(c); }
  void operator()(const domain::inquire_payment& c) const { to_payment(c); }
  void operator()(const domain::cancel_payment& c) const { to_payment(c); }
  void operator()(const domain::start_delivery& c) const { to_delivery(c); }
  void operator()(const domain::cancel_delivery& c) const { to_delivery(c); }

private:
  template <class Command> void to_payment(const Command& c) const {
    if (auto to = env().route.at(domain::shard_of(c.order)).payment)
      self_->send(to, asked_of_payment<Command>{c, our_supervisor()});
  }
  template <class Command> void to_delivery(const Command& c) const {
    if (auto to = env().route.at(domain::shard_of(c.order)).delivery)
      self_->send(to, asked<Command>{c, me()});
  }
  [[nodiscard]] const environment& env() const { return *self_->state.env; }
  [[nodiscard]] saga_actor me() const { return saga_actor{self_}; }
  /// The provider may take long: its answer wakes us by way of our supervisor.
  [[nodiscard]] const supervisor_actor& our_supervisor() const { return self_->state.supervisor; }
  saga_self self_;
};

/// Arms the supervisor's clock where the next wake-up is earlier than the one that it holds.
void arm(saga_self self) {
  auto& s = self->state;
  const auto at = domain::look_at(s.now, s.asked_ms, s.env->now_ms(), s.env->dormant_after.count());
  if (at == 0 || (s.armed_ms != 0 && s.armed_ms <= at)) return;
  s.armed_ms = at;
  self->send(s.supervisor, arm_timer{s.now.id, at});
}

/// What piles up behind a payment provider that is down, for the bound on it.
void tally_up(saga_shell& s) {
  s.unpaid.set(domain::unpaid(s.now) ? &s.env->orders_unpaid : nullptr);
  s.held.set(s.now.held_since_ms > 0 ? &s.env->orders_held : nullptr);
}

void act(saga_self self, const std::vector<domain::command>& commands) {
  auto& s = self->state;
  if (!commands.empty()) s.asked_ms = s.env->now_ms();
  for (const auto& c : commands) {
    if (const auto* charge = std::get_if<domain::charge_payment>(&c)) s.asked_first = charge->first;
    std::visit(sender{self}, c);
  }
  tally_up(s);
  arm(self);
}

/// To its supervisor, which may retire it then.
void tell_if_idle(saga_self self) {
  auto& s = self->state;
  if (s.told_idle) return;
  saga_at_rest idle{s.now.id, s.commands};
  if (!domain::at_rest(s.now) && !s.now.poisoned) {
    const auto wake =
      domain::may_sleep_until(s.now, s.asked_ms, s.env->now_ms(), s.env->dormant_after.count());
    if (!wake) return;
    idle.asleep = notes_of(s.now, *wake, s.asked_ms, s.asked_first);
  }
  s.told_idle = true;
  self->send(s.supervisor, idle);
}

/// Something came by way of the supervisor, which doesn't retire a saga that has yet to handle it.
void hear(saga_shell& s) {
  ++s.commands;
  s.told_idle = false;
}

// -- decide, persist, act: the order is the guarantee ---------------------------------------------

/// What goes into the decision's write set beside the row, and what waits for it to be durable.
struct attached {
  const domain::request_context* from = nullptr; // whose key remembers `reply`
  std::optional<storage::entry> audit;
  std::optional<domain::stored_reply> reply;
  completion done;
};

/// Takes the decision's events; the rest of it is left.
void persist(saga_self self, domain::decision& d, replaced_order before, attached with) {
  auto& env = *self->state.env;
  auto set = write_set_for(self->state.epoch, d, before);
  if (with.from) remember(set, env, *with.from, with.reply);
  if (with.audit && !JUMUN_PLANTED(audit_line_forgotten))
    set.entries.push_back(std::move(*with.audit));
  set.patient = !with.done && !domain::settled(d.next); // what follows it will be waited for
  append_or_throw(env, std::move(set),
    [&env, step = domain::step_of(d), done = std::move(with.done),
      reply = std::move(with.reply)]() mutable {
      env.order_durable(step);
      if (done && reply) done({std::move(*reply), {}, false});
    });
  env.order_moved(domain::name_of(before.at), d.next);
}

/// One input, whatever it is. @returns how it was decided.
domain::verdict feed(saga_self self, const domain::input& what) {
  auto& s = self->state;
  const auto before = replacing(s.now);
  auto d = domain::advance(std::move(s.now), what, context_of(*s.env));
  if (d.outcome == domain::verdict::applied) persist(self, d, before, {});
  s.now = std::move(d.next);
  if (d.outcome == domain::verdict::ignored) ++s.ignored;
  if (d.outcome == domain::verdict::ignored || d.outcome == domain::verdict::refused)
    return d.outcome;
  act(self, d.commands);
  tell_if_idle(self);
  return d.outcome;
}

/// An input that somebody at the edge waits for: its answer is durable with its effect.
template <class Render> void feed_for_edge(saga_self self, const domain::input& what,
  const domain::request_context& from, const completion& done, Render render,
  domain::refusal refusal, std::string_view why_refused) {
  auto& s = self->state;
  hear(s);
  const auto found = look_up(*s.env, domain::shard_of(s.now.id), from);
  if (answered_from_record(*s.env, found, from, done)) return tell_if_idle(self);
  auto d = domain::advance(s.now, what, context_of(*s.env));
  if (d.outcome == domain::verdict::applied) {
    persist(self, d, replacing(s.now), {&from, {}, render(d.next), done});
    s.now = std::move(d.next);
    act(self, d.commands);
    return tell_if_idle(self);
  }
  // Nothing changes: said twice, or not allowed. The key remembers that too.
  auto reply = d.outcome == domain::verdict::refused
                 ? s.env->present.refused(refusal, why_refused, "", from)
                 : render(s.now);
  if (from.key.empty()) {
    answer_when_durable(*s.env, done, std::move(reply));
  } else {
    storage::write_set set;
    set.shard = domain::shard_of(s.now.id);
    set.epoch = s.epoch;
    remember(set, *s.env, from, reply);
    append_or_throw(*s.env, std::move(set), [done, reply] { done({reply, {}, false}); });
  }
  tell_if_idle(self);
}

/// What the client follows the request by; empty: nothing, so the order's own trace goes on.
std::string own_trace(const domain::request_context& from) {
  return from.traced ? from.traceparent : std::string{};
}

/// A provider's hook: taken once, and remembered in the write set of its effect.
void feed_hook(saga_self self, const hook_message& m) {
  auto& s = self->state;
  auto& env = *s.env;
  hear(s);
  const auto& hook = m.command.what;
  const auto known = find_hook(env, hook);
  if (known && !known->parked) {
    answer_when_durable(env, m.done, hook_reply());
    return tell_if_idle(self);
  }
  const auto ours = about_our_payment(env, hook);
  domain::decision d;
  if (ours) d = domain::advance(s.now, domain::provider_reported{hook.news}, context_of(env));
  if (!ours || (hook.news == domain::hook_news::reversed && s.now.shipped))
    env.warn("payment.hook_not_followed",
      "order=" + domain::to_text(domain::id_kind::order, hook.order)
        + (ours ? " reversed after it was shipped: a person must look" : " another payment"),
      s.now.traceparent);
  const auto applied = d.outcome == domain::verdict::applied;
  auto set = applied ? write_set_for(s.epoch, d, replacing(s.now)) : storage::write_set{};
  set.shard = domain::shard_of(s.now.id);
  set.epoch = s.epoch;
  remember_hook(set, env, hook);
  append_or_throw(env, std::move(set),
    [&env, applied, step = applied ? domain::step_of(d) : domain::order_step{}, done = m.done] {
      if (applied) env.order_durable(step);
      done({hook_reply(), {}, false});
    });
  if (applied || d.outcome == domain::verdict::noted) {
    s.now = std::move(d.next);
    act(self, d.commands);
  }
  tell_if_idle(self);
}

// -- operators
// --------------------------------------------------------------------------------------

storage::entry audit_row(environment& env, const domain::act_on_saga& c, std::string_view outcome) {
  domain::audit_entry e{env.now_ms(), c.from.principal, c.roles,
    "saga." + std::string{name_of(c.what.action)}, domain::to_text(domain::id_kind::order, c.order),
    c.what.reason, std::string{outcome}, c.from.trace_id};
  return {table::audit, storage::audit_key(domain::shard_of(c.order), e.time_ms, env.audit_place()),
    storage::encode(e)};
}

/// What an action that changed nothing is answered, and how the audit log calls that.
std::pair<domain::stored_reply, std::string_view> unchanged(
  const saga_shell& s, const domain::act_on_saga& c, bool stale, domain::verdict said) {
  const auto& present = s.env->present;
  if (stale)
    return {present.refused(domain::refusal::precondition_failed,
              "The order's version is now " + std::to_string(s.now.version) + ".", "", c.from),
      "precondition-failed"};
  if (said == domain::verdict::refused)
    return {present.not_allowed(s.now, c.what.action, c.from), "action-not-allowed"};
  return {present.acted(s.now), "no-op"};
}

/// An operator's action, its event and its line in the audit log are one write set. Of several that
/// race, this mailbox's order decides.
void operate(saga_self self, const operate_message& m) {
  auto& s = self->state;
  const auto& c = m.command;
  hear(s);
  const bool stale =
    c.if_version && *c.if_version != s.now.version && !JUMUN_PLANTED(if_match_ignored);
  domain::decision d;
  if (!stale) d = domain::advance(s.now, c.what, context_of(*s.env));
  if (d.outcome == domain::verdict::applied) {
    persist(self, d, replacing(s.now),
      {nullptr, audit_row(*s.env, c, "done"), s.env->present.acted(d.next), m.done});
    s.now = std::move(d.next);
    act(self, d.commands);
    return tell_if_idle(self);
  }
  auto [reply, outcome] = unchanged(s, c, stale, d.outcome);
  storage::write_set set;
  set.shard = domain::shard_of(c.order);
  set.epoch = s.epoch;
  set.entries.push_back(audit_row(*s.env, c, outcome));
  append_or_throw(*s.env, std::move(set), [done = m.done, reply = std::move(reply)] {
    done({reply, {}, false});
  });
  tell_if_idle(self);
}

domain::order load(const environment& env, domain::order_id id) {
  const auto row = env.journal.latest(table::orders, storage::order_key(id));
  if (!row) throw std::runtime_error{"there is no row for this order"};
  auto o = storage::decode<domain::order>(*row);
  if (!o) throw std::runtime_error{"the order's row can't be read"};
  env.order_found(id, domain::open(*o) ? domain::saga_state_of(*o) : "");
  return std::move(*o);
}

/// What it knew beyond its row when it fell asleep.
void remember_sleep(saga_shell& s, dormant_saga& woken) {
  s.asked_ms = woken.notes.asked_ms;
  s.asked_first = woken.notes.asked_first;
  s.now.next_attempt_ms = woken.notes.next_attempt_ms;
  s.now.phase_since_ms = woken.notes.phase_since_ms;
  s.unpaid.adopt(woken.unpaid);
  s.held.adopt(woken.held);
}

void throw_if_poisoned(const saga_shell& s) {
  if (s.env->poisoned_sku.empty()) return;
  for (const auto& line : s.now.lines)
    if (line.sku == s.env->poisoned_sku && s.env->poison_left-- > 0)
      throw std::runtime_error{"failpoint saga.throw"};
}
} // namespace

domain::order revived_order(const environment& env, domain::order_id id) {
  auto o = load(env, id);
  if (o.held_since_ms > 0) { // the breaker that named the time may have died since; evenly
    const auto now = env.now_ms();
    const auto chance = env.random();
    const auto within = [&](std::int64_t ms) {
      return now + static_cast<std::int64_t>(chance % static_cast<std::uint64_t>(ms));
    };
    const auto spread = env.held_spread_ms();
    const auto ramp = std::chrono::milliseconds{limits::breaker_ramp}.count();
    o.next_attempt_ms = o.next_attempt_ms <= now
                          ? within(spread)
                          : std::min(o.next_attempt_ms, within(std::max(spread, ramp)));
  }
  return o;
}

saga_notes notes_of(
  const domain::order& o, std::int64_t wake_ms, std::int64_t asked_ms, bool asked_first) {
  return {wake_ms, asked_ms, o.next_attempt_ms, o.phase_since_ms, asked_first, domain::unpaid(o),
    o.held_since_ms > 0, domain::asks_stock(o.at)};
}

storage::write_set write_set_for(
  domain::epoch_id epoch, domain::decision& d, replaced_order before) {
  storage::write_set set;
  set.shard = domain::shard_of(d.next.id);
  set.epoch = epoch;
  auto key = storage::order_key(d.next.id);
  set.replaces = {table::orders, key, before.version};
  const bool open =
    domain::open(d.next) && !(JUMUN_PLANTED(open_index_left_early) && d.next.captured > 0);
  if (open != before.open)
    set.entries.push_back(
      {table::open_sagas, key, open ? std::optional<std::string>{""} : std::nullopt});
  if (before.version == 0 && !JUMUN_PLANTED(customer_index_forgotten)) // placed just now
    set.entries.push_back(
      {table::customer_orders, storage::customer_order_key(d.next.customer, d.next.id), ""});
  set.entries.push_back({table::orders, std::move(key), storage::encode(d.next)});
  set.events = std::move(d.events);
  return set;
}

saga_actor::behavior_type saga(saga_self self, environment* env, supervisor_actor supervisor,
  domain::epoch_id epoch, domain::order_id id, std::shared_ptr<saga_start> start) {
  auto& s = self->state;
  s.env = env;
  s.supervisor = std::move(supervisor);
  s.epoch = epoch;
  if (start && start->fresh) {
    s.now = std::move(*start->fresh);
    s.unpaid.adopt(&env->orders_unpaid);
  } else if (start && start->woken) {
    s.now = load(*env, id);
    remember_sleep(s, *start->woken);
  } else {
    s.now = revived_order(*env, id);
  }
  tally_up(s);
  return {
    // Sends what the present phase owes, unless it is in a back-off: after a start or a peer's
    // restart.
    [self](resume) {
      hear(self->state);
      throw_if_poisoned(self->state);
      if (self->state.now.poisoned) return void(feed(self, domain::revived{}));
      if (JUMUN_PLANTED(back_off_forgotten) && self->state.now.next_attempt_ms > 0) return;
      if (self->state.now.next_attempt_ms > 0)
        arm(self);
      else
        act(self, domain::owed(self->state.now));
      tell_if_idle(self);
    },
    [self](const domain::stock_answered& a) {
      throw_if_poisoned(self->state);
      if (!self->state.told_idle) feed(self, a); // else too late: it is asked for again
    },
    [self](const domain::payment_answered& a) {
      hear(self->state);
      auto heard = a;
      heard.first = a.first && self->state.asked_first; // asked twice: the other one may have left
      feed(self, heard);
    },
    [self](const domain::delivery_answered& a) {
      if (!self->state.told_idle) feed(self, a);
    },
    // The supervisor's entry is used up; a phase that has moved on arms a later one.
    [self](domain::timer_fired t) {
      auto& s = self->state;
      hear(s);
      s.armed_ms = 0;
      const auto due = domain::wake_at(s.now, s.asked_ms, s.env->now_ms());
      if (due != 0 && due <= s.env->now_ms()) feed(self, t);
      arm(self);
      tell_if_idle(self);
    },
    [self](const cancel_message& m) {
      feed_for_edge(
        self, domain::cancel_requested{m.command.reason, own_trace(m.command.from)}, m.command.from,
        m.done,
        [env = self->state.env](const domain::order& o) { return env->present.cancellation(o); },
        domain::refusal::not_cancellable,
        "The order is " + std::string{domain::status_of(self->state.now)}
          + "; it can be cancelled until it is shipped.");
    },
    [self](const report_message& m) {
      auto report = m.command.report;
      report.traceparent = own_trace(m.command.from);
      feed_for_edge(
        self, report, m.command.from, m.done,
        [env = self->state.env](const domain::order& o) { return env->present.delivery(o); },
        domain::refusal::invalid_transition,
        "The delivery is " + std::string{domain::name_of(self->state.now.delivery)}
          + " and the order " + std::string{domain::status_of(self->state.now)}
          + "; allowed: picked_up, then delivered or failed, of an order that is preparing or "
            "shipped.");
    },
    [self](const hook_message& m) { feed_hook(self, m); },
    [self](const operate_message& m) { operate(self, m); },
    [self](const ask_again& m) {
      hear(self->state);
      const auto& lines = self->state.now.lines;
      const auto there = [&m](const auto& l) { return m.shards[domain::shard_of(l.sku)]; };
      if (std::any_of(lines.begin(), lines.end(), there)) feed(self, domain::stock_reachable{});
      tell_if_idle(self);
    },
    [self](retire) { self->quit(); },
    [self](const describe& d) {
      auto& s = self->state;
      hear(s);
      d.tell(json_object{}
               .add("order", domain::to_text(domain::id_kind::order, s.now.id))
               .add("phase", domain::name_of(s.now.at))
               .add("status", domain::status_of(s.now))
               .add("saga", domain::saga_state_of(s.now))
               .add("version", s.now.version)
               .add("attempts", s.now.attempts)
               .add("next_attempt_ms", s.now.next_attempt_ms)
               .add("ignored_answers", s.ignored)
               .add("last_error", s.now.last_error)
               .text());
      tell_if_idle(self);
    },
  };
}
} // namespace jumun::actors
