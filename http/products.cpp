#include "http/command.hpp"
#include "http/fields.hpp"
#include "http/json.hpp"
#include "http/lists.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
std::string row_json(shop& inside, const domain::product& p) {
  const auto stock = inside.find_stock(p.sku);
  return product_json(p, stock ? stock->available() : 0);
}

/// What If-Match and If-None-Match ask of the product. False: the answer is sent.
bool read_conditions(const exchange_ptr& ex, domain::put_product& c) {
  const auto if_match = ex->head.find("if-match");
  const auto if_none = ex->head.find("if-none-match");
  const auto failed = [&](std::string detail) {
    send(ex, problems::precondition_failed, std::move(detail));
    return false;
  };
  if (if_match && if_none) return failed("If-Match and If-None-Match exclude each other");
  if (if_none && *if_none != "*") {
    send(ex, problems::bad_request, "for a PUT, If-None-Match can only be *");
    return false;
  }
  c.if_absent = if_none.has_value();
  if (!if_match) return true;
  const auto tags = parse_tags(*if_match);
  const auto versions = tags.versions();
  if (versions.size() == 1 && tags.tags.size() == 1) {
    c.if_version = versions[0];
    return true;
  }
  // `*`, or several: whichever is the present one, and only that.
  const auto now = ex->inside().find_product(c.row.sku);
  const bool has =
    now
    && (tags.any || std::find(versions.begin(), versions.end(), now->version) != versions.end());
  if (!has) return failed("If-Match names no present version of the product");
  c.if_version = now->version;
  return true;
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

/// GET /v1/products/{sku} → 200, 404. Never 304: `available` changes without the product's version.
void get_product(const exchange_ptr& ex) {
  const auto row = ex->inside().find_product(ex->params[0]);
  if (!row) return send(ex, problems::not_found, "no product has this SKU");
  send_json(ex, row_json(ex->inside(), *row), etag_of(row->version));
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
  if (!read_conditions(ex, c)) return;
  command(ex, [ex, c](done<outcome> d) { ex->inside().put(c, std::move(d)); });
}
} // namespace jumun::http
