#include "storage/check_pass.hpp"
#include <algorithm>
#include <set>

// Orders against themselves, their reservations, their money and their delivery.
//
// An order's row and its peers' rows are written in different sets, in the order in which things
// happened. So a peer may be ahead of the order's row, by what its phase owes, never behind it; and
// at rest, when nothing is owed, all must agree exactly.
namespace jumun::storage {
namespace {
using domain::ending;
using domain::line_state;
using domain::payment_status;
using domain::phase;
using domain::reservation_state;

bool ended(const domain::order& o) { return o.at == phase::rejected || o.at == phase::cancelled; }
bool goes_back(phase p) {
  return p == phase::undelivering || p == phase::refunding || p == phase::voiding
         || p == phase::releasing;
}

bool phase_allows(phase at, line_state line) {
  switch (at) {
    case phase::reserving: return line != line_state::committed && line != line_state::released;
    case phase::charging:
    case phase::inquiring:
    case phase::dispatching: return line == line_state::held;
    case phase::committing:
    case phase::undelivering:
    case phase::refunding:
    case phase::voiding: return line == line_state::held || line == line_state::committed;
    case phase::fulfilled: return line == line_state::committed;
    case phase::releasing: return true;
    case phase::rejected:
    case phase::cancelled: return line == line_state::refused || line == line_state::released;
  }
  return false;
}

/// Whether inventory can have `row` for a line whose order's row says `line`. @pre phase_allows(at,
/// line)
bool agrees(phase at, line_state line, const std::optional<domain::reservation>& row) {
  using r = reservation_state;
  const auto is = [&row](r state) { return row && row->state == state; };
  const bool may_commit = at == phase::committing || goes_back(at);
  const bool releasing = at == phase::releasing;
  switch (line) {
    case line_state::open:
      return !row || is(r::live) || is(r::refused) || (releasing && is(r::released));
    case line_state::noted:
    case line_state::held:
      return is(r::live) || (may_commit && is(r::committed)) || (releasing && is(r::released));
    case line_state::committed: return is(r::committed) || (releasing && is(r::released));
    case line_state::refused: return !row || is(r::refused) || is(r::released);
    case line_state::released: return is(r::released) || is(r::refused);
  }
  return false;
}

void check_lines(check_pass& pass, const domain::order& o) {
  for (std::uint16_t i = 0; i < o.lines.size(); ++i) {
    const auto& line = o.lines[i];
    if (!phase_allows(o.at, line.state)) {
      pass.add("state-contradiction", text_of(o.id),
        "line " + std::to_string(i) + " is in a state that " + std::string{name_of(o.at)}
          + " doesn't allow");
      continue;
    }
    if (!pass.sees(domain::shard_of(line.sku))) continue;
    const auto row =
      pass.find<domain::reservation>(table::reservations, reservation_key(line.sku, o.id, i));
    if (!agrees(o.at, line.state, row))
      pass.add("reservation-mismatch", text_of(o.id),
        "line " + std::to_string(i) + " (" + line.sku + "), " + std::string{name_of(o.at)}
          + ": its reservation is " + (row ? "in another state" : "missing"));
  }
}

bool lines_add_up(const domain::order& o) {
  std::int64_t sum = 0; // limits.hpp: fits
  std::set<std::string_view> skus;
  for (const auto& line : o.lines) {
    sum += line.quantity * line.unit_price;
    if (line.quantity == 0 || !skus.insert(line.sku).second) return false;
  }
  return !o.lines.empty() && sum == o.total;
}

/// The first thing in the row that contradicts another; empty: none.
std::string contradiction(const domain::order& o) {
  using d = domain::delivery_status;
  const bool on_its_way = o.delivery == d::started || o.delivery == d::picked_up
                          || o.delivery == d::delivered || o.delivery == d::failed;
  if (!lines_add_up(o)) return "its lines don't add up to its total, or name a SKU twice";
  if (o.version == 0 || o.sequence == 0) return "it has no version or no event";
  if (o.captured != 0 && o.captured != o.total)
    return "it was charged another amount than its total";
  if (o.refunded > o.captured) return "more was given back than taken";
  if (o.cancel_requested && o.why != ending::cancel)
    return "a cancellation was accepted, and forgotten";
  if (goes_back(o.at) && o.why == ending::none) return "it goes backward, for no reason";
  if (o.at == phase::rejected && o.why != ending::reject) return "rejected, for another reason";
  if (o.at == phase::cancelled && o.why != ending::cancel) return "cancelled, for another reason";
  if (!goes_back(o.at) && !ended(o) && o.why != ending::none)
    return "it was undone, and goes forward";
  // An operator may take back what the courier could not bring.
  if (o.shipped && o.at != phase::fulfilled && o.why != ending::cancel)
    return "shipped, and not fulfilled";
  const bool paid_phase =
    o.at == phase::dispatching || o.at == phase::committing || o.at == phase::fulfilled;
  if (paid_phase && o.payment != payment_status::approved) return "it goes on without a payment";
  if (o.at == phase::fulfilled && !on_its_way) return "fulfilled, and no delivery was started";
  if (!ended(o)) return {};
  if (on_its_way) return "it was undone, and its delivery was not";
  const bool sure = o.payment != payment_status::approved && o.payment != payment_status::pending
                    && o.payment != payment_status::unknown;
  return sure ? std::string{} : "it was undone, and its payment was not";
}

/// At rest: the row, the payment actor's record and the provider's ledger say the same.
void check_money(check_pass& pass, const domain::order& o, const ledger_totals* ledger) {
  if (!domain::at_rest(o)) return;
  const auto id = text_of(o.id);
  const auto due = ended(o) ? 0 : o.total;
  const auto complain = [&](const std::string& who, std::int64_t kept) {
    pass.add("money-mismatch", id,
      std::string{name_of(o.at)} + ": " + std::to_string(due) + " is due, " + who + " keeps "
        + std::to_string(kept));
  };
  // What a person has settled outside of the provider is his word against the provider's books:
  // the provider may have kept all of it, or (an answer that came too late) nothing.
  const bool by_hand = o.payment == payment_status::resolved;
  const auto fits = [&](std::int64_t kept) {
    return kept == due || (by_hand && (kept == 0 || kept == o.total));
  };
  const auto own =
    std::max<std::int64_t>(by_hand ? due : INT64_MIN, o.captured - o.refunded - o.settled_outside);
  if (own != due) complain("the order's row", own);
  const auto record = pass.find<domain::payment_record>(table::payments, order_key(o.id));
  // A charge whose answer was lost has no amount here, and a refund all the same.
  const auto recorded = record ? std::max<std::int64_t>(0, record->amount - record->refunded) : 0;
  if (!fits(recorded)) complain("the payment's record", recorded);
  if (record && recorded != 0 && record->currency != o.currency)
    pass.add("money-mismatch", id, "its payment is in another currency");
  if (!ledger) return;
  if (record && !record->reference.empty()) return; // another provider's: not in the simulator's
  const auto found = ledger->find(id);
  const auto kept = found == ledger->end() ? 0 : found->second.kept();
  if (!fits(kept)) complain("the provider's ledger", kept);
  if (found != ledger->end() && (found->second.mixed || found->second.currency != o.currency))
    pass.add("money-mismatch", id, "the provider's ledger has another currency");
}

/// From `committing` on the delivery actor has it booked, until it is asked to stop.
void check_booking(check_pass& pass, const domain::order& o) {
  if (o.at != phase::committing && o.at != phase::fulfilled) return;
  const auto d = pass.find<domain::delivery_record>(table::deliveries, order_key(o.id));
  if (!d || d->state != domain::booking_state::started)
    pass.add("state-contradiction", text_of(o.id),
      std::string{name_of(o.at)} + ", and its delivery isn't booked");
}

/// Retention takes a whole history only of an order that isn't open, and from its begin on.
bool trimmed_whole(check_pass& pass, const domain::order& o) {
  return !domain::open(o) && pass.low_water(domain::shard_of(o.id)) > 0
         && !pass.has_any(table::history, history_prefix(o.id));
}

void check_order(
  check_pass& pass, const domain::order& o, const ledger_totals* ledger, bool indexed) {
  const auto id = text_of(o.id);
  if (const auto why = contradiction(o); !why.empty()) pass.add("state-contradiction", id, why);
  check_lines(pass, o);
  check_money(pass, o, ledger);
  check_booking(pass, o);
  if (domain::open(o) != pass.has(table::open_sagas, order_key(o.id)))
    pass.add("open-index", id,
      domain::open(o) ? "open, and not in the index of open sagas"
                      : "at rest, and in the index of open sagas");
  if (indexed && !pass.has(table::customer_orders, customer_order_key(o.customer, o.id)))
    pass.add("customer-index", id, "it is not in the index of its customer's orders");
  domain::event last;
  last.key = id;
  last.sequence = o.sequence;
  if (o.sequence > 0 && !pass.has(table::history, history_key(last)) && !trimmed_whole(pass, o))
    pass.add("history-gap", id, "its last event, " + std::to_string(o.sequence) + ", is missing");
}

/// The delivery actor books only what was paid, and the saga refunds only what it has unbooked.
void check_delivery(check_pass& pass, const domain::delivery_record& d) {
  const auto o = pass.find<domain::order>(table::orders, order_key(d.order));
  const auto id = text_of(d.order);
  const bool started = d.state == domain::booking_state::started;
  if (!o) {
    if (started) pass.add("delivery-without-charge", id, "a delivery, and no order");
    return;
  }
  if (started && (o->payment != payment_status::approved || o->captured - o->refunded != o->total))
    pass.add("delivery-without-charge", id, "its delivery is started, its payment isn't kept");
  if (started && ended(*o))
    pass.add("state-contradiction", id, "it was undone, and its delivery is still booked");
}
} // namespace

void check_orders(check_pass& pass, const ledger_totals* ledger) {
  bool indexed = false; // an older release's folder may not be, and that is no fault
  pass.guarded([&] { indexed = pass.has_customer_index(); });
  pass.each(table::orders, [&](std::string_view key, std::string_view value) {
    ++pass.report.orders;
    const auto o = pass.read<domain::order>(table::orders, key, value);
    if (!o) return;
    if (order_key(o->id) != key)
      return pass.add("shard-mismatch", text_of(o->id), "its row lies under another order's key");
    check_order(pass, *o, ledger, indexed);
  });
  pass.each(table::open_sagas, [&](std::string_view key, std::string_view) {
    const auto id = order_of_key(key);
    if (!id) return pass.undecodable(table::open_sagas, key);
    if (!pass.has(table::orders, key))
      pass.add(
        "open-index", text_of(*id), "in the index of open sagas, and there is no such order");
  });
  pass.each(table::customer_orders, [&](std::string_view key, std::string_view) {
    const auto end = key.find('\0', 1);
    if (end == std::string_view::npos || key.size() != end + 16)
      return pass.undecodable(table::customer_orders, key);
    const auto order = std::string{key.substr(0, 1)}.append(key.substr(end + 1));
    const auto o = pass.find<domain::order>(table::orders, order);
    if (!o || o->customer != key.substr(1, end - 1))
      pass.add("customer-index", text_of(*order_of_key(order)),
        "a customer's index has it, and it is not that customer's order");
  });
  pass.each(table::payments, [&](std::string_view key, std::string_view value) {
    const auto p = pass.read<domain::payment_record>(table::payments, key, value);
    if (!p) return;
    if (order_key(p->order) != key)
      pass.add("shard-mismatch", text_of(p->order), "its payment lies under another order's key");
    else if (!pass.has(table::orders, key))
      pass.add("money-mismatch", text_of(p->order), "a payment, and no order");
    else if (p->amount > 0 && p->refunded > p->amount)
      pass.add("money-mismatch", text_of(p->order), "its payment gave back more than it took");
  });
  pass.each(table::deliveries, [&](std::string_view key, std::string_view value) {
    const auto d = pass.read<domain::delivery_record>(table::deliveries, key, value);
    if (!d) return;
    if (order_key(d->order) != key)
      return pass.add(
        "shard-mismatch", text_of(d->order), "its delivery lies under another order's key");
    check_delivery(pass, *d);
  });
}
} // namespace jumun::storage
