#include "actors/inventory_actor.hpp"
#include "actors/describe.hpp"
#include "actors/idempotency.hpp"
#include "domain/planted.hpp"

namespace jumun::actors {
namespace {
using domain::refusal;
using storage::table;

/// The SKU's stock; read from disk once, then kept. An unknown SKU is an empty shelf of version 0.
domain::stock& shelf_of(inventory_shell& s, const std::string& sku) {
  if (const auto known = s.shelf.find(sku); known != s.shelf.end()) return known->second;
  domain::stock fresh;
  fresh.sku = sku;
  if (const auto row = s.env->journal.latest(table::stock, storage::sku_key(sku))) {
    auto read = storage::decode<domain::stock>(*row);
    if (!read) throw std::runtime_error{"the stock row of a SKU can't be read"};
    fresh = std::move(*read);
  }
  return s.shelf.emplace(sku, std::move(fresh)).first->second;
}

storage::write_set open_set(const inventory_shell& s, const domain::stock& now) {
  storage::write_set set;
  set.shard = s.shard;
  set.epoch = s.epoch;
  set.replaces = {table::stock, storage::sku_key(now.sku), now.version};
  return set;
}
void put(storage::write_set& set, const domain::stock& next) {
  set.entries.push_back({table::stock, storage::sku_key(next.sku), storage::encode(next)});
}
void put(storage::write_set& set, const domain::movement& m) {
  set.entries.push_back(
    {table::movements, storage::movement_key(m.sku, m.number), storage::encode(m)});
}

/// reserve, commit and release differ only in the pure function that decides.
template <class Command, class Decide>
void obey(inventory_self self, const asked<Command>& m, Decide decide) {
  auto& s = self->state;
  const auto& c = m.command;
  auto key = storage::reservation_key(c.sku, c.order, c.line);
  std::optional<domain::reservation> known;
  if (const auto row = s.env->journal.latest(table::reservations, key)) {
    known = storage::decode<domain::reservation>(*row);
    if (!known) throw std::runtime_error{"a reservation's row can't be read"};
  }
  auto& now = shelf_of(s, c.sku);
  // An earlier life of this actor, not yet ended, may have written since this one read its shelf.
  // The journal would refuse the write; but nothing is to be decided on what contradicts itself.
  const bool holds = known && known->state == domain::reservation_state::live;
  if (holds && now.reserved < known->quantity)
    throw std::runtime_error{"the stock in memory is older than its reservations"};
  auto d = decide(now, known, c, s.env->now_ms());
  if (d.row) {
    auto set = open_set(s, now);
    set.entries.push_back({table::reservations, std::move(key), storage::encode(*d.row)});
    if (d.next.version != now.version) put(set, d.next);
    if (d.moved) put(set, *d.moved);
    append_or_throw(*s.env, std::move(set), {});
    now = std::move(d.next);
  } else {
    ++s.repeated;
  }
  self->send(m.from, std::move(d.reply)); // inside the process: the answer may outrun the fsync
}

/// Appends with the caller's key, and answers once durable.
void finish(inventory_self self, storage::write_set set, const domain::request_context& from,
  const completion& done, domain::stored_reply reply) {
  auto& env = *self->state.env;
  remember(set, env, from, reply);
  if (set.entries.empty()) return answer_when_durable(env, done, std::move(reply));
  append_or_throw(env, std::move(set), [done, reply] { done({reply, {}, false}); });
}

/// A refusal changes no row, but the key remembers it.
void refuse(inventory_self self, const domain::request_context& from, const completion& done,
  refusal why, std::string_view detail, std::string_view pointer = "") {
  storage::write_set set;
  set.shard = self->state.shard;
  set.epoch = self->state.epoch;
  finish(
    self, std::move(set), from, done, self->state.env->present.refused(why, detail, pointer, from));
}

/// on_hand has changed: both rows, the fact, the caller's key, and the answer with them.
void store(inventory_self self, domain::stock& now, domain::adjusted change,
  const domain::request_context& from, const completion& done, domain::stored_reply reply) {
  change.fact.traceparent = from.traceparent;
  auto set = open_set(self->state, now);
  put(set, change.next);
  put(set, change.moved);
  set.events.push_back(std::move(change.fact));
  finish(self, std::move(set), from, done, std::move(reply));
  now = std::move(change.next);
}

void adjust(inventory_self self, const adjust_message& m) {
  auto& s = self->state;
  const auto& c = m.command;
  if (answered_from_record(*s.env, look_up(*s.env, s.shard, c.from), c.from, m.done)) return;
  auto& now = shelf_of(s, c.sku);
  auto change = domain::adjust(now, c.change, s.env->now_ms());
  if (!change)
    return refuse(self, c.from, m.done, refusal::insufficient_stock,
      "On hand are " + std::to_string(now.on_hand) + ", of which " + std::to_string(now.reserved)
        + " are reserved; stock can't fall below what is reserved, nor pass the maximum.",
      "/delta");
  auto reply = s.env->present.adjusted(change->next, change->moved);
  store(self, now, std::move(*change), c.from, m.done, std::move(reply));
}

void count(inventory_self self, const count_message& m) {
  auto& s = self->state;
  const auto& c = m.command;
  auto& now = shelf_of(s, c.sku);
  if (c.if_version != now.version && !JUMUN_PLANTED(count_ignores_if_match))
    return refuse(self, c.from, m.done, refusal::precondition_failed,
      "If-Match names another version; the present one is in the ETag of GET.");
  auto change = domain::adjust(now, {c.on_hand - now.on_hand, "count", ""}, s.env->now_ms());
  if (!change)
    return refuse(self, c.from, m.done, refusal::insufficient_stock,
      std::to_string(now.reserved) + " are reserved; a counted stock can't be below that.",
      "/on_hand");
  auto reply = s.env->present.counted(change->next);
  store(self, now, std::move(*change), c.from, m.done, std::move(reply));
}

void put_on_menu(inventory_self self, const product_message& m) {
  auto& s = self->state;
  const auto& c = m.command;
  auto next = c.row;
  const auto key = storage::sku_key(next.sku);
  domain::product known;
  if (const auto row = s.env->journal.latest(table::products, key)) {
    auto read = storage::decode<domain::product>(*row);
    if (!read) throw std::runtime_error{"a product's row can't be read"};
    known = std::move(*read);
  }
  const auto fails =
    (c.if_absent && known.version > 0) || (c.if_version && *c.if_version != known.version);
  if (fails)
    return refuse(self, c.from, m.done, refusal::precondition_failed,
      c.if_absent ? "If-None-Match: * was asked for, and the product exists."
                  : "If-Match names another version; the present one is in the ETag of GET.");
  auto& shelf = shelf_of(s, next.sku);
  auto stock = shelf; // a SKU's events are numbered by its stock row
  ++stock.version;
  next.version = known.version + 1;
  next.updated_ms = s.env->now_ms();
  domain::event fact;
  fact.type = domain::event_type::product_changed;
  fact.key = fact.sku = next.sku;
  fact.sequence = ++stock.sequence;
  fact.time_ms = next.updated_ms;
  fact.amount = next.unit_price.amount;
  fact.currency = next.unit_price.currency;
  fact.traceparent = c.from.traceparent;
  auto set = open_set(s, shelf);
  set.entries.push_back({table::products, key, storage::encode(next)});
  put(set, stock);
  set.events.push_back(std::move(fact));
  auto reply = s.env->present.product_put(next, stock, known.version == 0);
  finish(self, std::move(set), c.from, m.done, std::move(reply));
  shelf = std::move(stock);
}
} // namespace

inventory_actor::behavior_type inventory(
  inventory_self self, environment* env, domain::shard_lease held) {
  self->state.env = env;
  self->state.shard = held.shard;
  self->state.epoch = held.epoch;
  return {
    [self](const asked<domain::reserve_stock>& m) { obey(self, m, domain::reserve); },
    [self](const asked<domain::commit_stock>& m) { obey(self, m, domain::commit); },
    [self](const asked<domain::release_stock>& m) { obey(self, m, domain::release); },
    [self](const adjust_message& m) { adjust(self, m); },
    [self](const count_message& m) { count(self, m); },
    [self](const product_message& m) { put_on_menu(self, m); },
    [self](const describe& d) {
      const auto& s = self->state;
      std::int64_t reserved = 0;
      // determinism: a sum, whatever the order
      for (const auto& [sku, stock] : s.shelf) reserved += stock.reserved;
      d.tell(json_object{}
               .add("shard", static_cast<int>(s.shard))
               .add("skus_in_memory", s.shelf.size())
               .add("reserved", reserved)
               .add("repeated_commands", s.repeated)
               .text());
    },
  };
}
} // namespace jumun::actors
