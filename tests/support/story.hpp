#pragma once
#include "domain/saga.hpp"
#include <string>
#include <vector>

namespace jumun::tests {
using namespace domain; // every word here is one of its

inline order draft(std::vector<order_line> lines = {{"americano", "Americano", 2, 4500, {}}}) {
  order o;
  o.id = make_order_id(7, 1'700'000'000'000, 1, 2);
  o.customer = "c-42";
  o.lines = std::move(lines);
  o.currency = "KRW";
  for (const auto& l : o.lines) o.total += l.quantity * l.unit_price;
  o.method = "card";
  o.token = "tok_approve";
  o.created_ms = 1'700'000'000'000;
  return o;
}
inline constexpr context later{1'700'000'001'000, 12345};

/// An order, brought to a phase by real inputs; each call feeds one and keeps what was said.
struct story {
  order now = begin(draft()).next;
  std::vector<std::string> said{"OrderPlaced"};
  context ctx = later;

  explicit story(order o = draft()) : now(begin(std::move(o)).next) {}
  verdict feed(const input& what) {
    auto d = advance(now, what, ctx);
    now = d.next;
    for (const auto& e : d.events) said.emplace_back(name_of(e.type));
    return d.outcome;
  }
  story& stock(phase about, answer a, std::uint16_t line = 0, bool moved = true) {
    feed(stock_answered{now.id, about, line, a, moved, a == answer::refused ? "sold-out" : ""});
    return *this;
  }
  story& money(phase about, payment_said s, std::int64_t amount = 0) {
    const auto attempt = about == phase::charging ? now.charges_asked : now.attempts;
    feed(payment_answered{now.id, about, attempt, s, amount, ""});
    return *this;
  }
  story& goods(phase about, answer a, bool moved = true) {
    feed(delivery_answered{now.id, about, a, moved, "why"});
    return *this;
  }
  story& cancel() {
    feed(cancel_requested{"changed my mind"});
    return *this;
  }
  story& reserved() { return stock(phase::reserving, answer::done); }
  story& paid() { return reserved().money(phase::charging, payment_said::approved); }
  story& started() { return paid().goods(phase::dispatching, answer::done); }
  story& preparing() { return started().stock(phase::committing, answer::done); }
};
} // namespace jumun::tests
