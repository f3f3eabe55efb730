#pragma once
#include "http/exchange.hpp"

namespace jumun::http {
/// The durable order, as far as the asker may know of it: to a customer another's order is the same
/// as none, in every route that can name one. Blocks for a disk: reader threads only.
[[nodiscard]] inline std::optional<domain::order> find_visible(
  const exchange_ptr& ex, domain::order_id id) {
  auto o = ex->inside().find_order(id);
  if (o && ex->who.own_only() && o->customer != ex->who.principal) o.reset();
  return o;
}
/// The same for the order whose id (`ord_`, `pay_`, `dlv_`) is the path's first variable segment.
[[nodiscard]] inline std::optional<domain::order> visible_order_of_path(
  const exchange_ptr& ex, domain::id_kind kind) {
  const auto id = domain::parse_id(kind, ex->params[0]);
  return id ? find_visible(ex, *id) : std::nullopt;
}
} // namespace jumun::http
