#include "storage/check_pass.hpp"

// What is on the shelf: stock rows against the ledger of movements and the reservations. A stock
// row and what it sums up are written in one set, so these must agree at any crash point.
namespace jumun::storage {
namespace {
struct sku_totals {
  std::int64_t moved = 0, reserved = 0;
  std::uint64_t movements = 0; // number of the last one
};
using all_totals = std::map<std::string, sku_totals>; // by SKU

/// A row of a SKU under its own key, in its own shard.
template <class Row>
bool in_place(check_pass& pass, const Row& row, std::string_view key, std::string_view expected) {
  if (key == expected) return true;
  const bool only_shard = key.size() == expected.size() && key.substr(1) == expected.substr(1);
  pass.add(only_shard ? "shard-mismatch" : "sku-mismatch", row.sku,
    only_shard ? "a row of it lies in another shard than its SKU's hash says"
               : "a row of it lies under another key");
  return false;
}

void add_movements(check_pass& pass, all_totals& totals) {
  pass.each(table::movements, [&](std::string_view key, std::string_view value) {
    const auto m = pass.read<domain::movement>(table::movements, key, value);
    if (!m || !in_place(pass, *m, key, movement_key(m->sku, m->number))) return;
    auto& t = totals[m->sku];
    if (m->number != t.movements + 1)
      pass.add("movement-gap", m->sku,
        "movement " + std::to_string(m->number) + " follows " + std::to_string(t.movements));
    t.movements = m->number;
    t.moved += m->delta;
    if (m->on_hand_after != t.moved)
      pass.add("stock-sum", m->sku,
        "movement " + std::to_string(m->number) + " says " + std::to_string(m->on_hand_after)
          + " on hand, the movements add up to " + std::to_string(t.moved));
  });
}

/// The reservation against its order's line; states are compared by check_orders().
void check_owner(check_pass& pass, const domain::reservation& r) {
  if (!pass.sees(domain::shard_of(r.order))) return;
  const auto key = order_key(r.order);
  const auto o = pass.find<domain::order>(table::orders, key);
  const auto which = "line " + std::to_string(r.line) + " of " + text_of(r.order);
  if (!o) {
    if (!pass.has(table::orders, key)) // the order's row is written before the first command
      pass.add("reservation-without-order", r.sku, "reservation for " + which);
    return;
  }
  const auto tombstone = r.state == domain::reservation_state::released && r.quantity == 0;
  const bool fits = r.line < o->lines.size() && o->lines[r.line].sku == r.sku
                    && (tombstone || o->lines[r.line].quantity == r.quantity);
  if (!fits)
    pass.add("reservation-mismatch", text_of(r.order),
      which + " has another SKU or quantity than its reservation of " + r.sku);
}

void add_reservations(check_pass& pass, all_totals& totals) {
  pass.each(table::reservations, [&](std::string_view key, std::string_view value) {
    const auto r = pass.read<domain::reservation>(table::reservations, key, value);
    if (!r || !in_place(pass, *r, key, reservation_key(r->sku, r->order, r->line))) return;
    if (r->state == domain::reservation_state::live) totals[r->sku].reserved += r->quantity;
    check_owner(pass, *r);
  });
}

void compare(check_pass& pass, const domain::stock& s, const sku_totals& t) {
  if (s.available() < 0)
    pass.add("stock-negative", s.sku,
      std::to_string(s.reserved) + " reserved of " + std::to_string(s.on_hand) + " on hand");
  if (pass.saw_all(table::movements) && s.on_hand != t.moved)
    pass.add("stock-sum", s.sku,
      std::to_string(s.on_hand) + " on hand, the movements add up to " + std::to_string(t.moved));
  if (pass.saw_all(table::movements) && s.movements != t.movements)
    pass.add("movement-gap", s.sku,
      "its row counts " + std::to_string(s.movements) + " movements, the last one is "
        + std::to_string(t.movements));
  if (pass.saw_all(table::reservations) && s.reserved != t.reserved)
    pass.add("reserved-sum", s.sku,
      std::to_string(s.reserved) + " reserved, the live reservations add up to "
        + std::to_string(t.reserved));
}

/// Sequence of the last event of a SKU: its stock and its product count together.
void check_last_event(check_pass& pass, const std::string& sku, std::uint64_t sequence) {
  if (sequence == 0) return;
  domain::event last;
  last.type = domain::event_type::stock_adjusted;
  last.key = sku;
  last.sequence = sequence;
  const auto key = history_key(last);
  const auto prefix = std::string_view{key}.substr(0, key.size() - 8);
  const bool trimmed_whole =
    pass.low_water(domain::shard_of(sku)) > 0 && !pass.has_any(table::history, prefix);
  if (!trimmed_whole && !pass.has(table::history, key))
    pass.add("history-gap", sku, "its last event, " + std::to_string(sequence) + ", is missing");
}
} // namespace

void check_stock(check_pass& pass) {
  all_totals totals;
  add_movements(pass, totals);
  add_reservations(pass, totals);
  pass.each(table::stock, [&](std::string_view key, std::string_view value) {
    ++pass.report.skus;
    const auto s = pass.read<domain::stock>(table::stock, key, value);
    if (!s) {
      // Its totals have nothing to be compared with: that is one finding, not two.
      if (key.size() > 1) totals.erase(std::string{key.substr(1)});
      return;
    }
    if (!in_place(pass, *s, key, sku_key(s->sku))) return;
    compare(pass, *s, totals[s->sku]);
    totals.erase(s->sku);
    check_last_event(pass, s->sku, s->sequence);
  });
  if (!pass.saw_all(table::stock)) totals.clear();
  for (const auto& [sku, t] : totals)
    if (t.movements != 0 || t.reserved != 0)
      pass.add(t.movements != 0 ? "stock-sum" : "reserved-sum", sku,
        "it has movements or live reservations, and no stock row");
  pass.each(table::products, [&](std::string_view key, std::string_view value) {
    const auto p = pass.read<domain::product>(table::products, key, value);
    if (p && in_place(pass, *p, key, sku_key(p->sku))) check_last_event(pass, p->sku, p->sequence);
  });
}
} // namespace jumun::storage
