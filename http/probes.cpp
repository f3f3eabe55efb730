#include "http/render.hpp"
#include "http/resources.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
void send_checks(const exchange_ptr& ex, const std::vector<readiness_check>& checks, bool ok) {
  response r;
  r.status = ok ? 200 : 503;
  r.body = readiness_json(checks, ok);
  ex->reply(std::move(r));
}

bool all_ok(const std::vector<readiness_check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const readiness_check& c) { return c.ok; });
}
} // namespace

/// GET /livez → 200: the I/O threads turn.
void get_livez(const exchange_ptr& ex) { send_json(ex, R"({"status":"live"})"); }

/// GET /readyz → 200, or 503; names each check.
void get_readyz(const exchange_ptr& ex) {
  auto checks = ex->inside().readiness();
  const bool draining = ex->at->draining;
  checks.push_back({"draining", !draining, draining ? "the server is shutting down" : ""});
  const bool ok = all_ok(checks);
  if (ok) ex->at->started = true;
  send_checks(ex, checks, ok);
}

/// GET /startupz → 503 until it was ready for the first time, then 200 for good.
void get_startupz(const exchange_ptr& ex) {
  const auto checks = ex->inside().readiness();
  if (all_ok(checks)) ex->at->started = true;
  send_checks(ex, checks, ex->at->started);
}

/// GET /metrics → 200, Prometheus text format 0.0.4; 404: this server was given no monitor.
void get_metrics(const exchange_ptr& ex) {
  auto* monitor = ex->at->to.monitor;
  if (!monitor) return send(ex, problems::not_found, "this server keeps no metrics");
  response r;
  r.content_type = "text/plain; version=0.0.4; charset=utf-8";
  auto& counts = ex->at->counts;
  counts.orders_entering = ex->at->entering.inside();
  counts.orders_entering_limit = ex->at->entering.limit();
  r.body = monitor->page(counts);
  ex->reply(std::move(r));
}
} // namespace jumun::http
