#include "storage/store.hpp"

namespace jumun::storage {
std::string_view name_of(table t) {
  switch (t) {
    case table::meta: return "meta";
    case table::orders: return "orders";
    case table::open_sagas: return "open_sagas";
    case table::stock: return "stock";
    case table::reservations: return "reservations";
    case table::movements: return "movements";
    case table::products: return "products";
    case table::payments: return "payments";
    case table::deliveries: return "deliveries";
    case table::history: return "history";
    case table::feed: return "feed";
    case table::idempotency: return "idempotency";
    case table::audit: return "audit";
    case table::hooks: return "hooks";
    case table::webhooks: return "webhooks";
    case table::webhook_deliveries: return "webhook_deliveries";
    case table::customer_orders: return "customer_orders";
  }
  return "";
}

std::string after_prefix(std::string_view prefix) {
  std::string out{prefix};
  while (!out.empty() && static_cast<unsigned char>(out.back()) == 0xff) out.pop_back();
  if (!out.empty()) out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
  return out;
}
} // namespace jumun::storage
