#include "domain/operator.hpp"
#include "storage/queries.hpp"
#include "storage/rows.hpp"
#include "tests/sim/people.hpp"
#include <algorithm>

// The end of the day: who is left, and what must be there because of what people were told.
namespace jumun::sim {
namespace {
std::string text_of(domain::order_id id) { return domain::to_text(domain::id_kind::order, id); }

/// Nothing but a person can move it: it must be in the list that people look at.
bool waits_for_a_person(const domain::order& o) {
  return o.paused || o.poisoned || (domain::at_rest(o) && o.blocked);
}
/// How many rows of a list fit, over all of its pages. `list`: cursor → page.
template <class List, class Fits> std::size_t count_listed(List list, Fits fits) {
  std::size_t n = 0;
  std::string cursor;
  do {
    const auto page = list(cursor);
    n += static_cast<std::size_t>(std::count_if(page->rows.begin(), page->rows.end(), fits));
    cursor = page->next_cursor;
  } while (!cursor.empty());
  return n;
}
} // namespace

std::vector<domain::order> people::all_orders() const {
  std::vector<domain::order> out;
  const auto all = world_.truth.scan(storage::table::orders, "", "", storage::direction::forward);
  for (; all->valid(); all->next())
    if (auto o = storage::decode<domain::order>(all->value())) out.push_back(std::move(*o));
  return out;
}

bool people::busy() const {
  const auto settled = [this](const domain::order& o) {
    return domain::at_rest(o) || waits_for_a_person(o);
  };
  const auto orders = all_orders();
  return planned_ > 0
         || !std::all_of(wishes_.begin(), wishes_.end(), [](const wish& w) { return w.answered; })
         || !std::all_of(orders.begin(), orders.end(), settled);
}

bool people::tidy_up() {
  if (!world_.at.door() || ++rounds_ > 12) return false;
  bool any = false;
  const auto listed = storage::list_sagas(world_.truth, {"", "", "blocked", "", {}, {}}, 200, "");
  for (const auto& o : all_orders()) {
    if (domain::saga_state_of(o) == "blocked") {
      const auto here = std::any_of(
        listed->rows.begin(), listed->rows.end(), [&](const auto& l) { return l.id == o.id; });
      if (!here) model_.wrong("not-listed", text_of(o.id) + " is blocked, and not listed");
    }
    if (!waits_for_a_person(o) || !how_.operators_heal) {
      if (o.paused) operate(o.id, domain::operator_action::resume), any = true;
      continue;
    }
    using enum domain::operator_action;
    any = true;
    if (o.paused || o.poisoned)
      operate(o.id, o.paused ? resume : retry_now);
    else
      operate(o.id, draw_() % 2 == 0 ? resolve : domain::operator_action::cancel);
  }
  return any;
}

void people::inspect(const std::optional<storage::holdings>& held) {
  const auto orders = all_orders();
  for (const auto& o : orders) {
    if (domain::at_rest(o) || (waits_for_a_person(o) && !how_.operators_heal)) continue;
    model_.wrong("not-settled", text_of(o.id) + ": " + domain::explain(o));
  }
  for (const auto& w : wishes_) inspect_wish(w, orders);
  const auto report = storage::check_store(
    world_.truth, world_.bank.ledger(), [](std::uint64_t) { return true; }, held);
  for (const auto& f : report.findings) model_.wrong("check:" + f.code, f.where + ": " + f.what);
  if (report.events != model_.events()) model_.wrong("feed", "the feed lost or gained events");
}

void people::inspect_wish(const wish& w, const std::vector<domain::order>& orders) {
  if (!w.answered) return model_.wrong("never-answered", w.name);
  const auto status = w.reply ? w.reply->status : 0;
  const auto& truth = world_.truth;
  if (std::holds_alternative<domain::place_order>(w.what)) {
    const auto n = std::count_if(
      orders.begin(), orders.end(), [&](const auto& o) { return o.customer == w.name; });
    if (n != (status == 201 ? 1 : 0))
      model_.wrong("duplicate-order",
        w.name + " has " + std::to_string(n) + " orders, and was told " + std::to_string(status));
  } else if (const auto* a = std::get_if<domain::adjust_stock>(&w.what)) {
    const auto n = count_listed(
      [&](const std::string& c) { return storage::list_movements(truth, a->sku, 200, c); },
      [&](const auto& m) { return m.reference == w.name; });
    if (n != (status == 201 ? 1U : 0U))
      model_.wrong("adjusted-twice", w.name + " moved stock " + std::to_string(n)
                                       + " times, and was told " + std::to_string(status));
  } else if (const auto* c = std::get_if<domain::cancel_order>(&w.what)) {
    const auto o = durable(c->order);
    const bool over = o && (o->at == domain::phase::cancelled || waits_for_a_person(*o));
    if (status < 300 && !over)
      model_.wrong(
        "cancellation-lost", w.name + " was accepted, and " + text_of(c->order) + " is kept");
  } else if (const auto* op = std::get_if<domain::act_on_saga>(&w.what)) {
    const auto told = count_listed(
      [&](const std::string& c) {
        return storage::list_audit(truth, {"", "", text_of(op->order)}, 200, c);
      },
      [&](const auto& e) { return e.reason == w.name; });
    if (told == 0 && status != 404)
      model_.wrong("not-audited", w.name + " is not in the audit log");
  } else if (const auto* h = std::get_if<domain::take_hook>(&w.what)) {
    const auto waits =
      truth.get(storage::table::hooks, storage::parked_hook_key(h->what.order, h->what.event));
    if (status == 202 && !durable(h->what.order) && !waits)
      model_.wrong("hook-forgotten", w.name + " was taken, and does not wait for its order");
  }
}
} // namespace jumun::sim
