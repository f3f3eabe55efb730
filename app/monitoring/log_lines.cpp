#include "app/monitoring/log_lines.hpp"
#include "app/log.hpp"

namespace jumun::app {
namespace {
/// W3C Trace Context: version (2), trace id (32), …, joined by dashes.
std::string_view trace_id_of(std::string_view traceparent) {
  return traceparent.size() < 35 ? std::string_view{} : traceparent.substr(3, 32);
}
} // namespace

void log_actor_warning(std::string_view event, std::string detail, std::string_view traceparent) {
  if (traceparent.empty()) return log::warn(event, {{"detail", detail}});
  log::warn(event, {{"detail", detail}, {"trace_id", trace_id_of(traceparent)}});
}

void log_saga_step(std::string_view from, const domain::order& now) {
  if (!log::writes(log::level::debug)) return;
  log::debug(
    "saga.step", {{"order", domain::to_text(domain::id_kind::order, now.id)}, {"from", from},
                   {"to", domain::name_of(now.at)}, {"status", domain::status_of(now)},
                   {"saga", domain::saga_state_of(now)}, {"attempts", now.attempts},
                   {"version", now.version}, {"trace_id", trace_id_of(now.traceparent)}});
}

bool process_logs::debugs() const { return log::writes(log::level::debug); }

void process_logs::access(const http::access_line& line) {
  log::debug("http.answered",
    {{"method", line.method}, {"route", line.route}, {"status", line.status},
      {"ms", static_cast<double>(line.took.count()) / 1000}, {"trace_id", line.trace_id}});
}

std::string_view process_logs::level() const { return log::name_of(log::current_level()); }

bool process_logs::set_level(std::string_view name) {
  const auto wanted = log::parse_level(name);
  if (!wanted) return false;
  const auto before = level();
  log::set_level(*wanted);
  if (before != name) log::warn("log.level", {{"from", before}, {"to", name}});
  return true;
}
} // namespace jumun::app
