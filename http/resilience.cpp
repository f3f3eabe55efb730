#include "domain/limits.hpp"
#include "http/audited.hpp"
#include "http/breakers.hpp"
#include "http/command.hpp"
#include "http/faults.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/resources.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::http {
namespace {
std::string breaker_json(const breaker_info& b) {
  json_writer w;
  w.open('{');
  w.text("name", b.name);
  w.text("state", b.state);
  w.text("since", time_text(b.since_ms));
  w.count("calls_in_window", b.calls);
  w.count("failures_in_window", b.failures);
  w.count("in_flight", b.in_flight);
  w.count("waiting", b.waiting);
  w.text_or_null("next_probe_at", b.next_probe_ms ? time_text(b.next_probe_ms) : "");
  w.count("opened_total", b.opened);
  w.count("held_back_total", b.held_back);
  w.close('}');
  return w.take();
}

std::string fault_json(const fault& f) {
  char rate[32];
  const auto end = std::to_chars(rate, rate + sizeof rate, f.rate).ptr;
  json_writer w;
  w.open('{');
  w.text("target", f.target);
  w.text("mode", f.mode);
  w.number("delay_ms", f.delay_ms);
  w.raw("rate", std::string_view{rate, static_cast<std::size_t>(end - rate)});
  f.count ? w.number("count", *f.count) : w.null("count");
  w.close('}');
  return w.take();
}

/// Null: the 404 is sent, as this server was not started with --enable-faults.
faults* faults_of(const exchange_ptr& ex) {
  auto* there = ex->at->to.faults;
  if (!there)
    send(ex, problems::not_found, "faults can be set only on a server with --enable-faults");
  return there;
}

/// Empty: the 404 is sent.
std::vector<std::string> modes_of(const exchange_ptr& ex, faults& inside) {
  auto modes = inside.modes_of(ex->params[0]);
  if (modes.empty()) send(ex, problems::not_found, "no target of faults has this name");
  return modes;
}

fault read_fault(
  const json_value& body, const std::vector<std::string>& modes, std::vector<field_error>& errors) {
  fault f;
  object_reader in{body, "", errors};
  f.mode = in.text("mode", 1, 64);
  if (!f.mode.empty() && std::find(modes.begin(), modes.end(), f.mode) == modes.end()) {
    std::string allowed;
    for (const auto& m : modes) allowed += (allowed.empty() ? "" : ", ") + m;
    in.refuse("mode", "must be one of " + allowed);
  }
  f.delay_ms = in.integer_or_none("delay_ms", 0, limits::fault_delay_max.count()).value_or(0);
  f.rate = in.number_or("rate", 0, 1, /*otherwise=*/1);
  f.count = in.integer_or_none("count", 1, limits::fault_count_max);
  in.finish();
  if (f.mode == "slow" && f.delay_ms == 0 && errors.empty())
    in.refuse("delay_ms", "is required by the mode slow: an integer from 1 on");
  return f;
}
} // namespace

/// GET /admin/v1/breakers → 200, all of them.
void list_breakers(const exchange_ptr& ex) {
  auto* there = ex->at->to.breakers;
  if (!there) return send(ex, problems::not_found, "there are no breakers here");
  std::vector<std::string> data;
  for (const auto& b : there->look()) data.push_back(breaker_json(b));
  send_page(ex, data, "");
}

/// GET /admin/v1/faults → 200 with those that are set; 404 without --enable-faults.
void list_faults(const exchange_ptr& ex) {
  auto* inside = faults_of(ex);
  if (!inside) return;
  std::vector<std::string> data;
  for (const auto& f : inside->list()) data.push_back(fault_json(f));
  send_page(ex, data, "");
}

/// PUT /admin/v1/faults/{target} → 200 with the fault as it is in force; 404, 422.
void put_fault(const exchange_ptr& ex) {
  auto* inside = faults_of(ex);
  if (!inside) return;
  const auto modes = modes_of(ex, *inside);
  if (modes.empty()) return;
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  auto f = read_fault(std::get<json_value>(body), modes, errors);
  if (!errors.empty())
    return send(ex, problem{&problems::validation_failed,
                      "errors names each field and what is allowed there", std::move(errors)});
  f.target = ex->params[0];
  inside->set(f);
  response r;
  r.body = fault_json(f);
  reply_recorded(ex, {"fault.set", f.target, f.mode}, std::move(r));
}

/// DELETE /admin/v1/faults/{target} → 204, also where none was set; 404.
void delete_fault(const exchange_ptr& ex) {
  auto* inside = faults_of(ex);
  if (!inside || modes_of(ex, *inside).empty()) return;
  inside->clear(ex->params[0]);
  response r;
  r.status = 204;
  reply_recorded(ex, {"fault.clear", ex->params[0]}, std::move(r));
}
} // namespace jumun::http
