#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/json.hpp"
#include "http/lists.hpp"
#include "http/order_form.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
std::string row_json(shop& inside, const domain::product& p) {
  const auto stock = inside.find_stock(p.sku);
  return product_json(p, stock ? stock->available() : 0);
}
} // namespace

std::string wrong_sku(std::string_view sku) {
  if (sku.empty() || sku.size() > limits::sku_bytes_max || !is_utf8(sku) || !is_clean_text(sku))
    return "must be 1..64 bytes of UTF-8 without control characters";
  if (domain::parse_id(domain::id_kind::order, sku)) return "must not look like an order's id";
  return {};
}

/// GET /v1/products → 200 the menu, by SKU; 400 invalid-cursor, 422.
void list_products(const exchange_ptr& ex) {
  const auto p = read_page(ex);
  if (!p) return;
  send_rows(ex, ex->inside().list_products(p->limit, p->cursor),
    [&](const domain::product& row) { return row_json(ex->inside(), row); });
}

/// GET /v1/products/{sku} → 200, 304, 404.
void get_product(const exchange_ptr& ex) {
  const auto row = ex->inside().find_product(ex->params[0]);
  if (!row) return send(ex, problems::not_found, "no product has this SKU");
  const auto stock = ex->inside().find_stock(row->sku);
  send_tagged(ex, product_json(*row, stock ? stock->available() : 0),
    product_tag(row->version, stock ? stock->version : 0));
}

/// PUT /v1/products/{sku} {name, unit_price} → 201 new, 200 changed; 400, 412, 422.
void put_product(const exchange_ptr& ex) {
  domain::put_product c;
  c.from = ex->from, c.row.sku = ex->params[0];
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  if (auto why = wrong_sku(c.row.sku); !why.empty()) errors.push_back({"/sku", std::move(why)});
  object_reader in{std::get<json_value>(body), "", errors};
  c.row.name = in.text("name", 1, limits::text_bytes_max);
  if (const auto* price = in.object("unit_price")) {
    object_reader money{*price, "/unit_price", errors};
    c.row.unit_price.amount = money.integer("amount", 1, limits::unit_price_max);
    c.row.unit_price.currency = read_currency(money);
    money.finish();
  }
  in.finish();
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  const auto when = read_conditions(ex, [&]() -> std::optional<std::uint64_t> {
    const auto now = ex->inside().find_product(c.row.sku);
    return now ? std::optional{now->version} : std::nullopt;
  });
  if (!when) return;
  c.if_version = when->if_version, c.if_absent = when->if_absent;
  command(ex, [ex, c](done<outcome> d) { ex->inside().put(c, std::move(d)); });
}
} // namespace jumun::http
