#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/json.hpp"
#include "http/lists.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
/// The stock of a SKU; that of a product that never had any is zero, in version 0.
std::optional<domain::stock> find(shop& inside, const std::string& sku) {
  auto row = inside.find_stock(sku);
  if (row || !inside.find_product(sku)) return row;
  domain::stock none;
  none.sku = sku;
  return none;
}
} // namespace

/// GET /v1/inventory → 200 by SKU; 400 invalid-cursor, 422.
void list_stock(const exchange_ptr& ex) {
  if (const auto p = read_page(ex))
    send_rows(ex, ex->inside().list_stock(p->limit, p->cursor), stock_json);
}

/// GET /v1/inventory/{sku} → 200, 304, 404.
void get_stock(const exchange_ptr& ex) {
  const auto s = find(ex->inside(), ex->params[0]);
  if (!s) return send(ex, problems::not_found, "no stock has this SKU");
  send_versioned(ex, stock_json(*s), s->version);
}

/// PUT /v1/inventory/{sku} {on_hand}, If-Match → 200; 400, 409 below what is reserved, 412, 422,
/// 428.
void count_stock(const exchange_ptr& ex) {
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  domain::count_stock c;
  c.from = ex->from, c.sku = ex->params[0];
  std::vector<field_error> errors;
  if (auto why = wrong_sku(c.sku); !why.empty()) errors.push_back({"/sku", std::move(why)});
  object_reader in{std::get<json_value>(body), "", errors};
  c.on_hand = in.integer("on_hand", 0, limits::stock_max);
  in.finish();
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  if (ex->head.count("if-match") == 0)
    return send(ex, problems::precondition_required,
      "a counted stock needs If-Match with the ETag it was seen in");
  const auto when = read_conditions(ex, [&]() -> std::optional<std::uint64_t> {
    const auto now = find(ex->inside(), c.sku);
    return now ? std::optional{now->version} : std::nullopt;
  });
  if (!when) return;
  c.if_version = when->if_version.value_or(0);
  command(ex, [ex, c](done<outcome> d) { ex->inside().count(c, std::move(d)); });
}

/// POST /v1/inventory/{sku}/adjustments {delta, reason, reference?} → 201; 400, 409
/// insufficient-stock, 422.
void adjust_stock(const exchange_ptr& ex) {
  const auto& sku = ex->params[0];
  const auto shard = domain::shard_of(sku);
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return refuse_once(ex, shard, *bad);
  std::vector<field_error> errors;
  if (auto why = wrong_sku(sku); !why.empty()) errors.push_back({"/sku", std::move(why)});
  object_reader in{std::get<json_value>(body), "", errors};
  domain::adjust_stock c{ex->from, sku, {}};
  const auto before = errors.size();
  c.change.delta = in.integer("delta", -limits::stock_max, limits::stock_max);
  if (c.change.delta == 0 && errors.size() == before) in.refuse("delta", "must not be 0");
  c.change.reason = in.text("reason", 1, limits::text_bytes_max);
  c.change.reference = in.text_or_empty("reference", limits::text_bytes_max);
  in.finish();
  if (!errors.empty()) return refuse_once(ex, shard, std::move(errors));
  command(ex, [ex, c](done<outcome> d) { ex->inside().adjust(c, std::move(d)); });
}

/// GET /v1/inventory/{sku}/movements → 200 newest first; 400 invalid-cursor, 404, 422.
void list_movements(const exchange_ptr& ex) {
  const auto& sku = ex->params[0];
  const auto p = read_page(ex);
  if (!p) return;
  if (!find(ex->inside(), sku)) return send(ex, problems::not_found, "no stock has this SKU");
  send_rows(ex, ex->inside().list_movements(sku, p->limit, p->cursor), movement_json);
}
} // namespace jumun::http
