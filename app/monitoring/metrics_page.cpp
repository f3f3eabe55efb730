#include "app/monitoring/metrics_page.hpp"
#include "app/monitoring/cluster_figures.hpp"
#include "app/monitoring/node_figures.hpp"
#include "app/monitoring/process_figures.hpp"
#include "http/routes.hpp"
#include <algorithm>

namespace jumun::app {
namespace {
/// Each route that was asked for since the start; the last entry is for what no route has. Those
/// that were not have no series: sixty routes would make a thousand lines of zeros.
template <class Add> void each_used_route(const http::metrics& now, Add add) {
  const auto table = http::all_routes();
  for (std::size_t i = 0; i < http::metrics::routes_max; ++i) {
    const auto& of = now.routes[i];
    std::uint64_t answered = 0;
    for (const auto& n : of.answered) answered += n.load(std::memory_order_relaxed);
    if (answered == 0) continue;
    const bool known = i < table.size();
    add(of, families::labels{{"method", known ? std::string{table[i].method} : "none"},
              {"route", known ? std::string{table[i].path} : "none"}});
  }
}

void add_requests(families& to, const http::metrics& now) {
  to.counter("jumun_http_requests_total", "Requests answered, by route and class of status.");
  each_used_route(now, [&to](const auto& of, const families::labels& route) {
    for (std::size_t c = 1; c < of.answered.size(); ++c) {
      auto with = route;
      with.push_back({"code", std::to_string(c) + "xx"});
      to.value(of.answered[c].load(std::memory_order_relaxed), std::move(with));
    }
  });
  to.histogram("jumun_http_request_duration_seconds",
    "From the end of the head to the answer; what Prefer: wait waited is in it.");
  each_used_route(
    now, [&to](const auto& of, const families::labels& route) { to.buckets(of.took, route); });
}

void add_disk(families& to, const disk_guard& disk) {
  to.gauge("jumun_disk_free_bytes", "Free on the data folder's disk, for this process.")
    .value(disk.free_bytes());
  to.gauge("jumun_disk_size_bytes", "Size of that disk.").value(disk.size_bytes());
  to.gauge("jumun_disk_nearly_full", "1: new orders are answered 503 for want of disk.")
    .value(disk.nearly_full() ? 1 : 0);
}
void add_breakers(families& to, const std::vector<http::breaker_info>& all) {
  const auto each = [&](auto pick) {
    for (const auto& b : all) to.value(pick(b), {{"breaker", b.name}});
  };
  to.gauge("jumun_breaker_state", "1 for the state that a breaker is in, 0 for the others.");
  for (const auto& b : all)
    for (const std::string state : {"closed", "open", "half-open"})
      to.value(b.state == state ? 1 : 0, {{"breaker", b.name}, {"state", state}});
  to.counter("jumun_breaker_opened_total", "Times a breaker opened.");
  each([](const http::breaker_info& b) { return b.opened; });
  to.counter("jumun_breaker_held_back_total", "Calls that were not made: open, or too many.");
  each([](const http::breaker_info& b) { return b.held_back; });
  to.gauge("jumun_breaker_calls_in_flight", "Calls to the provider under way.");
  each([](const http::breaker_info& b) { return b.in_flight; });
  to.gauge("jumun_breaker_orders_waiting", "Orders held back that have not come again.");
  each([](const http::breaker_info& b) { return b.waiting; });
}

void add_readers(families& to, const http::metrics& now) {
  to.gauge("jumun_event_readers", "Event streams, open now.").value(now.event_readers);
  to.counter("jumun_event_readers_turned_away_total", "One stream too many.")
    .value(now.event_readers_turned_away);
  to.counter("jumun_event_readers_cut_total", "Streams whose client read too slowly.")
    .value(now.event_readers_cut);
}

void add_webhooks(families& to, http::webhook_registry& all) {
  std::uint64_t most = 0;
  const auto endpoints = all.list();
  for (const auto& w : endpoints) most = std::max(most, w.behind);
  to.gauge("jumun_webhook_endpoints", "Endpoints that are told of events.").value(endpoints.size());
  to.gauge("jumun_webhook_behind_max", "Events of the feed that the slowest has yet to pass.")
    .value(most);
}
} // namespace

void metrics_page::add_connections(families& to, const http::metrics& now) const {
  to.gauge("jumun_http_connections", "Open connections of both listeners.").value(now.connections);
  to.gauge("jumun_http_connections_limit", "Most that the public one has: --max-connections.")
    .value(connections_max_);
  to.counter("jumun_http_connections_accepted_total", "Connections that came.").value(now.accepted);
  to.counter("jumun_http_connections_turned_away_total", "Closed at once: over a limit.")
    .value(now.turned_away);
  to.counter("jumun_http_connections_cut_total", "Given up: the client read too slowly.")
    .value(now.cut);
}

void metrics_page::add_edge(families& to, const http::metrics& now) const {
  add_requests(to, now);
  add_connections(to, now);
  to.gauge("jumun_http_permits_in_use", "Requests at work.").value(now.waiting);
  to.gauge("jumun_http_permits_limit", "Most at once: --max-requests.").value(requests_max_);
  to.counter("jumun_http_forwarded_total", "Sent to the node that they belong to; each try.")
    .value(now.forwarded);
  to.counter("jumun_http_forwarded_again_total", "Waits for an owner before another try.")
    .value(now.forwarded_again);
  to.counter("jumun_http_forwarded_here_total", "Requests and parts of lists of other nodes.")
    .value(now.forwarded_here);
  to.gauge("jumun_http_orders_entering", "New orders on their way to being accepted.")
    .value(now.orders_entering);
  to.gauge(
      "jumun_http_orders_entering_limit", "Most at once now: what is accepted, times the wait.")
    .value(now.orders_entering_limit);
  to.counter(
      "jumun_http_saturated_total", "Turned away for want of room, by what there is none for.")
    .value(now.full_of_orders, {{"reason", "orders"}})
    .value(now.full_of_requests, {{"reason", "requests"}})
    .value(now.full_of_principals, {{"reason", "principal"}});
  to.counter("jumun_http_turned_away_total", "Answers of the public listener that say: later.")
    .value(now.too_many, {{"status", "429"}})
    .value(now.unavailable, {{"status", "503"}});
  to.counter("jumun_http_heads_refused_total", "Requests that were no proper HTTP/1.1.")
    .value(now.heads_refused);
  to.counter("jumun_http_exceptions_total", "Caught at the edge; each is a bug of ours.")
    .value(now.exceptions);
  to.counter("jumun_idempotency_replays_total", "Answers given a second time, for the same key.")
    .value(now.replays);
  to.gauge("jumun_event_streams", "Open event streams.").value(now.event_readers);
  to.counter("jumun_event_streams_turned_away_total", "One stream too many: 429 or 503.")
    .value(now.event_readers_turned_away);
  to.counter("jumun_event_streams_cut_total", "Given up: the client read too slowly.")
    .value(now.event_readers_cut);
}

std::string metrics_page::page(const http::metrics& of_edge) {
  families all;
  all.gauge("jumun_build_info", "1; the version is in its label.")
    .value(1, {{"version", JUMUN_VERSION}});
  all.gauge("jumun_node_gave_up", "1: supervision gave up, and the node is not ready.")
    .value(inside_.escalation().empty() ? 0 : 1);
  add_order_figures(all, inside_.orders());
  add_actor_figures(all, inside_.env().registry);
  add_edge(all, of_edge);
  add_readers(all, of_edge);
  add_breakers(all, inside_.breakers().look());
  add_webhooks(all, inside_.webhooks());
  add_journal_figures(all, inside_.journal());
  add_rocks_figures(all, inside_.disk());
  add_disk(all, inside_.space());
  add_cluster_figures(all, inside_);
  add_process_figures(all);
  return all.text();
}
} // namespace jumun::app
