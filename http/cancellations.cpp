#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/json.hpp"
#include "http/lists.hpp"
#include "http/ownership.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
/// The order that the path names, with its cancellation if there is one. nullopt: the 404 is sent.
std::optional<domain::order> find(const exchange_ptr& ex) {
  auto o = visible_order_of_path(ex, domain::id_kind::order);
  if (!o) send(ex, problems::not_found, "no order has this id");
  return o;
}

void cancel(const exchange_ptr& ex, domain::order_id id) {
  const auto body = read_body(ex, /*or_empty=*/true);
  if (const auto* bad = std::get_if<problem>(&body))
    return refuse_once(ex, domain::shard_of(id), *bad);
  std::vector<field_error> errors;
  object_reader in{std::get<json_value>(body), "", errors};
  domain::cancel_order c{ex->from, id, in.text_or_empty("reason", limits::text_bytes_max)};
  in.finish();
  if (!errors.empty()) return refuse_once(ex, domain::shard_of(id), std::move(errors));
  command(ex, [ex, c](done<outcome> d) { ex->inside().cancel(c, std::move(d)); });
}
} // namespace

/// POST /v1/orders/{id}/cancellations {reason?} → 202 accepted, 200 completed; 400, 404, 409
/// not-cancellable, 422. Asking twice is one cancellation.
void cancel_order(const exchange_ptr& ex) {
  const auto id = domain::parse_id(domain::id_kind::order, ex->params[0]);
  if (!id) return send(ex, problems::not_found, "no order has this id");
  if (!ex->who.own_only()) return cancel(ex, *id);
  on_readers(ex, [ex] { // is it theirs? that is on disk
    if (const auto o = find(ex)) cancel(ex, o->id);
  });
}

/// GET /v1/orders/{id}/cancellations → 200 with none or one; 404.
void list_cancellations(const exchange_ptr& ex) {
  const auto o = find(ex);
  if (!o) return;
  std::vector<std::string> data;
  if (o->cancel_requested) data.push_back(cancellation_json(*o));
  send_slice(ex, std::move(data));
}

/// GET /v1/orders/{id}/cancellations/{cxl} → 200, 404.
void get_cancellation(const exchange_ptr& ex) {
  const auto o = find(ex);
  if (!o) return;
  const auto id = domain::parse_id(domain::id_kind::cancellation, ex->params[1]);
  if (id != o->id || !o->cancel_requested)
    return send(ex, problems::not_found, "the order has no cancellation with this id");
  send_versioned(ex, cancellation_json(*o), o->version);
}
} // namespace jumun::http
