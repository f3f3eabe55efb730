#include "tests/sim/order_story.hpp"
#include <algorithm>

namespace jumun::sim {
using domain::event_type;

void order_story::hear(const domain::event& e, const complain& no) {
  if (e.sequence != sequence_ + 1)
    no(
      "event-gap", "event " + std::to_string(e.sequence) + " follows " + std::to_string(sequence_));
  sequence_ = e.sequence;
  const bool first = e.type == event_type::order_placed;
  if (first != (e.sequence == 1)) no("event-order", "OrderPlaced is the first event, and only it");
  if (rejected_ && !resolved_) // what a person resolved may be followed by the provider's late word
    no("event-order", std::string{name_of(e.type)} + " after OrderRejected");
  switch (e.type) {
    case event_type::order_placed: total_ = e.amount; break;
    case event_type::stock_decreased:
    case event_type::stock_increased:
    case event_type::stock_rejected: hear_stock(e, no); break;
    case event_type::payment_approved:
    case event_type::payment_canceled: hear_money(e, no); break;
    case event_type::delivery_started:
    case event_type::delivery_canceled:
    case event_type::delivery_picked_up:
    case event_type::delivery_completed:
    case event_type::delivery_failed: hear_delivery(e, no); break;
    case event_type::order_canceled:
    case event_type::order_rejected:
    case event_type::order_completed: hear_ending(e, no); break;
    case event_type::operator_acted:
      if (e.detail == "resolve") {
        resolved_ = true;
        by_hand_ += e.amount;
      }
      break;
    default: break;
  }
}

void order_story::hear_stock(const domain::event& e, const complain& no) {
  auto& line = lines_[e.sku];
  if (e.type == event_type::stock_rejected) return void(++line.rejected);
  if (e.type == event_type::stock_decreased) {
    if (++line.decreased > 1) no("reserved-twice", e.sku + " was reserved twice");
    line.quantity = e.quantity;
    ++held_;
    return;
  }
  if (line.decreased != 1 || ++line.increased > 1)
    no("released-twice", e.sku + " came back without having left");
  if (e.quantity != line.quantity) no("released-twice", e.sku + " came back in another quantity");
  if (!money_is_back()) no("event-order", "stock came back before the money");
  if (started_ && !stopped_) no("event-order", "stock came back while it was being delivered");
  --held_;
}

void order_story::hear_money(const domain::event& e, const complain& no) {
  if (e.type == event_type::payment_approved) {
    if (captured_ != 0) no("charged-twice", "PaymentApproved twice");
    if (e.amount != total_) no("charged-wrong", "another amount than the order's total was taken");
    if (!resolved_ && (held_ == 0 || held_ != lines_.size()))
      no("event-order", "it was paid before all of its stock was held");
    captured_ = e.amount;
    return;
  }
  if (started_ && !stopped_) no("event-order", "the money went back before the delivery stopped");
  if (e.amount > captured_ - refunded_) no("refunded-twice", "more went back than was taken");
  if (e.amount == 0 && captured_ != 0) no("refund-lost", "voided, and the money had been taken");
  refunded_ += e.amount;
  voided_ = true;
}

void order_story::hear_delivery(const domain::event& e, const complain& no) {
  const bool active = started_ && !stopped_;
  switch (e.type) {
    case event_type::delivery_started:
      if (started_) no("delivered-twice", "DeliveryStarted twice");
      if (captured_ != total_ || refunded_ != 0)
        no("delivered-unpaid", "a delivery was started without the money");
      started_ = true;
      return;
    case event_type::delivery_canceled:
      if (!active) no("event-order", "a delivery was stopped that had not started");
      if (delivered_) no("event-order", "a delivery was stopped that had been made");
      stopped_ = true;
      return;
    case event_type::delivery_picked_up:
      if (!active || picked_up_ || delivered_ || failed_)
        no("event-order", "picked up twice or late");
      picked_up_ = true;
      return;
    case event_type::delivery_failed:
      if (!active || delivered_ || failed_) no("event-order", "it failed twice or late");
      failed_ = true;
      return;
    default:
      if (!active || delivered_ || (failed_ && !resolved_))
        no("event-order", "delivered twice or late");
      delivered_ = true;
  }
}

void order_story::hear_ending(const domain::event& e, const complain& no) {
  switch (e.type) {
    case event_type::order_canceled:
      if (cancelled_ || rejected_) no("event-order", "cancelled twice, or after the end");
      if (delivered_ || (picked_up_ && !failed_))
        no("cancelled-late", "cancelled once it was shipped");
      cancelled_ = true;
      return;
    case event_type::order_rejected:
      if (cancelled_) no("event-order", "rejected, although it was cancelled");
      if (held_ != 0) no("kept-stock", "rejected, and it holds stock");
      if (!money_is_back()) no("kept-money", "rejected, and the money was kept");
      if (started_ && !stopped_) no("kept-delivery", "rejected, and it is being delivered");
      rejected_ = true;
      return;
    default:
      if (!delivered_ || completed_)
        no("event-order", "completed twice, or before it was delivered");
      completed_ = true;
  }
}

void order_story::compare(const domain::order& row, const complain& no) const {
  const auto differs = [&](const std::string& what) { no("row-differs", what); };
  if (row.sequence != sequence_) differs("its row counts other events than there are");
  if (row.captured != captured_) differs("its row has another amount taken");
  if (row.refunded != refunded_) differs("its row has another amount given back");
  if (row.settled_outside != by_hand_) differs("its row has another amount settled by hand");
  if (row.cancel_requested != cancelled_)
    differs("its row and its events differ on a cancellation");
  if ((row.at == domain::phase::rejected) != rejected_) differs("rejected by one account only");
  using d = domain::delivery_status;
  const bool active = row.delivery == d::started || row.delivery == d::picked_up
                      || row.delivery == d::delivered || row.delivery == d::failed;
  if (active != (started_ && !stopped_)) differs("its row and its events differ on the delivery");
  if ((row.delivery == d::delivered) != delivered_) differs("delivered by one account only");
  std::size_t held = 0;
  for (const auto& line : row.lines) {
    using s = domain::line_state;
    if (line.state != s::held && line.state != s::committed) continue;
    ++held;
    const auto told = lines_.find(line.sku);
    if (told == lines_.end() || told->second.decreased <= told->second.increased)
      differs(line.sku + " is held by the row only");
    else if (told->second.quantity != line.quantity)
      differs(line.sku + " is held in another quantity");
  }
  if (held != held_) differs("its row holds other lines than its events say");
  const bool ended = row.at == domain::phase::cancelled || row.at == domain::phase::rejected;
  if (ended && held_ != 0) no("kept-stock", "it has ended, and holds stock");
  if (ended && !money_is_back()) no("kept-money", "it has ended, and the money was kept");
}
} // namespace jumun::sim
