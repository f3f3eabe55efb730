#include "actors/delivery_actor.hpp"
#include "actors/describe.hpp"
#include "actors/idempotency.hpp"
#include <algorithm>

namespace jumun::actors {
namespace {
using storage::table;

std::optional<domain::delivery_record> known_of(const environment& env, domain::order_id id) {
  const auto row = env.journal.latest(table::deliveries, storage::order_key(id));
  if (!row) return {};
  auto known = storage::decode<domain::delivery_record>(*row);
  if (!known) throw std::runtime_error{"a delivery's row can't be read"};
  return known;
}

void carry_out(delivery_self self, const std::optional<domain::delivery_record>& known,
  domain::delivery_decision d, const saga_actor& from) {
  auto& s = self->state;
  if (d.row) {
    storage::write_set set;
    set.shard = s.shard;
    set.epoch = s.epoch;
    auto key = storage::order_key(d.row->order);
    set.replaces = {table::deliveries, key, known ? known->version : 0};
    set.entries.push_back({table::deliveries, std::move(key), storage::encode(*d.row)});
    append_or_throw(*s.env, std::move(set), {});
    ++(d.row->state == domain::booking_state::started ? s.started : s.stopped);
  }
  self->send(from, std::move(d.reply));
}

/// True: an injected fault has answered instead.
template <class Command>
bool failed(delivery_self self, const asked<Command>& m, domain::phase about) {
  const auto& fault = self->state.env->delivery_fault;
  const auto said = fault ? fault() : std::nullopt;
  if (!said || (*said == domain::answer::refused && about != domain::phase::dispatching))
    return false;
  self->send(m.from,
    domain::delivery_answered{m.command.order, about, *said, false, "a fault was injected"});
  return true;
}

bool served(const environment& env, const std::string& country) {
  const auto& all = env.delivery_countries;
  return all.empty() || std::find(all.begin(), all.end(), country) != all.end();
}
} // namespace

delivery_actor::behavior_type delivery(
  delivery_self self, environment* env, domain::shard_lease held) {
  self->state.env = env;
  self->state.shard = held.shard;
  self->state.epoch = held.epoch;
  return {
    [self](const asked<domain::start_delivery>& m) {
      if (failed(self, m, domain::phase::dispatching)) return;
      const auto& env = *self->state.env;
      const auto known = known_of(env, m.command.order);
      auto d = domain::start(known, m.command.order, served(env, m.command.country), env.now_ms());
      carry_out(self, known, std::move(d), m.from);
    },
    [self](const asked<domain::cancel_delivery>& m) {
      if (failed(self, m, domain::phase::undelivering)) return;
      const auto known = known_of(*self->state.env, m.command.order);
      auto d = domain::cancel(known, m.command.order, self->state.env->now_ms());
      carry_out(self, known, std::move(d), m.from);
    },
    [self](const describe& d) {
      const auto& s = self->state;
      d.tell(json_object{}
               .add("shard", static_cast<int>(s.shard))
               .add("started", s.started)
               .add("stopped", s.stopped)
               .text());
    },
  };
}
} // namespace jumun::actors
