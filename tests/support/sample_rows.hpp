#pragma once
#include "domain/audit.hpp"
#include "domain/hook.hpp"
#include "domain/request.hpp"
#include "domain/stock.hpp"
#include "domain/webhook.hpp"

/// One row of each type with every field set: what the codecs' tests and the golden files hold.
/// Changing a value here breaks the golden files of past releases, and is meant to.
namespace jumun::tests {
inline const domain::order_id sample_id =
  domain::make_order_id(7, 1'763'832'000'123, 0xab, 0x0123'4567'89ab'cdef);

inline domain::order sample_order() {
  using namespace domain;
  order o;
  o.id = sample_id;
  o.customer = "c-42";
  o.principal = "c-42";
  o.lines = {{"americano", "Americano", 2, 4'500, line_state::committed},
    {"라떼", "카페 라떼", 1, 5'000, line_state::committed}};
  o.currency = "KRW";
  o.total = 14'000;
  o.method = "card";
  o.token = "tok_approve";
  o.ship_to = {"1 Sejong-daero", "Unit 2", "Seoul", "04524", "KR"};
  o.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  o.at = phase::fulfilled;
  o.why = ending::none;
  o.payment = payment_status::approved;
  o.captured = 14'000;
  o.refunded = 1;
  o.delivery = delivery_status::failed;
  o.shipped = true;
  o.cancel_requested = true;
  o.cancel_reason = "changed my mind";
  o.cancel_requested_ms = 1'763'832'001'000;
  o.failure_code = "delivery-failed";
  o.failure_detail = "nobody at home";
  o.attempts = 3;
  o.charges_asked = 2;
  o.phase_since_ms = 1'763'832'000'500;
  o.next_attempt_ms = 1'763'832'000'900;
  o.last_error = "no answer in time";
  o.blocked = o.poisoned = o.paused = true;
  o.version = 9;
  o.sequence = 6;
  o.created_ms = 1'763'832'000'123;
  o.updated_ms = 1'763'832'002'000;
  return o;
}
inline domain::stock sample_stock() { return {"americano", 120, 7, 31, 12, 13, 1'763'832'000'123}; }
inline domain::reservation sample_reservation() {
  return {sample_id, 300, "americano", 2, domain::reservation_state::committed, 1'763'832'000'123};
}
inline domain::movement sample_movement() {
  return {"americano", 12, -2, "delivery", "note 5", sample_id, 118, 1'763'832'000'123};
}
inline domain::product sample_product() {
  return {"라떼", "카페 라떼", {5'000, "KRW"}, 4, 2, 1'763'832'000'123};
}
inline domain::payment_record sample_payment() {
  return {sample_id, domain::charge_state::cancelled, 14'000, 14'000, "KRW", "insufficient funds",
    3, 1'763'832'000'123};
}
inline domain::delivery_record sample_delivery() {
  return {sample_id, domain::booking_state::cancelled, 2, 1'763'832'000'123};
}
inline domain::event sample_event() {
  domain::event e;
  e.type = domain::event_type::payment_approved;
  e.key = domain::to_text(domain::id_kind::order, sample_id);
  e.sequence = 3;
  e.time_ms = 1'763'832'000'123;
  e.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  e.sku = "americano";
  e.quantity = -2;
  e.amount = 14'000;
  e.currency = "KRW";
  e.reason = "reason";
  e.detail = "detail";
  return e;
}
inline domain::idempotency_record sample_idempotency() {
  domain::idempotency_record r;
  r.fingerprint = std::string("\x00\xff fingerprint", 14);
  r.reply = domain::stored_reply{
    201, "application/json", "\"9\"", "/v1/orders/ord_1", "{\"id\":\"ord_1\"}", false};
  r.order = sample_id;
  r.boot = 0xfedc'ba98'7654'3210;
  r.created_ms = 1'763'832'000'123;
  return r;
}
inline domain::audit_entry sample_audit() {
  return {1'763'832'000'123, "kim", "operator", "saga.pause",
    domain::to_text(domain::id_kind::order, sample_id), "the bank asked us to wait", "done",
    "4bf92f3577b34da6a3ce929d0e0e4736"};
}
inline domain::hook_record sample_hook() {
  return {sample_id, domain::hook_news::reversed, "0123456789abcdef0123456789abcdef", "pi_1",
    1'763'832'000'123, true};
}
inline domain::webhook sample_webhook() {
  domain::webhook w;
  w.id = sample_id;
  w.url = "https://shop.example/hooks?key=1";
  w.description = "the till";
  w.topics = {"orders", "deliveries"};
  w.types = {domain::event_type::payment_approved, domain::event_type::product_changed};
  w.off = domain::webhook_off::failing;
  w.secrets = {{std::string("new\0key", 7), 0}, {"old key", 1'763'832'000'123}};
  w.cursor = domain::feed_position{71}, w.lost = 3, w.given_up_in_row = 2;
  w.failing_since_ms = 1'763'832'000'500;
  w.created_ms = 1'763'832'000'123, w.updated_ms = 1'763'832'002'000;
  w.version = 5;
  return w;
}
inline domain::webhook_delivery sample_webhook_delivery() {
  domain::webhook_delivery d;
  d.endpoint = sample_id;
  d.number = 72, d.cursor = "72";
  d.type = domain::event_type::delivery_started;
  d.key = "ord_0E6CTKR0Z3NC00000000000000", d.sequence = 4;
  d.state = domain::webhook_state::failed;
  d.attempts = {{1'763'832'000'123, 15'000, 0, "no answer within the deadline", false},
    {1'763'832'005'123, 12, 500, "", true}};
  d.tries = 10, d.next_attempt_ms = 1'763'832'009'000, d.redeliver = true;
  return d;
}
} // namespace jumun::tests

namespace jumun::domain {
/// For tests only: the product compares none of them.
inline bool operator==(const idempotency_record& a, const idempotency_record& b) {
  return a.fingerprint == b.fingerprint && a.reply == b.reply && a.order == b.order
         && a.boot == b.boot && a.created_ms == b.created_ms;
}
} // namespace jumun::domain
