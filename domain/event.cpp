#include "domain/event.hpp"

namespace jumun::domain {
std::string_view name_of(event_type type) {
  switch (type) {
    case event_type::order_placed: return "OrderPlaced";
    case event_type::stock_decreased: return "StockDecreased";
    case event_type::payment_approved: return "PaymentApproved";
    case event_type::delivery_started: return "DeliveryStarted";
    case event_type::order_canceled: return "OrderCanceled";
    case event_type::payment_canceled: return "PaymentCanceled";
    case event_type::delivery_canceled: return "DeliveryCanceled";
    case event_type::stock_increased: return "StockIncreased";
    case event_type::stock_rejected: return "StockRejected";
    case event_type::payment_declined: return "PaymentDeclined";
    case event_type::payment_outcome_unknown: return "PaymentOutcomeUnknown";
    case event_type::delivery_picked_up: return "DeliveryPickedUp";
    case event_type::delivery_completed: return "DeliveryCompleted";
    case event_type::delivery_failed: return "DeliveryFailed";
    case event_type::order_rejected: return "OrderRejected";
    case event_type::order_completed: return "OrderCompleted";
    case event_type::saga_blocked: return "SagaBlocked";
    case event_type::operator_acted: return "OperatorActed";
    case event_type::stock_adjusted: return "StockAdjusted";
    case event_type::product_changed: return "ProductChanged";
  }
  return "";
}

std::optional<event_type> parse_event_type(std::string_view name) {
  for (std::uint8_t n = 1; n <= event_type_last; ++n)
    if (name_of(static_cast<event_type>(n)) == name) return static_cast<event_type>(n);
  return {};
}

std::string_view topic_of(event_type type) {
  switch (type) {
    case event_type::payment_approved:
    case event_type::payment_canceled:
    case event_type::payment_declined:
    case event_type::payment_outcome_unknown: return "payments";
    case event_type::stock_decreased:
    case event_type::stock_increased:
    case event_type::stock_rejected:
    case event_type::stock_adjusted:
    case event_type::product_changed: return "inventory";
    case event_type::delivery_started:
    case event_type::delivery_canceled:
    case event_type::delivery_picked_up:
    case event_type::delivery_completed:
    case event_type::delivery_failed: return "deliveries";
    default: return "orders";
  }
}
} // namespace jumun::domain
