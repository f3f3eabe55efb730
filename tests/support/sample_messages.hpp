#pragma once
#include "cluster/envelope_codec.hpp"
#include "cluster/messages.hpp"

/// One message of each kind with every field set: what the codecs' tests and the golden files hold.
/// Changing a value here breaks the golden files of past releases, and is meant to.
namespace jumun::tests {
inline const domain::order_id sample_message_order =
  domain::make_order_id(7, 1'763'832'000'123, 0xab, 0x0123'4567'89ab'cdef);
inline constexpr auto sample_message_trace =
  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

inline domain::request_context sample_context() {
  return {"c-42", sample_message_trace, "4bf92f3577b34da6a3ce929d0e0e4736", true,
    std::string("\x00\xff key", 6), std::string("\x00\xfe body", 7)};
}
inline domain::reserve_stock sample_reserve() { return {sample_message_order, 99, "라떼", 3}; }
inline domain::commit_stock sample_commit() { return {sample_message_order, 1, "americano"}; }
inline domain::release_stock sample_release() { return {sample_message_order, 0, "americano"}; }
inline domain::stock_answered sample_stock_answered() {
  return {sample_message_order, domain::phase::releasing, 1, domain::answer::refused, true,
    "insufficient-stock"};
}
inline domain::place_order sample_place() {
  domain::place_order c;
  c.from = sample_context();
  auto& d = c.draft;
  d.customer = "c-42";
  d.principal = "till-1";
  d.lines = {{"americano", "Americano", 2, 4'500, {}}, {"라떼", "카페 라떼", 1, 5'000, {}}};
  d.currency = "KRW";
  d.total = 14'000;
  d.method = "card";
  d.token = "tok_secret_of_the_test";
  d.ship_to = {"1 Sejong-daero", "Unit 2", "Seoul", "04524", "KR"};
  d.traceparent = sample_message_trace;
  c.wants_settled = true;
  return c;
}
inline domain::cancel_order sample_cancel() {
  return {sample_context(), sample_message_order, "changed my mind"};
}
inline domain::report_delivery sample_report() {
  return {sample_context(), sample_message_order,
    {domain::delivery_status::failed, "nobody at home", sample_message_trace}};
}
inline domain::act_on_saga sample_act() {
  return {sample_context(), "operator,admin", sample_message_order,
    {domain::operator_action::resolve, "paid back by hand"}, 0};
}
inline domain::adjust_stock sample_adjust() {
  return {sample_context(), "americano", {-5, "spilt", "note 5"}};
}
inline domain::count_stock sample_count() { return {sample_context(), "americano", 117, 31}; }
inline domain::put_product sample_put() {
  domain::put_product c;
  c.from = sample_context();
  c.row.sku = "라떼";
  c.row.name = "카페 라떼";
  c.row.unit_price = {5'000, "KRW"};
  c.if_version = 4;
  c.if_absent = true;
  return c;
}
inline domain::stored_reply sample_reply() {
  return {201, "application/json", "\"9\"", "/v1/orders/ord_1", "{\"id\":\"ord_1\"}", true};
}
inline domain::remember_reply sample_remember() { return {sample_context(), 255, sample_reply()}; }
inline domain::take_hook sample_take_hook() {
  return {sample_context(), {sample_message_order, domain::hook_news::reversed,
                              "0123456789abcdef0123456789abcdef", "pi_1", 1'763'832'000'123, true}};
}
inline cluster::command_answered sample_answered() {
  return {sample_reply(), sample_message_order};
}

inline cluster::provider_ask sample_provider_ask() {
  return {cluster::provider_ask::call::cancel, sample_message_order,
    "pay_0E6CTKR0Z3NC00000000000000", 14'000, "KRW", "tok_secret_of_the_test"};
}

/// Calls `see(name, sample)` for a message of each kind.
template <class See> void each_message(const See& see) {
  see("reserve_stock", sample_reserve());
  see("commit_stock", sample_commit());
  see("release_stock", sample_release());
  see("stock_answered", sample_stock_answered());
  see("place_order", sample_place());
  see("cancel_order", sample_cancel());
  see("report_delivery", sample_report());
  see("act_on_saga", sample_act());
  see("adjust_stock", sample_adjust());
  see("count_stock", sample_count());
  see("put_product", sample_put());
  see("remember_reply", sample_remember());
  see("take_hook", sample_take_hook());
  see("command_answered", sample_answered());
  see("move_offer", cluster::move_offer{"00f067aa0ba902b7", 12});
  see("move_rows", cluster::move_rows{"00f067aa0ba902b7", 3, std::string("\x00\xff rows", 7)});
  see("move_complete", cluster::move_complete{"00f067aa0ba902b7", 4, 5'000, 17});
  see("move_answered", cluster::move_answered{"a piece is missing"});
  see("provider_ask", sample_provider_ask());
  see("provider_told", cluster::provider_told{domain::payment_said::cancelled, 14'000, "void"});
}

inline cluster::envelope sample_envelope() {
  cluster::envelope e;
  e.shard = 255;
  e.epoch = 12;
  e.map_version = 31;
  e.command_id = "ord_0E6CTKR0Z3NC00000000000000/reserving/1";
  e.deadline_ms = 1'763'832'000'123;
  e.traceparent = sample_message_trace;
  cluster::pack(e, sample_reserve());
  return e;
}
inline cluster::item sample_item() { return {77, cluster::asked::answered, sample_envelope()}; }
inline cluster::frame sample_frame() {
  cluster::frame f;
  f.session = 0xfedc'ba98'7654'3210;
  f.greeting = {"shop", "node-1", "node-2", 1'763'832'000'123, "0.5.0", 1, 1};
  f.greeted = {"node-2", 1'763'832'000'124, "0.5.1", 1, 1'024, 8 << 20};
  f.refused = "another cluster";
  f.items = {cluster::encode(sample_item()),
    cluster::encode(cluster::item{78, cluster::asked::unknown, {}})};
  f.handled = 1'000;
  f.handled_bytes = 200'000;
  f.ping = 17;
  f.pong = 16;
  return f;
}
} // namespace jumun::tests
