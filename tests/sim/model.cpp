#include "tests/sim/model.hpp"
#include "storage/feed_rows.hpp"
#include "storage/rows.hpp"
#include <algorithm>

namespace jumun::sim {
namespace {
using storage::table;

/// How far along a public status is; a cancellation is a way of its own.
int rank(std::string_view status) {
  constexpr std::array<std::string_view, 7> forward{
    "pending", "reserving", "paying", "paid", "preparing", "shipped", "delivered"};
  for (std::size_t i = 0; i < forward.size(); ++i)
    if (forward[i] == status) return static_cast<int>(i);
  return -1;
}
/// API.md: pending → reserving → paying → paid → preparing → shipped → delivered, or rejected, or
/// cancelling → cancelled.
bool may_follow(std::string_view from, std::string_view to) {
  if (from == to) return true;
  if (to == "rejected") return rank(from) >= 0 && rank(from) <= rank("paid");
  if (to == "cancelled") return from == "cancelling" || rank(from) >= 0;
  if (to == "cancelling") return rank(from) >= 0 && from != "delivered";
  return rank(from) >= 0 && rank(from) < rank(to);
}
/// By how much it rises can't be said: a batch writes a row once, however often it changed in it
/// (ADR 0011). That no change is lost is seen by the events, movements and reservations.
template <class Row> bool follows(std::uint64_t version, const std::optional<Row>& was) {
  return version > (was ? was->version : 0);
}
} // namespace

void shop_model::mark(std::string_view bytes) { // FNV-1a
  for (const unsigned char c : bytes) fingerprint_ = (fingerprint_ ^ c) * 1099511628211ULL;
  fingerprint_ = (fingerprint_ ^ bytes.size()) * 1099511628211ULL;
}

void shop_model::wrong(std::string code, std::string what) {
  if (violations_.size() < 20) violations_.push_back({std::move(code), std::move(what)});
}

std::optional<std::string> shop_model::newest(
  const storage::entry& e, const storage::store& before) const {
  const auto here = landed_.find({e.in, e.key});
  if (here != landed_.end()) return here->second;
  return before.get(e.in, e.key);
}

void shop_model::lands(const std::vector<storage::entry>& batch, const storage::store& before) {
  touched_orders_.clear();
  touched_stock_.clear();
  landed_.clear();
  fed_.clear();
  for (const auto& e : batch) {
    mark(e.key);
    mark(e.value.value_or(""));
    switch (e.in) {
      case table::orders: land_order(e, before); break;
      case table::reservations: land_reservation(e, before); break;
      case table::movements: land_movement(e); break;
      case table::stock: land_stock(e, before); break;
      case table::payments: land_payment(e, before); break;
      case table::deliveries: land_delivery(e, before); break;
      case table::history: land_event(e); break;
      case table::feed: land_feed(e); break;
      default: break;
    }
    if (e.value) landed_[{e.in, e.key}] = *e.value;
  }
  follow_offsets();
  for (const auto& [key, balance] : fed_)
    if (balance != 0) wrong("feed", "an event and its place in the feed did not land together");
  compare_touched();
}

void shop_model::land_order(const storage::entry& e, const storage::store& before) {
  const auto next = e.value ? storage::decode<domain::order>(*e.value) : std::nullopt;
  if (!next) return wrong("order-row", "an order's row was deleted or can't be read");
  const auto id = domain::to_text(domain::id_kind::order, next->id);
  const auto old = newest(e, before);
  const auto was = old ? storage::decode<domain::order>(*old) : std::nullopt;
  if (!follows(next->version, was))
    wrong("order-version", id + " went from version " + std::to_string(was ? was->version : 0)
                             + " to " + std::to_string(next->version));
  if (was && !may_follow(domain::status_of(*was), domain::status_of(*next)))
    wrong("status-order", id + " went from " + std::string{domain::status_of(*was)} + " to "
                            + std::string{domain::status_of(*next)});
  if (was && was->cancel_requested && !next->cancel_requested)
    wrong("cancellation-lost", id + " has forgotten its cancellation");
  touched_orders_[id] = *next;
}

void shop_model::land_reservation(const storage::entry& e, const storage::store& before) {
  using enum domain::reservation_state;
  const auto next = e.value ? storage::decode<domain::reservation>(*e.value) : std::nullopt;
  if (!next) return wrong("reservation-row", "a reservation was deleted or can't be read");
  const auto old = newest(e, before);
  const auto was = old ? storage::decode<domain::reservation>(*old) : std::nullopt;
  auto& s = shelves_[next->sku];
  const bool held = was && was->state == live;
  const bool holds = next->state == live;
  if (!was && next->state == committed) wrong("reservation-order", "committed, never reserved");
  if (was && (was->state == released || was->state == refused))
    wrong("reservation-order", next->sku + ": a reservation that was over is changed");
  if (was && holds) wrong("reservation-order", next->sku + ": reserved twice");
  if (holds) s.reserved += next->quantity;
  if (held && !holds) s.reserved -= was->quantity;
  const bool had_left = was && was->state == committed;
  if (next->state == committed && !had_left) s.unmoved -= next->quantity;
  if (next->state != committed && had_left) s.unmoved += was->quantity;
}

void shop_model::land_movement(const storage::entry& e) {
  const auto m = e.value ? storage::decode<domain::movement>(*e.value) : std::nullopt;
  if (!m) return wrong("movement-row", "a movement was deleted or can't be read");
  auto& s = shelves_[m->sku];
  s.on_hand += m->delta;
  if (m->order) s.unmoved -= m->delta;
  if (m->number != ++s.movements) wrong("movement-gap", m->sku + ": its movements have a gap");
  if (m->on_hand_after != s.on_hand) wrong("stock-sum", m->sku + ": a movement adds up wrongly");
}

void shop_model::land_stock(const storage::entry& e, const storage::store& before) {
  const auto next = e.value ? storage::decode<domain::stock>(*e.value) : std::nullopt;
  if (!next) return wrong("stock-row", "a stock row was deleted or can't be read");
  const auto old = newest(e, before);
  const auto was = old ? storage::decode<domain::stock>(*old) : std::nullopt;
  if (!follows(next->version, was))
    wrong("stock-version", next->sku + ": an older version lands on a newer one");
  if (next->on_hand < 0 || next->reserved < 0 || next->available() < 0)
    wrong("oversold", next->sku + ": " + std::to_string(next->on_hand) + " on hand, "
                        + std::to_string(next->reserved) + " reserved");
  touched_stock_[next->sku] = *next;
}

void shop_model::land_payment(const storage::entry& e, const storage::store& before) {
  const auto next = e.value ? storage::decode<domain::payment_record>(*e.value) : std::nullopt;
  if (!next) return wrong("payment-row", "a payment's row was deleted or can't be read");
  const auto old = newest(e, before);
  const auto was = old ? storage::decode<domain::payment_record>(*old) : std::nullopt;
  if (!follows(next->version, was))
    wrong("payment-version", "an older version of a payment lands on a newer one");
  if (was && next->state < was->state && was->state >= domain::charge_state::cancelling)
    wrong("payment-order", "a payment that was being given back is alive again");
}

void shop_model::land_delivery(const storage::entry& e, const storage::store& before) {
  const auto next = e.value ? storage::decode<domain::delivery_record>(*e.value) : std::nullopt;
  if (!next) return wrong("delivery-row", "a delivery's row was deleted or can't be read");
  const auto old = newest(e, before);
  const auto was = old ? storage::decode<domain::delivery_record>(*old) : std::nullopt;
  if (was && was->state != domain::booking_state::started)
    wrong("delivery-order", "a delivery that was over is changed");
}

void shop_model::land_event(const storage::entry& e) {
  if (!e.value) return; // trimmed by retention
  ++fed_[e.key];
  const auto fact = storage::decode<domain::event>(*e.value);
  if (!fact) return wrong("event-row", "an event can't be read");
  if (trace)
    trace(fact->key + " " + std::string{name_of(fact->type)} + " #" + std::to_string(fact->sequence)
          + " " + fact->sku + " " + fact->reason);
  if (fact->key.starts_with("ord_"))
    return stories_[fact->key].hear(*fact, [&](std::string code, const std::string& what) {
      wrong(std::move(code), fact->key + ": " + what);
    });
  auto& s = shelves_[fact->key];
  if (fact->sequence != ++s.sequence) wrong("event-gap", fact->key + ": its events have a gap");
}

void shop_model::land_feed(const storage::entry& e) {
  if (!e.value) return;
  const auto run = storage::read_feed_row(e.key, *e.value);
  if (!run) return wrong("feed-row", "a row of the feed can't be read");
  for (const auto& [offset, in_history] : *run) {
    --fed_[in_history];
    offsets_.push_back({offset, static_cast<domain::shard_id>(e.key.front())});
  }
}

void shop_model::follow_offsets() {
  std::sort(offsets_.begin(), offsets_.end()); // they lie in several shards' rows
  for (const auto& [offset, shard] : std::exchange(offsets_, {})) {
    ++events_;
    auto& last = one_feed_ ? last_offset_ : last_of_shard_[shard];
    if (one_feed_ ? offset != last + 1 : offset <= last)
      wrong("feed-offset", "offset " + std::to_string(offset) + " of shard " + std::to_string(shard)
                             + " follows " + std::to_string(last));
    last = offset;
  }
}

void shop_model::compare_touched() {
  for (const auto& [id, row] : touched_orders_)
    stories_[id].compare(row, [&](std::string code, const std::string& what) {
      wrong(std::move(code), id + " (" + std::string{domain::name_of(row.at)} + "): " + what);
    });
  for (const auto& [sku, row] : touched_stock_) {
    const auto& s = shelves_[sku];
    if (row.on_hand != s.on_hand)
      wrong("stock-sum", sku + ": its row has " + std::to_string(row.on_hand)
                           + " on hand, its movements " + std::to_string(s.on_hand));
    if (row.reserved != s.reserved)
      wrong("reserved-sum", sku + ": its row has " + std::to_string(row.reserved)
                              + " reserved, its reservations " + std::to_string(s.reserved));
    if (s.unmoved != 0)
      wrong("goods-lost",
        sku + ": orders moved " + std::to_string(s.unmoved) + " that its movements do not have");
    if (row.sequence != s.sequence) wrong("event-gap", sku + ": its row counts other events");
  }
}

void shop_model::call_leaves(
  std::string_view what, const actors::provider_charge& c, const storage::store& durable) {
  mark(what);
  mark(c.payment_id);
  const auto id = domain::to_text(domain::id_kind::order, c.order);
  if (trace) trace("provider: " + std::string{what} + " " + id);
  if (c.payment_id != domain::to_text(domain::id_kind::payment, c.order))
    wrong("payment-id", id + ": the provider is asked by another payment id");
  const auto row = durable.get(table::orders, storage::order_key(c.order));
  const auto o = row ? storage::decode<domain::order>(*row) : std::nullopt;
  if (!o)
    return wrong("acted-before-durable", id + ": " + std::string{what} + ", and no durable order");
  if (c.amount != o->total) wrong("charged-wrong", id + ": another amount than its total");
  // A void may overtake the word that nothing had been asked: it does no harm.
  if (what != "cancel" && o->payment == domain::payment_status::none)
    wrong(
      "acted-before-durable", id + ": " + std::string{what} + ", and its durable row owes none");
  if (what != "cancel") return;
  const auto paid = durable.get(table::payments, storage::order_key(c.order));
  const auto record = paid ? storage::decode<domain::payment_record>(*paid) : std::nullopt;
  if (!record || record->state < domain::charge_state::cancelling)
    wrong("acted-before-durable", id + ": given back before its record says so");
  if (o->why == domain::ending::none)
    wrong("acted-before-durable", id + ": given back while its durable row goes forward");
}
} // namespace jumun::sim
