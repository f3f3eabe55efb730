#include "http/console/forecast.hpp"
#include "http/json_writer.hpp"
#include "http/render.hpp"

namespace jumun::http {
namespace {
void put_change(json_writer& w, std::string_view name, std::string_view from, std::string_view to) {
  w.open(name, '{');
  w.text("from", from);
  w.text("to", to);
  w.close('}');
}
} // namespace

std::string forecast_json(
  const domain::order& now, const domain::forecast& f, std::string_view node) {
  json_writer w;
  w.open('{');
  w.text("order_id", to_text(domain::id_kind::order, now.id));
  w.text("outcome", f.outcome);
  w.text("detail", explain(f.next));
  put_change(w, "status", status_of(now), status_of(f.next));
  put_change(w, "saga", saga_state_of(now), saga_state_of(f.next));
  put_change(w, "phase", domain::name_of(now.at), domain::name_of(f.next.at));
  w.open("sends", '[');
  for (const auto name : f.sends) w.element(name);
  w.close(']');
  w.raw("then", saga_json(f.next, node));
  w.close('}');
  return w.take();
}

std::string done_json(
  std::string_view order_id, std::string_view outcome, std::string_view detail) {
  json_writer w;
  w.open('{');
  w.text("order_id", order_id);
  w.text("outcome", outcome);
  w.text("detail", detail);
  for (const auto* none : {"status", "saga", "phase"}) w.null(none);
  w.raw("sends", "[]");
  w.null("then");
  w.close('}');
  return w.take();
}
} // namespace jumun::http
