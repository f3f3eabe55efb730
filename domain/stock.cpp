#include "domain/stock.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"

namespace jumun::domain {
namespace {
void check(const stock& s) {
  JUMUN_INVARIANT(s.on_hand >= 0 && s.reserved >= 0, "stock is never negative");
  JUMUN_INVARIANT(s.reserved <= s.on_hand, "nothing is promised that is not there");
}
stock_answered reply_for(
  order_id order, phase about, std::uint16_t line, answer said, std::string reason = {}) {
  return {order, about, line, said, /*moved=*/false, std::move(reason)};
}
void touch(stock& s, std::int64_t now_ms) {
  ++s.version;
  s.updated_ms = now_ms;
  check(s);
}
/// on_hand changes by `delta`: the only way it ever does.
movement move(stock& s, std::int64_t delta, std::string reason, std::string reference,
  std::optional<order_id> order, std::int64_t now_ms) {
  s.on_hand += delta;
  movement m;
  m.sku = s.sku;
  m.number = ++s.movements;
  m.delta = delta;
  m.reason = std::move(reason);
  m.reference = std::move(reference);
  m.order = order;
  m.on_hand_after = s.on_hand;
  m.time_ms = now_ms;
  return m;
}
} // namespace

stock_decision reserve(
  stock now, const std::optional<reservation>& known, const reserve_stock& c, std::int64_t now_ms) {
  const auto say = [&](answer said, std::string reason = {}) {
    return reply_for(c.order, phase::reserving, c.line, said, std::move(reason));
  };
  if (known) { // a repetition gets its first answer; a tombstone refuses
    const auto held =
      known->state == reservation_state::live || known->state == reservation_state::committed;
    auto reply = held ? say(answer::done) : say(answer::refused, "insufficient-stock");
    return {std::move(now), {}, {}, std::move(reply)};
  }
  reservation row{c.order, c.line, c.sku, c.quantity, reservation_state::live, now_ms};
  if (now.available() + (JUMUN_PLANTED(oversell_by_one) ? 1 : 0) < c.quantity) {
    // Remembered, so that a repetition can't succeed after stock came in. The stock row is
    // untouched.
    row.state = reservation_state::refused;
    const auto code = now.available() == 0 ? "sold-out" : "insufficient-stock";
    return {std::move(now), std::move(row), {}, say(answer::refused, code)};
  }
  now.reserved += c.quantity;
  touch(now, now_ms);
  return {std::move(now), std::move(row), {}, say(answer::done)};
}

stock_decision commit(
  stock now, const std::optional<reservation>& known, const commit_stock& c, std::int64_t now_ms) {
  const auto say = [&](answer said, std::string reason = {}) {
    return reply_for(c.order, phase::committing, c.line, said, std::move(reason));
  };
  const bool again = JUMUN_PLANTED(commit_twice);
  if (known && known->state == reservation_state::committed && !again)
    return {std::move(now), {}, {}, say(answer::done)};
  if (!known || (known->state != reservation_state::live && !again))
    return {std::move(now), {}, {}, say(answer::refused, "nothing is reserved")};
  auto row = *known;
  row.state = reservation_state::committed;
  row.updated_ms = now_ms;
  now.reserved -= row.quantity;
  auto moved = move(now, -row.quantity, "delivery", {}, c.order, now_ms);
  touch(now, now_ms);
  return {std::move(now), std::move(row), std::move(moved), say(answer::done)};
}

stock_decision release(
  stock now, const std::optional<reservation>& known, const release_stock& c, std::int64_t now_ms) {
  auto reply = reply_for(c.order, phase::releasing, c.line, answer::done);
  if (!known && JUMUN_PLANTED(stock_tombstone_forgotten))
    return {std::move(now), {}, {}, std::move(reply)};
  if (!known) { // it came before its reserve: the tombstone
    reservation tomb{c.order, c.line, c.sku, 0, reservation_state::released, now_ms};
    return {std::move(now), std::move(tomb), {}, std::move(reply)};
  }
  auto row = *known;
  std::optional<movement> moved;
  switch (known->state) {
    case reservation_state::refused: return {std::move(now), {}, {}, std::move(reply)};
    case reservation_state::live: now.reserved -= row.quantity; break;
    case reservation_state::released: // a repetition: told as the first time
      reply.moved = known->quantity > 0;
      if (!JUMUN_PLANTED(release_twice)) return {std::move(now), {}, {}, std::move(reply)};
      [[fallthrough]];
    case reservation_state::committed:
      if (JUMUN_PLANTED(restock_forgotten)) break;
      moved = move(now, row.quantity, "restock", {}, c.order, now_ms);
      break;
  }
  row.state = reservation_state::released;
  row.updated_ms = now_ms;
  reply.moved = true;
  touch(now, now_ms);
  return {std::move(now), std::move(row), std::move(moved), std::move(reply)};
}

std::optional<adjusted> adjust(stock now, const adjustment& a, std::int64_t now_ms) {
  const auto after = now.on_hand + a.delta;
  const auto least = JUMUN_PLANTED(adjusted_below_reserved) ? 0 : now.reserved;
  if (after < least || after > limits::stock_max) return {};
  adjusted out;
  out.moved = move(now, a.delta, a.reason, a.reference, {}, now_ms);
  ++now.sequence;
  touch(now, now_ms);
  out.fact.type = event_type::stock_adjusted;
  out.fact.key = now.sku;
  out.fact.sequence = now.sequence;
  out.fact.time_ms = now_ms;
  out.fact.sku = now.sku;
  out.fact.quantity = a.delta;
  out.fact.reason = a.reason;
  out.next = std::move(now);
  return out;
}

delivery_decision start(
  const std::optional<delivery_record>& known, order_id order, bool served, std::int64_t now_ms) {
  delivery_answered reply{order, phase::dispatching, answer::done, false, {}};
  if (known) {
    if (known->state != booking_state::started) {
      reply.said = answer::refused;
      reply.reason = "the country is not served";
    }
    return {{}, std::move(reply)};
  }
  delivery_record row{order, booking_state::started, 1, now_ms};
  if (!served) {
    row.state = booking_state::refused;
    reply.said = answer::refused;
    reply.reason = "the country is not served";
  }
  return {row, std::move(reply)};
}

delivery_decision cancel(
  const std::optional<delivery_record>& known, order_id order, std::int64_t now_ms) {
  delivery_answered reply{order, phase::undelivering, answer::done, false, {}};
  if (!known && JUMUN_PLANTED(delivery_tombstone_forgotten)) return {{}, reply};
  if (!known) return {delivery_record{order, booking_state::cancelled, 1, now_ms}, reply};
  if (known->state == booking_state::refused) return {{}, reply};
  reply.moved = known->state == booking_state::started || known->version > 1;
  if (known->state == booking_state::cancelled) return {{}, reply};
  return {delivery_record{order, booking_state::cancelled, known->version + 1, now_ms}, reply};
}
} // namespace jumun::domain
