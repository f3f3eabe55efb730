#include "http/console/recordings.hpp"
#include "http/audited.hpp"
#include "http/command.hpp"
#include "http/console/limits.hpp"
#include "http/console/resources.hpp"
#include "http/console/shelves.hpp"
#include "http/fields.hpp"

namespace jumun::http {
namespace {
recording_form read_form(const json_value& body, std::vector<field_error>& errors) {
  object_reader in{body, "", errors};
  const auto seconds = in.integer_or_none("seconds", 1, limits::recording_max.count());
  const auto messages = in.integer_or_none("messages", 1, limits::recorded_max);
  in.finish();
  return {std::chrono::seconds{seconds.value_or(limits::recording_default.count())},
    static_cast<std::size_t>(messages.value_or(limits::recorded_default))};
}

/// nullopt: what is wrong with it is sent.
std::optional<recording_form> form_of(const exchange_ptr& ex) {
  const auto body = read_body(ex, /*or_empty=*/true);
  if (const auto* bad = std::get_if<problem>(&body)) {
    send(ex, *bad);
    return {};
  }
  std::vector<field_error> errors;
  const auto form = read_form(std::get<json_value>(body), errors);
  if (errors.empty()) return form;
  refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  return {};
}

std::string line_json(const recorded_line& m) {
  json_writer w{256};
  w.open('{');
  w.text("at", time_text(m.at_us / 1000));
  w.number("at_us", m.at_us);
  w.text_or_null("from", m.from);
  w.text("to", m.to);
  w.text("message", m.message);
  m.order ? w.text("order_id", to_text(domain::id_kind::order, *m.order)) : w.null("order_id");
  put_known_us(w, "wait_us", m.wait_us);
  w.number("took_us", m.took_us);
  w.close('}');
  return w.take();
}
std::vector<timed_row> lines_of(const recorded& r) {
  std::vector<timed_row> out;
  for (const auto& m : r.messages) out.push_back({m.at_us, line_json(m)});
  return out;
}

/// Null: the 404 is sent.
inspector* inspector_of(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  if (!inside) send(ex, problems::not_found, "this server has no actors");
  return inside;
}
/// nullopt: the 404 is sent.
std::optional<recorded> recording_of(const exchange_ptr& ex) {
  auto* inside = inspector_of(ex);
  auto r = inside ? inside->recording_of(ex->params[0]) : std::nullopt;
  if (inside && !r) send(ex, problems::not_found, "nothing was recorded of it");
  return r;
}

void send_begun(const exchange_ptr& ex, const std::optional<recorded>& begun,
  const std::vector<std::string>& silent = {}) {
  if (!begun) return send(ex, problems::not_found, "there is nothing of this name to record");
  json_writer w;
  w.open('{');
  put_recorded_fields(w, *begun, silent);
  w.close('}');
  response r;
  r.status = 201, r.body = w.take();
  reply_recorded(ex, {"recording.start", begun->of}, std::move(r));
}

/// The newest of all rows, as many as are kept.
void send_recorded(const exchange_ptr& ex, const recorded& r, std::vector<timed_row> rows,
  const std::vector<std::string>& silent = {}) {
  sort_by_time(rows);
  const auto gone = rows.size() - std::min(rows.size(), r.limit);
  std::vector<std::string> messages;
  for (auto i = gone; i < rows.size(); ++i) messages.push_back(std::move(rows[i].json));
  json_writer w{200 * messages.size() + 512};
  w.open('{');
  put_recorded_fields(w, r, silent, &messages);
  w.close('}');
  send_json(ex, w.take());
}

void send_stopped(const exchange_ptr& ex, bool ran) {
  if (!ran) return send(ex, problems::not_found, "no recording of it runs");
  response r;
  r.status = 204;
  reply_recorded(ex, {"recording.stop", ex->params[0]}, std::move(r));
}

std::optional<domain::order_id> order_in(const exchange_ptr& ex) {
  return domain::parse_id(domain::id_kind::order, ex->params[0]);
}
} // namespace

void put_known_us(json_writer& w, std::string_view name, std::int64_t us) {
  us < 0 ? w.null(name) : w.number(name, us);
}

void put_recorded_fields(json_writer& w, const recorded& r, const std::vector<std::string>& silent,
  const std::vector<std::string>* messages) {
  w.text("of", r.of);
  w.text("state", r.runs ? "recording" : "ended");
  w.text("began_at", time_text(r.began_us / 1000));
  w.text("ends_at", time_text(r.ends_us / 1000));
  w.count("limit", r.limit);
  w.count("seen", r.seen);
  put_silent(w, silent);
  if (!messages) return w.null("messages");
  w.open("messages", '[');
  for (const auto& m : *messages) w.raw(m);
  w.close(']');
}

// -- of an actor: on its node

/// POST /admin/v1/actors/{id}/recording {seconds?, messages?} → 201: from now on; 404, 422.
void record_actor(const exchange_ptr& ex) {
  auto* inside = inspector_of(ex);
  const auto how = inside ? form_of(ex) : std::nullopt;
  if (how) send_begun(ex, inside->record_actor(ex->params[0], *how));
}

/// GET …/recording → 200 with the messages so far; 404: nothing was recorded.
void get_recording(const exchange_ptr& ex) {
  if (const auto r = recording_of(ex)) send_recorded(ex, *r, lines_of(*r));
}

/// DELETE …/recording → 204: it ends, and can still be read; 404: none runs.
void stop_recording(const exchange_ptr& ex) {
  if (auto* inside = inspector_of(ex)) send_stopped(ex, inside->stop_recording(ex->params[0]));
}

// -- of an order: on its node, and on those of its shelves

/// POST /admin/v1/orders/{order}/recording, the same for all messages about an order.
void record_order(const exchange_ptr& ex) {
  auto* inside = inspector_of(ex);
  const auto id = order_in(ex);
  if (!inside) return;
  if (ex->wants_rows && id) {
    const auto asked = read_shelf_question(ex);
    std::ignore = inside->record_lines(*id, asked.lines, asked.how);
    return send_shelf_rows(ex, {}, 0);
  }
  const auto how = form_of(ex);
  if (!how) return;
  const auto begun = id ? inside->record_order(*id, *how) : std::nullopt;
  if (!begun) return send_begun(ex, {});
  ask_shelves(
    ex, *id, *how, [ex, begun](const shelf_rows& said) { send_begun(ex, begun, said.silent); });
}

void get_order_recording(const exchange_ptr& ex) {
  const auto id = order_in(ex);
  if (ex->wants_rows && id) {
    const auto r = ex->at->to.inspector->recording_of(ex->params[0]);
    return send_shelf_rows(ex, r ? lines_of(*r) : std::vector<timed_row>{}, r ? r->seen : 0);
  }
  auto r = recording_of(ex);
  if (!r || !id) return;
  ask_shelves(ex, *id, {}, [ex, r = std::move(*r)](shelf_rows said) mutable {
    auto rows = lines_of(r);
    std::move(said.rows.begin(), said.rows.end(), std::back_inserter(rows));
    r.seen += said.seen;
    send_recorded(ex, r, std::move(rows), said.silent);
  });
}

void stop_order_recording(const exchange_ptr& ex) {
  auto* inside = inspector_of(ex);
  if (!inside) return;
  const bool ran = inside->stop_recording(ex->params[0]);
  if (ex->wants_rows) return send_shelf_rows(ex, {}, 0);
  const auto id = order_in(ex);
  if (!ran || !id) return send_stopped(ex, ran);
  ask_shelves(ex, *id, {}, [ex](const shelf_rows&) { send_stopped(ex, true); });
}
} // namespace jumun::http
