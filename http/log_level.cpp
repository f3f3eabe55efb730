#include "http/audited.hpp"
#include "http/command.hpp"
#include "http/json_writer.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
/// The port. Null: the 404 is sent.
logs* find_logs(const exchange_ptr& ex) {
  auto* found = ex->at->to.logs;
  if (!found) send(ex, problems::not_found, "this server has no log of its own");
  return found;
}

std::string level_json(std::string_view level, std::string_view previous = {}) {
  json_writer w;
  w.open('{');
  w.text("level", level);
  if (!previous.empty()) w.text("previous", previous);
  w.close('}');
  return w.take();
}
} // namespace

/// GET /admin/v1/log-level → 200 {level}.
void get_log_level(const exchange_ptr& ex) {
  if (const auto* log = find_logs(ex)) send_json(ex, level_json(log->level()));
}

/// PUT /admin/v1/log-level {level: debug | info | warn | error} → 200 {level, previous}, in force
/// from now on and until the process ends; 400, 422.
void put_log_level(const exchange_ptr& ex) {
  auto* log = find_logs(ex);
  if (!log) return;
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  object_reader in{std::get<json_value>(body), "", errors};
  const auto wanted = in.text("level", 1, limits::text_bytes_max);
  in.finish();
  const auto previous = log->level();
  if (errors.empty() && !log->set_level(wanted))
    in.refuse("level", "must be one of: debug, info, warn, error");
  if (!errors.empty())
    return send(ex, problem{&problems::validation_failed,
                      "errors names each field and what is allowed there", std::move(errors)});
  response r;
  r.body = level_json(log->level(), previous);
  reply_recorded(ex, {"log-level.set", std::string{log->level()}}, std::move(r));
}
} // namespace jumun::http
