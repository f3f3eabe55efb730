#include "actors/payment_actor.hpp"
#include "actors/describe.hpp"
#include "actors/idempotency.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"
#include <algorithm>

namespace jumun::actors {
namespace {
using domain::charge_state;
using domain::payment_answered;
using domain::payment_said;
using domain::phase;
using storage::table;

std::optional<domain::payment_record> known_of(const environment& env, domain::order_id id) {
  const auto row = env.journal.latest(table::payments, storage::order_key(id));
  if (!row) return {};
  auto known = storage::decode<domain::payment_record>(*row);
  if (!known) throw std::runtime_error{"a payment's row can't be read"};
  return known;
}

void write(payment_self self, domain::payment_record row) {
  auto& env = *self->state.env;
  storage::write_set set;
  set.shard = self->state.shard;
  set.epoch = self->state.epoch;
  auto key = storage::order_key(row.order);
  set.replaces = {table::payments, key, row.version};
  ++row.version;
  row.updated_ms = env.now_ms();
  set.entries.push_back({table::payments, std::move(key), storage::encode(row)});
  append_or_throw(env, std::move(set), {});
}

/// What our own row says to a charge or an inquiry; nullopt: only the provider knows.
std::optional<payment_answered> from_row(
  const std::optional<domain::payment_record>& known, payment_answered about) {
  if (!known) return {};
  switch (known->state) {
    case charge_state::approved: about.said = payment_said::approved; break;
    case charge_state::declined:
      about.said = payment_said::declined;
      about.reason = known->reason;
      break;
    case charge_state::cancelling: // the tombstone: a late charge is not made any more
    case charge_state::cancelled: about.said = payment_said::cancelled; break;
  }
  return about;
}

// -- deadlines
// --------------------------------------------------------------------------------------

void tick_at_front(payment_self self) {
  auto& s = self->state;
  if (s.ticking || s.deadlines.empty()) return;
  s.ticking = true;
  const auto left = std::max<std::int64_t>(0, s.deadlines.front().at_ms - s.env->now_ms());
  self->delayed_send(self, std::chrono::milliseconds{left + 1}, tick{s.deadlines.front().at_ms});
}

void answer(payment_self self, payment_answered a) {
  auto& s = self->state;
  const auto open = s.open.find(a.order);
  if (open == s.open.end()) return;
  self->send(open->second.from, std::move(a));
  s.open.erase(open);
}

bool still_open(
  const payment_shell& s, domain::order_id order, phase about, std::uint32_t attempt) {
  const auto q = s.open.find(order);
  return q != s.open.end() && q->second.about == about && q->second.attempt == attempt;
}

void give_up_on_late_ones(payment_self self, const tick& t) {
  auto& s = self->state;
  s.ticking = false;
  const auto now = std::max(s.env->now_ms(), t.at_ms); // the clock may have been set back since
  while (!s.deadlines.empty() && s.deadlines.front().at_ms <= now) {
    const auto late = s.deadlines.front();
    s.deadlines.pop_front();
    const auto q = s.open.find(late.order);
    if (q == s.open.end() || q->second.number != late.number) continue;
    ++s.timed_out;
    answer(self, {late.order, q->second.about, q->second.attempt, payment_said::unknown, 0,
                   "the provider did not answer in time"});
  }
  tick_at_front(self);
}

// -- questions
// --------------------------------------------------------------------------------------

/// Asks the provider once everything up to here is durable: no call leaves for a charge that a
/// crash could make us forget.
template <class Call> void ask_provider(payment_self self, const payment_answered& about,
  std::int64_t amount, std::string currency, const supervisor_actor& from, std::uint64_t version,
  Call call) {
  auto& s = self->state;
  const auto again = still_open(s, about.order, about.about, about.attempt);
  const auto number = again ? s.open[about.order].number : ++s.asked;
  s.open[about.order] = {from, number, version, about.attempt, about.about};
  if (again) return; // a repetition: the call is under way
  s.deadlines.push_back({s.env->now_ms() + s.env->payment_timeout.count(), about.order, number});
  tick_at_front(self);
  auto hear = [me = payment_actor{self}, order = about.order, about = about.about,
                attempt = about.attempt, first = about.first, amount,
                currency = std::move(currency), from](provider_said said) mutable {
    payment_answered a{
      order, about, attempt, said.said, said.amount, std::move(said.reason), said.again_at_ms};
    a.first = first;
    caf::anon_send(me, provider_answered{std::move(a), amount, std::move(currency),
                         std::move(said.reference), from});
  };
  if (JUMUN_PLANTED(provider_called_early)) return call(hear);
  s.env->journal.when_durable([call = std::move(call), hear = std::move(hear)] { call(hear); });
}

template <class Command>
provider_charge charge_of(const Command& c, const std::optional<domain::payment_record>& known) {
  return {c.order, domain::to_text(domain::id_kind::payment, c.order), c.amount, c.currency,
    c.token, c.traceparent, known ? known->reference : std::string{}};
}

void charge(payment_self self, const asked_of_payment<domain::charge_payment>& m) {
  auto& env = *self->state.env;
  const auto& c = m.command;
  payment_answered about{c.order, phase::charging, c.attempt, payment_said::unknown, 0, {}};
  about.first = c.first;
  auto& held = self->state.held;
  if (const auto h = held.find(c.order); h != held.end()) {
    if (c.version <= h->second) return; // its asker knows, and will ask by a newer row
    held.erase(h);
  }
  if (auto known = from_row(known_of(env, c.order), about)) return self->send(m.from, *known);
  auto what = charge_of(c, {});
  if (JUMUN_PLANTED(new_payment_id_on_retry) && c.attempt > 1)
    what.payment_id += std::to_string(c.attempt);
  ask_provider(self, about, c.amount, c.currency, m.from, c.version,
    [&provider = env.provider, what = std::move(what)](
      const provider_callback& hear) { provider.charge(what, hear); });
}

void inquire(payment_self self, const asked_of_payment<domain::inquire_payment>& m) {
  auto& env = *self->state.env;
  const auto& c = m.command;
  const payment_answered about{c.order, phase::inquiring, c.attempt, payment_said::unknown, 0, {}};
  if (auto known = from_row(known_of(env, c.order), about)) return self->send(m.from, *known);
  ask_provider(self, about, c.amount, c.currency, m.from, 0,
    [&provider = env.provider, what = charge_of(c, {})](
      const provider_callback& hear) { provider.inquire(what, hear); });
}

void cancel(payment_self self, const asked_of_payment<domain::cancel_payment>& m) {
  auto& env = *self->state.env;
  const auto& c = m.command;
  self->state.held.erase(c.order); // from here on no charge is made anyway
  auto known = known_of(env, c.order);
  payment_answered about{c.order, c.about, c.attempt, payment_said::cancelled, 0, {}};
  if (known && known->state == charge_state::cancelled) {
    about.amount = known->refunded;
    return self->send(m.from, about);
  }
  if (!known || known->state != charge_state::cancelling) { // from here on no charge is made
    auto row = known.value_or(domain::payment_record{});
    row.order = c.order;
    row.currency = c.currency;
    row.state = charge_state::cancelling;
    if (!JUMUN_PLANTED(payment_tombstone_forgotten)) write(self, row);
  }
  ask_provider(self, about, c.amount, c.currency, m.from, 0,
    [&provider = env.provider, what = charge_of(c, known)](
      const provider_callback& hear) { provider.cancel(what, hear); });
}

/// Bounded: of orders that were cancelled while they were held nobody asks again. The oldest goes.
void remember_held(payment_shell& s, domain::order_id order) {
  s.held[order] = s.open[order].version;
  if (s.held.size() > limits::waiting_orders_max) s.held.erase(s.held.begin());
}

/// A sure outcome is kept in our row, also when it comes too late for its question.
void keep(payment_self self, const provider_answered& m) {
  const auto& a = m.answer;
  auto known = known_of(*self->state.env, a.order);
  auto row = known.value_or(domain::payment_record{});
  row.order = a.order;
  row.currency = m.currency;
  if (!m.reference.empty()) row.reference = m.reference;
  const auto cancels = a.about == phase::refunding || a.about == phase::voiding;
  if (cancels && a.said == payment_said::cancelled) {
    if (known && known->state == charge_state::cancelled) return;
    row.state = charge_state::cancelled;
    row.refunded = JUMUN_PLANTED(refund_amount_lost) ? 0 : a.amount;
    return write(self, row);
  }
  if (known || cancels) return; // never from cancelling back to approved
  if (a.said != payment_said::approved && a.said != payment_said::declined) return;
  row.state = a.said == payment_said::approved ? charge_state::approved : charge_state::declined;
  if (row.state == charge_state::approved) row.amount = m.asked_amount;
  row.reason = a.reason;
  write(self, row);
}
} // namespace

payment_actor::behavior_type payment(
  payment_self self, environment* env, domain::shard_lease held) {
  self->state.env = env;
  self->state.shard = held.shard;
  self->state.epoch = held.epoch;
  return {
    [self](const asked_of_payment<domain::charge_payment>& m) { charge(self, m); },
    [self](const asked_of_payment<domain::inquire_payment>& m) { inquire(self, m); },
    [self](const asked_of_payment<domain::cancel_payment>& m) { cancel(self, m); },
    [self](const provider_answered& m) {
      auto a = m.answer;
      auto& s = self->state;
      keep(self, m);
      if (still_open(s, a.order, a.about, a.attempt)) {
        if (a.said == payment_said::not_asked && a.first) remember_held(s, a.order);
        return answer(self, std::move(a));
      }
      a.first = false; // another call of this order may have left since
      // Too late for its question, but sure: it spares the saga its next inquiry, or a void.
      const auto sure = a.said == payment_said::approved || a.said == payment_said::declined
                        || a.said == payment_said::not_asked;
      if (sure) self->send(m.from, a);
    },
    [self](const tick& t) { give_up_on_late_ones(self, t); },
    [self](const describe& d) {
      const auto& s = self->state;
      d.tell(json_object{}
               .add("shard", static_cast<int>(s.shard))
               .add("open_questions", s.open.size())
               .add("asked", s.asked)
               .add("timed_out", s.timed_out)
               .text());
    },
  };
}
} // namespace jumun::actors
