#include "http/audited.hpp"
#include "http/conditions.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
/// GET /admin/v1/actors → 200, all of them.
void list_actors(const exchange_ptr& ex) {
  std::vector<std::string> data;
  for (const auto& a : ex->inside().list_actors()) data.push_back(actor_json(a));
  send_slice(ex, std::move(data));
}

/// GET /admin/v1/actors/{id} → 200 with its live state, 404.
void get_actor(const exchange_ptr& ex) {
  ex->inside().find_actor(ex->params[0], [ex](std::optional<actor_info> a) {
    guarded(ex, [&] {
      if (!a) return send(ex, problems::not_found, "no actor has this id");
      send_json(ex, actor_json(*a));
    });
  });
}

/// POST /admin/v1/actors/{id}/restart → 202, 404.
void restart_actor(const exchange_ptr& ex) {
  const auto name = ex->inside().restart_actor(ex->params[0]);
  if (!name) return send(ex, problems::not_found, "no actor has this id");
  json_writer w;
  w.open('{');
  w.text("id", ex->params[0]);
  w.text("state", "restarting");
  w.close('}');
  response r;
  r.status = 202, r.body = w.take();
  reply_recorded(ex, {"actor.restart", *name}, std::move(r));
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
