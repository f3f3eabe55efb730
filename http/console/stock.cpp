#include "http/console/inspector.hpp"
#include "http/console/resources.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include <chrono>

namespace jumun::http {
namespace {
std::string reservation_json(const domain::reservation& r) {
  json_writer w;
  w.open('{');
  w.text("order_id", to_text(domain::id_kind::order, r.order));
  w.number("line", r.line);
  w.number("quantity", r.quantity);
  w.text("since", time_text(r.updated_ms));
  w.close('}');
  return w.take();
}

std::string check_json(const stock_check& c) {
  using namespace std::chrono;
  const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  const auto on_hand = c.now.on_hand - c.moved, reserved = c.now.reserved - c.held;
  json_writer w;
  w.open('{');
  w.text("sku", c.now.sku);
  w.number("on_hand", c.now.on_hand);
  w.number("reserved", c.now.reserved);
  w.count("version", c.now.version);
  w.count("movements", c.movements);
  w.number("movements_sum", c.moved);
  w.count("live_reservations", c.reservations);
  w.number("live_reservations_sum", c.held);
  w.open("drift", '{');
  w.number("on_hand", on_hand);
  w.number("reserved", reserved);
  w.close('}');
  w.flag("complete", c.complete);
  w.flag("consistent", c.complete && on_hand == 0 && reserved == 0);
  w.text("checked_at", time_text(now));
  w.close('}');
  return w.take();
}
} // namespace

/// GET /admin/v1/inventory/{sku}/reservations → 200: live ones, by order; 400 invalid-cursor, 422.
void list_reservations(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  const auto p = read_page(ex);
  if (!p) return;
  if (!inside) return send(ex, problems::not_found, "this server has no stock");
  send_rows(ex, inside->list_reservations(ex->params[0], p->limit, p->cursor), reservation_json);
}

/// GET /admin/v1/inventory/{sku}/check → 200: its figures, and what its rows add up to; 404.
void check_stock(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  const auto found = inside ? inside->check_stock(ex->params[0]) : std::nullopt;
  if (!found) return send(ex, problems::not_found, "nothing is known of this SKU's stock");
  send_json(ex, check_json(*found));
}
} // namespace jumun::http
