#include "http/audited.hpp"
#include "http/command.hpp"
#include "http/conditions.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
/// GET /admin/v1/actors/{id} → 200 with its live state, 404.
void get_actor(const exchange_ptr& ex) {
  ex->inside().find_actor(ex->params[0], [ex](std::optional<actor_info> a) {
    guarded(ex, [&] {
      if (!a) return send(ex, problems::not_found, "no actor has this id");
      send_json(ex, actor_json(*a));
    });
  });
}

/// POST /admin/v1/actors/{id}/restart {reason?} → 202, 404, 422.
void restart_actor(const exchange_ptr& ex) {
  const auto body = read_body(ex, /*or_empty=*/true);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  object_reader in{std::get<json_value>(body), "", errors};
  auto reason = in.text_or_empty("reason", limits::text_bytes_max);
  in.finish();
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  const auto name = ex->inside().restart_actor(ex->params[0]);
  if (!name) return send(ex, problems::not_found, "no actor has this id");
  json_writer w;
  w.open('{');
  w.text("id", ex->params[0]);
  w.text("state", "restarting");
  w.close('}');
  response r;
  r.status = 202, r.body = w.take();
  reply_recorded(ex, {"actor.restart", *name, std::move(reason)}, std::move(r));
}

/// GET /admin/v1/simulator/ledger → 200, all of it; 404 where a real provider takes the money.
void get_ledger(const exchange_ptr& ex) {
  const auto books = ex->inside().ledger();
  if (!books) return send(ex, problems::not_found, "the payment simulator is not in use");
  auto rows = ledger_rows(*books);
  if (!ex->wants_rows) return send_json(ex, ledger_json(rows));
  send_whole_part(ex, list_part::form::ledger, std::move(rows), [&](std::size_t i) {
    return time_text((*books)[i].time_ms); // of one width: they sort as they count
  });
}

/// GET /admin/v1/storage → 200.
void get_storage(const exchange_ptr& ex) { send_json(ex, ex->inside().storage_figures()); }

/// GET /admin/v1/config → 200, secrets masked.
void get_config(const exchange_ptr& ex) { send_json(ex, ex->inside().effective_config()); }
} // namespace jumun::http
