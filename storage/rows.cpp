#include "storage/rows.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"
#include "rows.pb.h"
#include "storage/row_codec.hpp"

namespace jumun::storage {
namespace {
using namespace codec;
template <class Number> bool within(Number n, Number lowest, Number highest) {
  return n >= lowest && n <= highest;
}
bool count(std::int64_t n) { return n >= 0; }

void put_line(rows::Line& to, const domain::order_line& l) {
  to.set_sku(l.sku);
  to.set_name(l.name);
  to.set_quantity(l.quantity);
  to.set_unit_price(l.unit_price);
  to.set_state(static_cast<std::uint32_t>(l.state));
}

bool get_line(domain::order_line& l, const rows::Line& from) {
  l.sku = take(from.sku());
  l.name = take(from.name());
  l.quantity = from.quantity();
  l.unit_price = from.unit_price();
  using s = domain::line_state;
  return into(l.state, from.state(), s::open, s::noted)
         && within(l.quantity, std::int64_t{0}, limits::quantity_max)
         && within(l.unit_price, std::int64_t{0}, limits::unit_price_max);
}

void put_saga(rows::Order& to, const domain::order& o) {
  to.set_at(static_cast<std::uint32_t>(o.at));
  to.set_why(static_cast<std::uint32_t>(o.why));
  to.set_payment(static_cast<std::uint32_t>(o.payment));
  to.set_captured(o.captured);
  to.set_refunded(o.refunded);
  to.set_delivery(static_cast<std::uint32_t>(o.delivery));
  to.set_shipped(o.shipped);
  to.set_cancel_requested(o.cancel_requested);
  to.set_cancel_reason(o.cancel_reason);
  to.set_cancel_requested_ms(o.cancel_requested_ms);
  to.set_failure_code(o.failure_code);
  to.set_failure_detail(o.failure_detail);
  to.set_attempts(o.attempts);
  to.set_charges_asked(o.charges_asked);
  to.set_phase_since_ms(o.phase_since_ms);
  to.set_next_attempt_ms(o.next_attempt_ms);
  to.set_last_error(o.last_error);
  to.set_blocked(o.blocked);
  to.set_poisoned(o.poisoned);
  to.set_paused(o.paused && !JUMUN_PLANTED(pause_lost_on_restart));
  to.set_held_since_ms(o.held_since_ms);
  to.set_settled_outside(o.settled_outside);
  to.set_resolved(o.resolved);
}

bool get_saga(domain::order& o, const rows::Order& from) {
  o.captured = from.captured();
  o.refunded = from.refunded();
  o.shipped = from.shipped();
  o.cancel_requested = from.cancel_requested();
  o.cancel_reason = take(from.cancel_reason());
  o.cancel_requested_ms = from.cancel_requested_ms();
  o.failure_code = take(from.failure_code());
  o.failure_detail = take(from.failure_detail());
  o.attempts = from.attempts();
  o.charges_asked = from.charges_asked();
  o.phase_since_ms = from.phase_since_ms();
  o.next_attempt_ms = from.next_attempt_ms();
  o.last_error = take(from.last_error());
  o.blocked = from.blocked();
  o.poisoned = from.poisoned();
  o.paused = from.paused();
  o.held_since_ms = from.held_since_ms();
  o.settled_outside = from.settled_outside();
  o.resolved = from.resolved();
  using namespace domain;
  return into(o.at, from.at(), phase::reserving, phase::cancelled)
         && into(o.why, from.why(), ending::none, ending::cancel)
         && into(o.payment, from.payment(), payment_status::none, payment_status::resolved)
         && into(o.delivery, from.delivery(), delivery_status::none, delivery_status::refused)
         && count(o.captured) && count(o.refunded) && count(o.settled_outside);
}
} // namespace

void set_version(std::string& row, std::uint64_t version) {
  for (std::size_t i = 0; i < 8; ++i) row[1 + i] = static_cast<char>(version >> (8 * i));
}

std::optional<std::uint64_t> version_of(std::string_view row) {
  if (row.size() < header_bytes || static_cast<std::uint8_t>(row[0]) != row_format) return {};
  std::uint64_t version = 0;
  for (std::size_t i = 8; i > 0; --i) version = (version << 8) | static_cast<unsigned char>(row[i]);
  return version;
}

std::string encode(const domain::order& o) {
  auto& m = scratch<rows::Order>();
  m.set_id_hi(o.id.hi);
  m.set_id_lo(o.id.lo);
  m.set_customer(o.customer);
  m.set_principal(o.principal);
  for (const auto& l : o.lines) put_line(*m.add_lines(), l);
  m.set_currency(o.currency);
  m.set_total(o.total);
  m.set_method(o.method);
  m.set_token(o.token);
  auto& a = *m.mutable_ship_to();
  a.set_line1(o.ship_to.line1);
  a.set_line2(o.ship_to.line2);
  a.set_city(o.ship_to.city);
  a.set_postal_code(o.ship_to.postal_code);
  a.set_country(o.ship_to.country);
  m.set_traceparent(o.traceparent);
  put_saga(m, o);
  m.set_sequence(o.sequence);
  m.set_created_ms(o.created_ms);
  m.set_updated_ms(o.updated_ms);
  return seal(o.version, m);
}

template <> std::optional<domain::order> decode(std::string_view bytes) {
  auto& m = scratch<rows::Order>();
  const auto version = open(bytes, m);
  if (!version || static_cast<std::size_t>(m.lines_size()) > limits::order_lines_max) return {};
  std::optional<domain::order> out{std::in_place};
  auto& o = *out;
  o.id = {m.id_hi(), m.id_lo()};
  o.customer = take(m.customer());
  o.principal = take(m.principal());
  o.lines.resize(static_cast<std::size_t>(m.lines_size()));
  for (int i = 0; i < m.lines_size(); ++i)
    if (!get_line(o.lines[static_cast<std::size_t>(i)], m.lines(i))) return {};
  o.currency = take(m.currency());
  o.total = m.total();
  o.method = take(m.method());
  o.token = take(m.token());
  const auto& a = m.ship_to();
  o.ship_to = {
    take(a.line1()), take(a.line2()), take(a.city()), take(a.postal_code()), take(a.country())};
  o.traceparent = take(m.traceparent());
  o.version = *version;
  o.sequence = m.sequence();
  o.created_ms = m.created_ms();
  o.updated_ms = m.updated_ms();
  if (!get_saga(o, m) || o.id == domain::order_id{} || !count(o.total)) return {};
  return out;
}

std::string encode(const domain::stock& s) {
  auto& m = scratch<rows::Stock>();
  m.set_sku(s.sku);
  m.set_on_hand(s.on_hand);
  m.set_reserved_count(s.reserved);
  m.set_movements(s.movements);
  m.set_sequence(s.sequence);
  m.set_updated_ms(s.updated_ms);
  return seal(s.version, m);
}

template <> std::optional<domain::stock> decode(std::string_view bytes) {
  auto& m = scratch<rows::Stock>();
  const auto version = open(bytes, m);
  if (!version || !count(m.on_hand()) || !count(m.reserved_count())) return {};
  return domain::stock{take(m.sku()), m.on_hand(), m.reserved_count(), *version, m.movements(),
    m.sequence(), m.updated_ms()};
}

std::string encode(const domain::reservation& r) {
  auto& m = scratch<rows::Reservation>();
  m.set_order_hi(r.order.hi);
  m.set_order_lo(r.order.lo);
  m.set_line(r.line);
  m.set_sku(r.sku);
  m.set_quantity(r.quantity);
  m.set_state(static_cast<std::uint32_t>(r.state));
  m.set_updated_ms(r.updated_ms);
  return seal(0, m);
}

template <> std::optional<domain::reservation> decode(std::string_view bytes) {
  auto& m = scratch<rows::Reservation>();
  using s = domain::reservation_state;
  domain::reservation r;
  if (!open(bytes, m) || m.line() > UINT16_MAX || !into(r.state, m.state(), s::live, s::released)
      || !within(m.quantity(), std::int64_t{0}, limits::quantity_max))
    return {};
  r.order = {m.order_hi(), m.order_lo()};
  r.line = static_cast<std::uint16_t>(m.line());
  r.sku = take(m.sku());
  r.quantity = m.quantity();
  r.updated_ms = m.updated_ms();
  if (r.order == domain::order_id{}) return {};
  return r;
}

std::string encode(const domain::movement& v) {
  auto& m = scratch<rows::Movement>();
  m.set_sku(v.sku);
  m.set_number(v.number);
  m.set_delta(v.delta);
  m.set_reason(v.reason);
  m.set_reference(v.reference);
  m.set_order_hi(v.order ? v.order->hi : 0);
  m.set_order_lo(v.order ? v.order->lo : 0);
  m.set_on_hand_after(v.on_hand_after);
  m.set_time_ms(v.time_ms);
  return seal(0, m);
}

template <> std::optional<domain::movement> decode(std::string_view bytes) {
  auto& m = scratch<rows::Movement>();
  if (!open(bytes, m) || !count(m.on_hand_after())) return {};
  domain::movement v{take(m.sku()), m.number(), m.delta(), take(m.reason()), take(m.reference()),
    {}, m.on_hand_after(), m.time_ms()};
  const domain::order_id order{m.order_hi(), m.order_lo()};
  if (order != domain::order_id{}) v.order = order;
  return v;
}

std::string encode(const domain::product& p) {
  auto& m = scratch<rows::Product>();
  m.set_sku(p.sku);
  m.set_name(p.name);
  m.set_unit_price(p.unit_price.amount);
  m.set_currency(p.unit_price.currency);
  m.set_sequence(p.sequence);
  m.set_updated_ms(p.updated_ms);
  return seal(p.version, m);
}

template <> std::optional<domain::product> decode(std::string_view bytes) {
  auto& m = scratch<rows::Product>();
  const auto version = open(bytes, m);
  if (!version || !within(m.unit_price(), std::int64_t{0}, limits::unit_price_max)) return {};
  return domain::product{take(m.sku()), take(m.name()), {m.unit_price(), take(m.currency())},
    *version, m.sequence(), m.updated_ms()};
}

std::string encode(const domain::payment_record& p) {
  auto& m = scratch<rows::Payment>();
  m.set_order_hi(p.order.hi);
  m.set_order_lo(p.order.lo);
  m.set_state(static_cast<std::uint32_t>(p.state));
  m.set_amount(p.amount);
  m.set_refunded(p.refunded);
  m.set_currency(p.currency);
  m.set_reason(p.reason);
  m.set_updated_ms(p.updated_ms);
  m.set_reference(p.reference);
  return seal(p.version, m);
}

template <> std::optional<domain::payment_record> decode(std::string_view bytes) {
  auto& m = scratch<rows::Payment>();
  const auto version = open(bytes, m);
  using s = domain::charge_state;
  domain::payment_record p;
  if (!version || !into(p.state, m.state(), s::approved, s::cancelled) || !count(m.amount())
      || !count(m.refunded()))
    return {};
  p.order = {m.order_hi(), m.order_lo()};
  p.amount = m.amount();
  p.refunded = m.refunded();
  p.currency = take(m.currency());
  p.reason = take(m.reason());
  p.reference = take(m.reference());
  p.version = *version;
  p.updated_ms = m.updated_ms();
  if (p.order == domain::order_id{}) return {};
  return p;
}

std::string encode(const domain::delivery_record& d) {
  auto& m = scratch<rows::Delivery>();
  m.set_order_hi(d.order.hi);
  m.set_order_lo(d.order.lo);
  m.set_state(static_cast<std::uint32_t>(d.state));
  m.set_updated_ms(d.updated_ms);
  return seal(d.version, m);
}

template <> std::optional<domain::delivery_record> decode(std::string_view bytes) {
  auto& m = scratch<rows::Delivery>();
  const auto version = open(bytes, m);
  using s = domain::booking_state;
  domain::delivery_record d;
  if (!version || !into(d.state, m.state(), s::started, s::cancelled)) return {};
  d.order = {m.order_hi(), m.order_lo()};
  d.version = *version;
  d.updated_ms = m.updated_ms();
  if (d.order == domain::order_id{}) return {};
  return d;
}

std::string encode(const domain::event& e) {
  auto& m = scratch<rows::Event>();
  m.set_type(static_cast<std::uint32_t>(e.type));
  m.set_key(e.key);
  m.set_sequence(e.sequence);
  m.set_time_ms(e.time_ms);
  m.set_traceparent(e.traceparent);
  m.set_sku(e.sku);
  m.set_quantity(e.quantity);
  m.set_amount(e.amount);
  m.set_currency(e.currency);
  m.set_reason(e.reason);
  m.set_detail(e.detail);
  return seal(0, m);
}

template <> std::optional<domain::event> decode(std::string_view bytes) {
  auto& m = scratch<rows::Event>();
  domain::event e;
  if (!open(bytes, m)
      || !into(e.type, m.type(), domain::event_type::order_placed,
        static_cast<domain::event_type>(domain::event_type_last)))
    return {};
  e.key = take(m.key());
  e.sequence = m.sequence();
  e.time_ms = m.time_ms();
  e.traceparent = take(m.traceparent());
  e.sku = take(m.sku());
  e.quantity = m.quantity();
  e.amount = m.amount();
  e.currency = take(m.currency());
  e.reason = take(m.reason());
  e.detail = take(m.detail());
  return e;
}

std::string encode(const domain::idempotency_record& r) {
  auto& m = scratch<rows::Idempotency>();
  m.set_fingerprint(r.fingerprint);
  if (r.reply) {
    auto& reply = *m.mutable_reply();
    reply.set_status(r.reply->status);
    reply.set_content_type(r.reply->content_type);
    reply.set_etag(r.reply->etag);
    reply.set_location(r.reply->location);
    reply.set_body(r.reply->body);
  }
  m.set_order_hi(r.order ? r.order->hi : 0);
  m.set_order_lo(r.order ? r.order->lo : 0);
  m.set_boot(r.boot);
  m.set_created_ms(r.created_ms);
  return seal(0, m);
}

template <> std::optional<domain::idempotency_record> decode(std::string_view bytes) {
  auto& m = scratch<rows::Idempotency>();
  if (!open(bytes, m)) return {};
  domain::idempotency_record r;
  r.fingerprint = take(m.fingerprint());
  if (m.has_reply()) {
    const auto& reply = m.reply();
    if (!within(reply.status(), 100U, 599U)) return {};
    r.reply =
      domain::stored_reply{static_cast<std::uint16_t>(reply.status()), take(reply.content_type()),
        take(reply.etag()), take(reply.location()), take(reply.body()), false};
  }
  const domain::order_id order{m.order_hi(), m.order_lo()};
  if (order != domain::order_id{}) r.order = order;
  r.boot = m.boot();
  r.created_ms = m.created_ms();
  return r;
}

std::string encode(const domain::audit_entry& e) {
  auto& m = scratch<rows::Audit>();
  m.set_time_ms(e.time_ms);
  m.set_principal(e.principal);
  m.set_roles(e.roles);
  m.set_action(e.action);
  m.set_target(e.target);
  m.set_reason(e.reason);
  m.set_outcome(e.outcome);
  m.set_trace_id(e.trace_id);
  return seal(0, m);
}

template <> std::optional<domain::audit_entry> decode(std::string_view bytes) {
  auto& m = scratch<rows::Audit>();
  if (!open(bytes, m)) return {};
  return domain::audit_entry{m.time_ms(), take(m.principal()), take(m.roles()), take(m.action()),
    take(m.target()), take(m.reason()), take(m.outcome()), take(m.trace_id())};
}

std::string encode(const domain::shard_map& m) {
  auto& row = scratch<rows::ShardMap>();
  for (const auto& s : m.shards) {
    auto& to = *row.add_shards();
    to.set_node(s.node);
    to.set_epoch(s.epoch);
    to.set_to(s.to);
  }
  row.set_lineage(m.lineage);
  return seal(m.version, row);
}

template <> std::optional<domain::shard_map> decode(std::string_view bytes) {
  auto& row = scratch<rows::ShardMap>();
  const auto version = open(bytes, row);
  domain::shard_map m;
  if (!version || static_cast<std::size_t>(row.shards_size()) != m.shards.size()) return {};
  m.version = *version;
  m.lineage = row.lineage();
  for (std::size_t i = 0; i < m.shards.size(); ++i) {
    const auto& from = row.shards(static_cast<int>(i));
    m.shards[i] = {from.node(), from.epoch(), from.to()};
  }
  return m;
}

std::string encode(const domain::hook_record& h) {
  auto& m = scratch<rows::Hook>();
  m.set_order_hi(h.order.hi);
  m.set_order_lo(h.order.lo);
  m.set_news(static_cast<std::uint32_t>(h.news));
  m.set_event(h.event);
  m.set_reference(h.reference);
  m.set_received_ms(h.received_ms);
  m.set_parked(h.parked);
  return seal(0, m);
}

template <> std::optional<domain::hook_record> decode(std::string_view bytes) {
  auto& m = scratch<rows::Hook>();
  using n = domain::hook_news;
  domain::hook_record h;
  if (!open(bytes, m) || !into(h.news, m.news(), n::outcome, n::reversed)) return {};
  h.order = {m.order_hi(), m.order_lo()};
  h.event = take(m.event());
  h.reference = take(m.reference());
  h.received_ms = m.received_ms();
  h.parked = m.parked();
  if (h.order == domain::order_id{}) return {};
  return h;
}
} // namespace jumun::storage
