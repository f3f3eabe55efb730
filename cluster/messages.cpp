#include "cluster/messages.hpp"
#include "cluster/wire_codec.hpp"
#include "messages.pb.h"

namespace jumun::cluster {
namespace {
using namespace codec;
using limits::command_id_bytes_max;
using limits::message_text_bytes_max;

template <class Wire> std::string sealed(const Wire& m) {
  std::string out(m.ByteSizeLong(), '\0');
  m.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}
template <class Wire> bool opened(Wire& m, std::string_view bytes) {
  return parse(m, bytes, limits::envelope_bytes_max);
}

void put(wire::OrderId& to, domain::order_id id) {
  to.set_hi(id.hi);
  to.set_lo(id.lo);
}
/// False: the zero id, which is never valid.
bool get(domain::order_id& id, const wire::OrderId& from) {
  id = {from.hi(), from.lo()};
  return id != domain::order_id{};
}

void put(wire::RequestContext& to, const domain::request_context& c) {
  to.set_principal(c.principal);
  to.set_traceparent(c.traceparent);
  to.set_trace_id(c.trace_id);
  to.set_traced(c.traced);
  to.set_key(c.key);
  to.set_fingerprint(c.fingerprint);
}
bool get(domain::request_context& c, const wire::RequestContext& from) {
  c.traced = from.traced();
  return take(c.principal, from.principal(), message_text_bytes_max)
         && take(c.traceparent, from.traceparent(), message_text_bytes_max)
         && take(c.trace_id, from.trace_id(), message_text_bytes_max)
         && take(c.key, from.key(), message_text_bytes_max)
         && take(c.fingerprint, from.fingerprint(), message_text_bytes_max);
}

/// The three stock commands have order, line and SKU alike.
template <class Wire, class Command> void put_line(Wire& to, const Command& c) {
  put(*to.mutable_order(), c.order);
  to.set_line(c.line);
  to.set_sku(c.sku);
}
template <class Wire, class Command> bool get_line(Command& c, const Wire& from) {
  c.line = static_cast<std::uint16_t>(from.line());
  return from.line() < limits::order_lines_max && get(c.order, from.order())
         && take(c.sku, from.sku(), limits::sku_bytes_max) && !c.sku.empty();
}

void put(wire::StoredReply& to, const domain::stored_reply& r) {
  to.set_status(r.status);
  to.set_content_type(r.content_type);
  to.set_etag(r.etag);
  to.set_location(r.location);
  to.set_body(r.body);
  to.set_replayed(r.replayed);
}
bool get(domain::stored_reply& r, const wire::StoredReply& from) {
  r.status = static_cast<std::uint16_t>(from.status());
  r.replayed = from.replayed();
  return within(from.status(), 100U, 599U)
         && take(r.content_type, from.content_type(), message_text_bytes_max)
         && take(r.etag, from.etag(), message_text_bytes_max)
         && take(r.location, from.location(), message_text_bytes_max)
         && take(r.body, from.body(), limits::envelope_bytes_max);
}

bool get(domain::order_line& l, const wire::OrderLine& from) {
  l.quantity = from.quantity();
  l.unit_price = from.unit_price();
  return take(l.sku, from.sku(), limits::sku_bytes_max) && !l.sku.empty()
         && take(l.name, from.name(), message_text_bytes_max)
         && within(l.quantity, std::int64_t{1}, limits::quantity_max)
         && within(l.unit_price, std::int64_t{0}, limits::unit_price_max);
}
bool get(domain::address& a, const wire::Address& from) {
  return take(a.line1, from.line1(), message_text_bytes_max)
         && take(a.line2, from.line2(), message_text_bytes_max)
         && take(a.city, from.city(), message_text_bytes_max)
         && take(a.postal_code, from.postal_code(), message_text_bytes_max)
         && take(a.country, from.country(), message_text_bytes_max);
}
bool count(std::int64_t n) { return n >= 0; }
} // namespace

std::string encode(const domain::reserve_stock& c) {
  auto& m = scratch<wire::ReserveStock>();
  put_line(m, c);
  m.set_quantity(c.quantity);
  return sealed(m);
}
template <> std::optional<domain::reserve_stock> decode(std::string_view bytes) {
  auto& m = scratch<wire::ReserveStock>();
  domain::reserve_stock c;
  if (!opened(m, bytes) || !get_line(c, m)
      || !within(m.quantity(), std::int64_t{1}, limits::quantity_max))
    return {};
  c.quantity = m.quantity();
  return c;
}

std::string encode(const domain::commit_stock& c) {
  auto& m = scratch<wire::CommitStock>();
  put_line(m, c);
  return sealed(m);
}
template <> std::optional<domain::commit_stock> decode(std::string_view bytes) {
  auto& m = scratch<wire::CommitStock>();
  domain::commit_stock c;
  if (!opened(m, bytes) || !get_line(c, m)) return {};
  return c;
}

std::string encode(const domain::release_stock& c) {
  auto& m = scratch<wire::ReleaseStock>();
  put_line(m, c);
  return sealed(m);
}
template <> std::optional<domain::release_stock> decode(std::string_view bytes) {
  auto& m = scratch<wire::ReleaseStock>();
  domain::release_stock c;
  if (!opened(m, bytes) || !get_line(c, m)) return {};
  return c;
}

std::string encode(const domain::stock_answered& a) {
  auto& m = scratch<wire::StockAnswered>();
  put(*m.mutable_order(), a.order);
  m.set_about(static_cast<std::uint32_t>(a.about));
  m.set_line(a.line);
  m.set_said(static_cast<std::uint32_t>(a.said));
  m.set_moved(a.moved);
  m.set_reason(a.reason);
  return sealed(m);
}
template <> std::optional<domain::stock_answered> decode(std::string_view bytes) {
  using namespace domain;
  auto& m = scratch<wire::StockAnswered>();
  stock_answered a;
  if (!opened(m, bytes) || !get(a.order, m.order()) || m.line() >= limits::order_lines_max
      || !into(a.about, m.about(), phase::reserving, phase::cancelled)
      || !into(a.said, m.said(), answer::done, answer::unknown)
      || !take(a.reason, m.reason(), message_text_bytes_max))
    return {};
  a.line = static_cast<std::uint16_t>(m.line());
  a.moved = m.moved();
  return a;
}

std::string encode(const domain::place_order& c) {
  auto& m = scratch<wire::PlaceOrder>();
  put(*m.mutable_from(), c.from);
  const auto& d = c.draft;
  m.set_customer(d.customer);
  m.set_principal(d.principal);
  for (const auto& l : d.lines) {
    auto& to = *m.add_lines();
    to.set_sku(l.sku);
    to.set_name(l.name);
    to.set_quantity(l.quantity);
    to.set_unit_price(l.unit_price);
  }
  m.set_currency(d.currency);
  m.set_total(d.total);
  m.set_method(d.method);
  m.set_token(d.token);
  auto& a = *m.mutable_ship_to();
  a.set_line1(d.ship_to.line1);
  a.set_line2(d.ship_to.line2);
  a.set_city(d.ship_to.city);
  a.set_postal_code(d.ship_to.postal_code);
  a.set_country(d.ship_to.country);
  m.set_traceparent(d.traceparent);
  m.set_wants_settled(c.wants_settled);
  return sealed(m);
}
template <> std::optional<domain::place_order> decode(std::string_view bytes) {
  auto& m = scratch<wire::PlaceOrder>();
  domain::place_order c;
  auto& d = c.draft;
  if (!opened(m, bytes) || !get(c.from, m.from())
      || !within(m.lines_size(), 1, static_cast<int>(limits::order_lines_max)) || !count(m.total())
      || !take(d.customer, m.customer(), message_text_bytes_max)
      || !take(d.principal, m.principal(), message_text_bytes_max)
      || !take(d.currency, m.currency(), message_text_bytes_max)
      || !take(d.method, m.method(), message_text_bytes_max)
      || !take(d.token, m.token(), message_text_bytes_max) || !get(d.ship_to, m.ship_to())
      || !take(d.traceparent, m.traceparent(), message_text_bytes_max))
    return {};
  d.lines.resize(static_cast<std::size_t>(m.lines_size()));
  for (int i = 0; i < m.lines_size(); ++i)
    if (!get(d.lines[static_cast<std::size_t>(i)], m.lines(i))) return {};
  d.total = m.total();
  c.wants_settled = m.wants_settled();
  return c;
}

std::string encode(const domain::cancel_order& c) {
  auto& m = scratch<wire::CancelOrder>();
  put(*m.mutable_from(), c.from);
  put(*m.mutable_order(), c.order);
  m.set_reason(c.reason);
  return sealed(m);
}
template <> std::optional<domain::cancel_order> decode(std::string_view bytes) {
  auto& m = scratch<wire::CancelOrder>();
  domain::cancel_order c;
  if (!opened(m, bytes) || !get(c.from, m.from()) || !get(c.order, m.order())
      || !take(c.reason, m.reason(), message_text_bytes_max))
    return {};
  return c;
}

std::string encode(const domain::report_delivery& c) {
  auto& m = scratch<wire::ReportDelivery>();
  put(*m.mutable_from(), c.from);
  put(*m.mutable_order(), c.order);
  m.set_status(static_cast<std::uint32_t>(c.report.status));
  m.set_note(c.report.note);
  m.set_traceparent(c.report.traceparent);
  return sealed(m);
}
template <> std::optional<domain::report_delivery> decode(std::string_view bytes) {
  using s = domain::delivery_status;
  auto& m = scratch<wire::ReportDelivery>();
  domain::report_delivery c;
  if (!opened(m, bytes) || !get(c.from, m.from()) || !get(c.order, m.order())
      || !into(c.report.status, m.status(), s::picked_up, s::failed)
      || !take(c.report.note, m.note(), message_text_bytes_max)
      || !take(c.report.traceparent, m.traceparent(), message_text_bytes_max))
    return {};
  return c;
}

std::string encode(const domain::act_on_saga& c) {
  auto& m = scratch<wire::ActOnSaga>();
  put(*m.mutable_from(), c.from);
  m.set_roles(c.roles);
  put(*m.mutable_order(), c.order);
  m.set_action(static_cast<std::uint32_t>(c.what.action));
  m.set_reason(c.what.reason);
  if (c.if_version) m.set_if_version(*c.if_version);
  return sealed(m);
}
template <> std::optional<domain::act_on_saga> decode(std::string_view bytes) {
  using a = domain::operator_action;
  auto& m = scratch<wire::ActOnSaga>();
  domain::act_on_saga c;
  if (!opened(m, bytes) || !get(c.from, m.from()) || !get(c.order, m.order())
      || !take(c.roles, m.roles(), message_text_bytes_max)
      || !into(c.what.action, m.action(), a::pause, a::resolve)
      || !take(c.what.reason, m.reason(), message_text_bytes_max))
    return {};
  if (m.has_if_version()) c.if_version = m.if_version();
  return c;
}

std::string encode(const domain::adjust_stock& c) {
  auto& m = scratch<wire::AdjustStock>();
  put(*m.mutable_from(), c.from);
  m.set_sku(c.sku);
  m.set_delta(c.change.delta);
  m.set_reason(c.change.reason);
  m.set_reference(c.change.reference);
  return sealed(m);
}
template <> std::optional<domain::adjust_stock> decode(std::string_view bytes) {
  auto& m = scratch<wire::AdjustStock>();
  domain::adjust_stock c;
  if (!opened(m, bytes) || !get(c.from, m.from()) || !take(c.sku, m.sku(), limits::sku_bytes_max)
      || c.sku.empty() || !within(m.delta(), -limits::stock_max, limits::stock_max)
      || !take(c.change.reason, m.reason(), message_text_bytes_max)
      || !take(c.change.reference, m.reference(), message_text_bytes_max))
    return {};
  c.change.delta = m.delta();
  return c;
}

std::string encode(const domain::count_stock& c) {
  auto& m = scratch<wire::CountStock>();
  put(*m.mutable_from(), c.from);
  m.set_sku(c.sku);
  m.set_on_hand(c.on_hand);
  m.set_if_version(c.if_version);
  return sealed(m);
}
template <> std::optional<domain::count_stock> decode(std::string_view bytes) {
  auto& m = scratch<wire::CountStock>();
  domain::count_stock c;
  if (!opened(m, bytes) || !get(c.from, m.from()) || !take(c.sku, m.sku(), limits::sku_bytes_max)
      || c.sku.empty() || !within(m.on_hand(), std::int64_t{0}, limits::stock_max))
    return {};
  c.on_hand = m.on_hand();
  c.if_version = m.if_version();
  return c;
}

std::string encode(const domain::put_product& c) {
  auto& m = scratch<wire::PutProduct>();
  put(*m.mutable_from(), c.from);
  m.set_sku(c.row.sku);
  m.set_name(c.row.name);
  m.set_unit_price(c.row.unit_price.amount);
  m.set_currency(c.row.unit_price.currency);
  if (c.if_version) m.set_if_version(*c.if_version);
  m.set_if_absent(c.if_absent);
  return sealed(m);
}
template <> std::optional<domain::put_product> decode(std::string_view bytes) {
  auto& m = scratch<wire::PutProduct>();
  domain::put_product c;
  if (!opened(m, bytes) || !get(c.from, m.from())
      || !take(c.row.sku, m.sku(), limits::sku_bytes_max) || c.row.sku.empty()
      || !take(c.row.name, m.name(), message_text_bytes_max)
      || !take(c.row.unit_price.currency, m.currency(), message_text_bytes_max)
      || !within(m.unit_price(), std::int64_t{0}, limits::unit_price_max))
    return {};
  c.row.unit_price.amount = m.unit_price();
  if (m.has_if_version()) c.if_version = m.if_version();
  c.if_absent = m.if_absent();
  return c;
}

std::string encode(const domain::remember_reply& c) {
  auto& m = scratch<wire::RememberReply>();
  put(*m.mutable_from(), c.from);
  m.set_shard(c.shard);
  put(*m.mutable_reply(), c.reply);
  return sealed(m);
}
template <> std::optional<domain::remember_reply> decode(std::string_view bytes) {
  auto& m = scratch<wire::RememberReply>();
  domain::remember_reply c;
  if (!opened(m, bytes) || !get(c.from, m.from()) || m.shard() >= domain::shard_count
      || !get(c.reply, m.reply()))
    return {};
  c.shard = static_cast<domain::shard_id>(m.shard());
  return c;
}

std::string encode(const domain::take_hook& c) {
  auto& m = scratch<wire::TakeHook>();
  put(*m.mutable_from(), c.from);
  put(*m.mutable_order(), c.what.order);
  m.set_news(static_cast<std::uint32_t>(c.what.news));
  m.set_event(c.what.event);
  m.set_reference(c.what.reference);
  m.set_received_ms(c.what.received_ms);
  m.set_parked(c.what.parked);
  return sealed(m);
}
template <> std::optional<domain::take_hook> decode(std::string_view bytes) {
  auto& m = scratch<wire::TakeHook>();
  domain::take_hook c;
  if (!opened(m, bytes) || !get(c.from, m.from()) || !get(c.what.order, m.order())
      || !into(c.what.news, m.news(), domain::hook_news::outcome, domain::hook_news::reversed)
      || !take(c.what.event, m.event(), message_text_bytes_max)
      || !take(c.what.reference, m.reference(), message_text_bytes_max))
    return {};
  c.what.received_ms = m.received_ms();
  c.what.parked = m.parked();
  return c;
}

std::string encode(const command_answered& a) {
  auto& m = scratch<wire::CommandAnswered>();
  put(*m.mutable_reply(), a.reply);
  if (a.to_settle != domain::order_id{}) put(*m.mutable_to_settle(), a.to_settle);
  return sealed(m);
}
template <> std::optional<command_answered> decode(std::string_view bytes) {
  auto& m = scratch<wire::CommandAnswered>();
  command_answered a;
  if (!opened(m, bytes) || !get(a.reply, m.reply())
      || (m.has_to_settle() && !get(a.to_settle, m.to_settle())))
    return {};
  return a;
}

std::string encode(const move_offer& o) {
  auto& m = scratch<wire::MoveOffer>();
  m.set_move(o.move);
  m.set_epoch(o.epoch);
  return sealed(m);
}
template <> std::optional<move_offer> decode(std::string_view bytes) {
  auto& m = scratch<wire::MoveOffer>();
  move_offer o;
  if (!opened(m, bytes) || !take(o.move, m.move(), command_id_bytes_max) || o.move.empty())
    return {};
  o.epoch = m.epoch();
  return o;
}

std::string encode(const move_rows& r) {
  auto& m = scratch<wire::MoveRows>();
  m.set_move(r.move);
  m.set_piece(r.piece);
  m.set_rows(r.rows);
  return sealed(m);
}
template <> std::optional<move_rows> decode(std::string_view bytes) {
  auto& m = scratch<wire::MoveRows>();
  move_rows r;
  if (!opened(m, bytes) || !take(r.move, m.move(), command_id_bytes_max)
      || !take(r.rows, m.rows(), limits::envelope_bytes_max))
    return {};
  r.piece = m.piece();
  return r;
}

std::string encode(const move_complete& c) {
  auto& m = scratch<wire::MoveComplete>();
  m.set_move(c.move);
  m.set_pieces(c.pieces);
  m.set_last_offset(c.last_offset);
  m.set_low_water(c.low_water);
  return sealed(m);
}
template <> std::optional<move_complete> decode(std::string_view bytes) {
  auto& m = scratch<wire::MoveComplete>();
  move_complete c;
  if (!opened(m, bytes) || !take(c.move, m.move(), command_id_bytes_max)) return {};
  c.pieces = m.pieces();
  c.last_offset = m.last_offset();
  c.low_water = m.low_water();
  return c;
}

std::string encode(const move_answered& a) {
  auto& m = scratch<wire::MoveAnswered>();
  m.set_refused(a.refused);
  return sealed(m);
}
template <> std::optional<move_answered> decode(std::string_view bytes) {
  auto& m = scratch<wire::MoveAnswered>();
  move_answered a;
  if (!opened(m, bytes) || !take(a.refused, m.refused(), message_text_bytes_max)) return {};
  return a;
}

std::string encode(const provider_ask& a) {
  auto& m = scratch<wire::ProviderAsk>();
  m.set_call(static_cast<std::uint32_t>(a.what));
  put(*m.mutable_order(), a.order);
  m.set_payment_id(a.payment_id);
  m.set_amount(a.amount);
  m.set_currency(a.currency);
  m.set_token(a.token);
  return sealed(m);
}
template <> std::optional<provider_ask> decode(std::string_view bytes) {
  auto& m = scratch<wire::ProviderAsk>();
  provider_ask a;
  using call = provider_ask::call;
  if (!opened(m, bytes) || !into(a.what, m.call(), call::charge, call::cancel)
      || !get(a.order, m.order()) || !take(a.payment_id, m.payment_id(), message_text_bytes_max)
      || !take(a.currency, m.currency(), message_text_bytes_max)
      || !take(a.token, m.token(), message_text_bytes_max))
    return {};
  a.amount = m.amount();
  return a;
}

std::string encode(const provider_told& t) {
  auto& m = scratch<wire::ProviderTold>();
  m.set_said(static_cast<std::uint32_t>(t.said));
  m.set_amount(t.amount);
  m.set_reason(t.reason);
  return sealed(m);
}
template <> std::optional<provider_told> decode(std::string_view bytes) {
  auto& m = scratch<wire::ProviderTold>();
  provider_told t;
  using said = domain::payment_said;
  if (!opened(m, bytes) || !into(t.said, m.said(), said::approved, said::not_asked)
      || !take(t.reason, m.reason(), message_text_bytes_max))
    return {};
  t.amount = m.amount();
  return t;
}
} // namespace jumun::cluster
