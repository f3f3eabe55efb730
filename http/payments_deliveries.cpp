#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/json.hpp"
#include "http/lists.hpp"
#include "http/ownership.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
std::optional<domain::delivery_status> courier_status(std::string_view name) {
  using domain::delivery_status;
  for (const auto s :
    {delivery_status::picked_up, delivery_status::delivered, delivery_status::failed})
    if (domain::name_of(s) == name) return s;
  return {};
}
} // namespace

/// GET /v1/payments/{id} → 200, 304, 404.
void get_payment(const exchange_ptr& ex) {
  const auto o = visible_order_of_path(ex, domain::id_kind::payment);
  if (!o) return send(ex, problems::not_found, "no payment has this id");
  send_versioned(ex, payment_json(*o), o->version);
}

/// GET /v1/deliveries/{id} → 200, 304, 404.
void get_delivery(const exchange_ptr& ex) {
  const auto o = visible_order_of_path(ex, domain::id_kind::delivery);
  if (!o) return send(ex, problems::not_found, "no delivery has this id");
  send_versioned(ex, delivery_json(*o), o->version);
}

/// POST /v1/deliveries/{id}/updates {status, note?} → 200, also for a repetition; 400, 404, 409
/// invalid-transition, 422.
void update_delivery(const exchange_ptr& ex) {
  const auto id = domain::parse_id(domain::id_kind::delivery, ex->params[0]);
  if (!id) return send(ex, problems::not_found, "no delivery has this id");
  const auto shard = domain::shard_of(*id);
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return refuse_once(ex, shard, *bad);
  std::vector<field_error> errors;
  object_reader in{std::get<json_value>(body), "", errors};
  const auto before = errors.size();
  const auto status = courier_status(in.text("status", 1, limits::text_bytes_max));
  if (!status && errors.size() == before)
    in.refuse("status", "must be one of: picked_up, delivered, failed");
  domain::report_delivery c{ex->from, *id, {}};
  c.report.note = in.text_or_empty("note", limits::text_bytes_max);
  in.finish();
  if (!errors.empty()) return refuse_once(ex, shard, std::move(errors));
  c.report.status = *status;
  command(ex, [ex, c](done<outcome> d) { ex->inside().report(c, std::move(d)); });
}
} // namespace jumun::http
