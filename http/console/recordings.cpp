#include "http/console/recordings.hpp"
#include "http/audited.hpp"
#include "http/command.hpp"
#include "http/console/limits.hpp"
#include "http/console/resources.hpp"
#include "http/fields.hpp"

namespace jumun::http {
namespace {
using start = std::optional<recorded> (*)(
  inspector& inside, const std::string& what, const recording_form& how);

std::optional<recorded> start_actor(
  inspector& inside, const std::string& what, const recording_form& how) {
  return inside.record_actor(what, how);
}
std::optional<recorded> start_order(
  inspector& inside, const std::string& what, const recording_form& how) {
  const auto id = domain::parse_id(domain::id_kind::order, what);
  return id ? inside.record_order(*id, how) : std::nullopt;
}

recording_form read_form(const json_value& body, std::vector<field_error>& errors) {
  object_reader in{body, "", errors};
  const auto seconds = in.integer_or_none("seconds", 1, limits::recording_max.count());
  const auto messages = in.integer_or_none("messages", 1, limits::recorded_max);
  in.finish();
  return {std::chrono::seconds{seconds.value_or(limits::recording_default.count())},
    static_cast<std::size_t>(messages.value_or(limits::recorded_default))};
}

void put_line(json_writer& w, const recorded_line& m) {
  w.open('{');
  w.text("at", time_text(m.at_us / 1000));
  w.number("at_us", m.at_us);
  w.text_or_null("from", m.from);
  w.text("to", m.to);
  w.text("message", m.message);
  m.order ? w.text("order_id", to_text(domain::id_kind::order, *m.order)) : w.null("order_id");
  m.wait_us < 0 ? w.null("wait_us") : w.number("wait_us", m.wait_us);
  w.number("took_us", m.took_us);
  w.close('}');
}

std::string recorded_json(const recorded& r, bool with_messages) {
  json_writer w{with_messages ? 200 * r.messages.size() + 512 : 512};
  w.open('{');
  put_recorded_fields(w, r, with_messages);
  w.close('}');
  return w.take();
}

/// Null: the 404 is sent.
inspector* inspector_of(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  if (!inside) send(ex, problems::not_found, "this server has no actors");
  return inside;
}

void record(const exchange_ptr& ex, start begin) {
  auto* inside = inspector_of(ex);
  if (!inside) return;
  const auto body = read_body(ex, /*or_empty=*/true);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  const auto form = read_form(std::get<json_value>(body), errors);
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  const auto begun = begin(*inside, ex->params[0], form);
  if (!begun) return send(ex, problems::not_found, "there is nothing of this name to record");
  response r;
  r.status = 201, r.body = recorded_json(*begun, /*with_messages=*/false);
  reply_recorded(ex, {"recording.start", begun->of}, std::move(r));
}
} // namespace

void put_recorded_fields(json_writer& w, const recorded& r, bool with_messages) {
  w.text("of", r.of);
  w.text("state", r.runs ? "recording" : "ended");
  w.text("began_at", time_text(r.began_us / 1000));
  w.text("ends_at", time_text(r.ends_us / 1000));
  w.count("limit", r.limit);
  w.count("seen", r.seen);
  if (with_messages) {
    w.open("messages", '[');
    for (const auto& m : r.messages) put_line(w, m);
    w.close(']');
  } else {
    w.null("messages");
  }
}

/// POST /admin/v1/actors/{id}/recording {seconds?, messages?} → 201: from now on; 404, 422.
void record_actor(const exchange_ptr& ex) { record(ex, start_actor); }
/// POST /admin/v1/orders/{order}/recording, the same for all messages about an order.
void record_order(const exchange_ptr& ex) { record(ex, start_order); }

/// GET …/recording → 200 with the messages so far; 404: nothing was recorded.
void get_recording(const exchange_ptr& ex) {
  auto* inside = inspector_of(ex);
  if (!inside) return;
  const auto r = inside->recording_of(ex->params[0]);
  if (!r) return send(ex, problems::not_found, "nothing was recorded of it");
  send_json(ex, recorded_json(*r, /*with_messages=*/true));
}

/// DELETE …/recording → 204: it ends, and can still be read; 404: none runs.
void stop_recording(const exchange_ptr& ex) {
  auto* inside = inspector_of(ex);
  if (!inside) return;
  if (!inside->stop_recording(ex->params[0]))
    return send(ex, problems::not_found, "no recording of it runs");
  response r;
  r.status = 204;
  reply_recorded(ex, {"recording.stop", ex->params[0]}, std::move(r));
}
} // namespace jumun::http
