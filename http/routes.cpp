#include "http/routes.hpp"
#include "http/command.hpp"
#include "http/console/resources.hpp"
#include "http/cors.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
constexpr auto pub = listener::on_public;
constexpr auto ops = listener::on_ops;
constexpr auto both = listener::on_both;
constexpr unsigned reader = viewer | operator_ | admin;
constexpr bool reads = true, streams = true, again = true;

// clang-format off
constexpr route table[] = {
  {"GET",  "/v1/products",                                   both, anyone,                       home::list,      list_products, reads},
  {"GET",  "/v1/products/{sku}",                             both, anyone,                       home::sku,       get_product, reads},
  {"PUT",  "/v1/products/{sku}",                             pub,  inventory | admin,            home::sku,       put_product},
  {"GET",  "/v1/inventory",                                  both, inventory | reader,           home::list,      list_stock, reads},
  {"GET",  "/v1/inventory/{sku}",                            both, inventory | reader,           home::sku,       get_stock, reads},
  {"PUT",  "/v1/inventory/{sku}",                            pub,  inventory | admin,            home::sku,       count_stock},
  {"POST", "/v1/inventory/{sku}/adjustments",                both, inventory | admin,            home::sku,       adjust_stock},
  {"GET",  "/v1/inventory/{sku}/movements",                  both, inventory | reader,           home::sku,       list_movements, reads},
  {"POST", "/v1/orders",                                     both, customer | admin,             home::key,       place_order, !reads, crowd::new_order},
  {"GET",  "/v1/orders",                                     both, customer | reader,            home::list,      list_orders, reads},
  {"GET",  "/v1/orders/{id}",                                both, customer | reader,            home::order,     get_order, reads},
  {"GET",  "/v1/orders/{id}/events",                         both, customer | reader,            home::order,     get_order_events, reads, crowd::request, streams},
  {"POST", "/v1/orders/{id}/cancellations",                  pub,  customer | operator_ | admin, home::order,     cancel_order, !reads, crowd::request, !streams, again},
  {"GET",  "/v1/orders/{id}/cancellations",                  pub,  customer | reader,            home::order,     list_cancellations, reads},
  {"GET",  "/v1/orders/{id}/cancellations/{cxl}",            pub,  customer | reader,            home::order,     get_cancellation, reads},
  {"GET",  "/v1/payments/{id}",                              both, customer | reader,            home::payment,   get_payment, reads},
  {"GET",  "/v1/deliveries/{id}",                            both, customer | reader,            home::delivery,  get_delivery, reads},
  {"POST", "/v1/deliveries/{id}/updates",                    pub,  courier | admin,              home::delivery,  update_delivery, !reads, crowd::request, !streams, again},
  {"POST", "/v1/hooks/payments/{provider}",                  pub,  open_to_all,                  home::hook,      take_payment_hook, !reads, crowd::request, !streams, again},
  {"GET",  "/v1/events",                                     both, reader,                       home::here,      list_events, reads, crowd::request, streams},
  {"GET",  "/admin/v1/whoami",                               ops,  inventory | reader,           home::here,      get_whoami},
  {"GET",  "/admin/v1/overview",                             ops,  reader,                       home::here,      get_overview, !reads, crowd::request, streams},
  {"GET",  "/admin/v1/sagas",                                ops,  reader,                       home::list,      list_sagas, reads},
  {"GET",  "/admin/v1/sagas/{order}",                        ops,  reader,                       home::order,     get_saga, reads},
  {"POST", "/admin/v1/sagas/{order}/actions",                ops,  operator_ | admin,            home::order,     act_on_saga, reads},
  {"GET",  "/admin/v1/find",                                 ops,  reader,                       home::all_nodes, find_anything, reads},
  {"GET",  "/admin/v1/attention",                            ops,  reader,                       home::all_nodes, list_attention, reads},
  {"POST", "/admin/v1/sagas/actions",                        ops,  operator_ | admin,            home::here,      act_on_sagas},
  {"GET",  "/admin/v1/orders/{order}/timeline",              ops,  reader,                       home::order,     get_timeline, reads},
  {"POST", "/admin/v1/orders/{order}/recording",             ops,  operator_ | admin,            home::order,     record_order, reads},
  {"GET",  "/admin/v1/orders/{order}/recording",             ops,  reader,                       home::order,     get_order_recording, reads},
  {"DELETE", "/admin/v1/orders/{order}/recording",           ops,  operator_ | admin,            home::order,     stop_order_recording, reads},
  {"POST", "/admin/v1/actors/{id}/recording",                ops,  operator_ | admin,            home::actor,     record_actor},
  {"GET",  "/admin/v1/actors/{id}/recording",                ops,  reader,                       home::actor,     get_recording},
  {"DELETE", "/admin/v1/actors/{id}/recording",              ops,  operator_ | admin,            home::actor,     stop_recording},
  {"GET",  "/admin/v1/inventory/{sku}/reservations",         ops,  inventory | reader,           home::sku,       list_reservations, reads},
  {"GET",  "/admin/v1/inventory/{sku}/check",                ops,  inventory | reader,           home::sku,       check_stock, reads},
  {"GET",  "/admin/v1/fault-targets",                        ops,  admin,                        home::here,      list_fault_targets},
  {"GET",  "/admin/v1/actors",                               ops,  reader,                       home::here,      list_actors, reads},
  {"GET",  "/admin/v1/actor-totals",                         ops,  reader,                       home::all_nodes, list_actor_totals, reads},
  {"GET",  "/admin/v1/actors/{id}",                          ops,  reader,                       home::actor,     get_actor},
  {"POST", "/admin/v1/actors/{id}/restart",                  ops,  operator_ | admin,            home::actor,     restart_actor},
  {"GET",  "/admin/v1/simulator/ledger",                     both, reader,                       home::all_nodes, get_ledger, reads},
  {"GET",  "/admin/v1/storage",                              ops,  reader,                       home::here,      get_storage, reads},
  {"GET",  "/admin/v1/config",                               ops,  reader,                       home::here,      get_config, reads},
  {"GET",  "/admin/v1/audit",                                ops,  reader,                       home::list,      list_audit, reads},
  {"GET",  "/admin/v1/webhooks",                             ops,  reader,                       home::list,      list_webhooks, reads},
  {"POST", "/admin/v1/webhooks",                             ops,  admin,                        home::any_owner, create_webhook, reads},
  {"GET",  "/admin/v1/webhooks/{id}",                        ops,  reader,                       home::webhook,   get_webhook, reads},
  {"PATCH", "/admin/v1/webhooks/{id}",                       ops,  admin,                        home::webhook,   change_webhook, reads},
  {"DELETE", "/admin/v1/webhooks/{id}",                      ops,  admin,                        home::webhook,   remove_webhook, reads},
  {"POST", "/admin/v1/webhooks/{id}/rotate-secret",          ops,  admin,                        home::webhook,   rotate_webhook_secret, reads},
  {"POST", "/admin/v1/webhooks/{id}/test",                   ops,  admin,                        home::webhook,   test_webhook, reads},
  {"GET",  "/admin/v1/webhooks/{id}/deliveries",             ops,  reader,                       home::webhook,   list_webhook_deliveries, reads},
  {"POST", "/admin/v1/webhooks/{id}/deliveries/{msg}/redeliver", ops,  admin,                        home::webhook,   redeliver_webhook, reads},
  {"GET",  "/admin/v1/breakers",                             ops,  reader,                       home::here,      list_breakers},
  {"GET",  "/admin/v1/faults",                               ops,  admin,                        home::here,      list_faults},
  {"PUT",  "/admin/v1/faults/{target}",                      ops,  admin,                        home::here,      put_fault},
  {"DELETE", "/admin/v1/faults/{target}",                    ops,  admin,                        home::here,      delete_fault},
  {"GET",  "/admin/v1/cluster",                              ops,  reader,                       home::all_nodes, get_cluster},
  {"GET",  "/admin/v1/shards",                               ops,  reader,                       home::all_nodes, list_shards},
  {"POST", "/admin/v1/shards/{n}/move",                      ops,  admin,                        home::any_owner, move_shard},
  {"POST", "/admin/v1/nodes/{id}/drain",                     ops,  admin,                        home::any_owner, drain_node},
  {"POST", "/admin/v1/nodes/{id}/resume",                    ops,  admin,                        home::any_owner, resume_node},
  {"GET",  "/admin/v1/backups",                              ops,  reader,                       home::here,      list_backups, reads},
  {"POST", "/admin/v1/backups",                              ops,  admin,                        home::here,      make_backup, reads},
  {"GET",  "/livez",                                         ops,  open_to_all,                  home::here,      get_livez, !reads, crowd::probe},
  {"GET",  "/readyz",                                        ops,  open_to_all,                  home::here,      get_readyz, reads, crowd::probe},
  {"GET",  "/startupz",                                      ops,  open_to_all,                  home::here,      get_startupz, reads, crowd::probe},
  {"GET",  "/metrics",                                       ops,  open_to_all,                  home::here,      get_metrics, reads, crowd::probe},
  {"GET",  "/openapi.json",                                  both, anyone,                       home::here,      get_description, reads},
  {"GET",  "/docs",                                          both, open_to_all,                  home::here,      get_docs, reads, crowd::probe},
  {"GET",  "/docs/{file}",                                   both, open_to_all,                  home::here,      get_docs_file, reads, crowd::probe},
  {"GET",  "/console",                                       ops,  open_to_all,                  home::here,      get_console_address, reads, crowd::probe},
  {"GET",  "/console/",                                      ops,  open_to_all,                  home::here,      get_console, reads, crowd::probe},
  {"GET",  "/console/{file}",                                ops,  open_to_all,                  home::here,      get_console_file, reads, crowd::probe},
  {"GET",  "/problems/{code}",                               both, open_to_all,                  home::here,      get_problem_page, reads, crowd::probe},
  {"GET",  "/admin/v1/log-level",                            ops,  reader,                       home::here,      get_log_level},
  {"PUT",  "/admin/v1/log-level",                            ops,  admin,                        home::here,      put_log_level},
};
// clang-format on
static_assert(std::size(table) < metrics::routes_max, "each route has its own counts");

bool is_of_a_shard(home h) {
  return h == home::order || h == home::payment || h == home::delivery || h == home::sku
         || h == home::webhook;
}

/// The next segment of a path that begins with a slash; the path goes on behind it.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

/// Whether `path` is one of the template's. Fills `params` with the decoded variable segments.
bool matches(std::string_view form, std::string_view path, std::vector<std::string>& params) {
  params.clear();
  while (!form.empty() && !path.empty()) {
    const auto expected = next_segment(form);
    const auto segment = next_segment(path);
    if (expected.empty() || expected[0] != '{') {
      if (segment != expected) return false;
      continue;
    }
    auto decoded = percent_decoded(segment);
    if (!decoded || decoded->empty()) return false;
    params.push_back(std::move(*decoded));
  }
  return form.empty() && path.empty();
}

/// The route, or what the answer's Allow must say (empty: no such path).
struct lookup {
  const route* found = nullptr;
  std::string allow;
};
lookup find_route(const exchange_ptr& ex) {
  const auto method = ex->head.method == "HEAD" ? "GET" : ex->head.method;
  lookup out;
  std::vector<std::string> params;
  for (const auto& r : table) {
    if (!serves(r.on, ex->on) || !matches(r.path, ex->head.path, params)) continue;
    if (r.method == method) {
      out.found = &r, ex->params = std::move(params);
      ex->route = static_cast<std::size_t>(&r - table);
      return out;
    }
    out.allow.append(r.method).append(r.method == "GET" ? ", HEAD, " : ", ");
  }
  if (!out.allow.empty()) out.allow += "OPTIONS";
  return out;
}

void send_no_route(const exchange_ptr& ex, const lookup& looked) {
  if (looked.allow.empty()) return send(ex, problems::not_found, "no resource has this path");
  const auto allow = "Allow: " + looked.allow + "\r\n";
  if (ex->head.method != "OPTIONS")
    return send(ex, problem{&problems::method_not_allowed, "Allow names those it has", {}}, allow);
  response r;
  r.status = 204;
  r.more = allow + preflight_fields(ex->head, ex->at->options.cors_origins, looked.allow);
  ex->reply(std::move(r));
}

void take_trace(const exchange_ptr& ex) {
  const auto& edge = *ex->at;
  const auto given =
    ex->head.count("traceparent") == 1 ? ex->head.find("traceparent") : std::nullopt;
  auto t = given ? parse_traceparent(*given) : std::nullopt;
  ex->from.traced = t.has_value();
  if (!t) t = new_trace(edge.random(), edge.random());
  ex->from.traceparent = t->child(edge.random());
  ex->from.trace_id = std::move(t->trace_id);
}

/// False: the 429 is sent.
bool take_rate(const exchange_ptr& ex) {
  auto& rates = ex->at->rates;
  if (!rates.on() || ex->on != listener::on_public) return true;
  ex->rate = rates.take(ex->rate_key(), rate_limiter::clock::now());
  if (ex->rate->allowed) return true;
  send(ex, problems::too_many_requests,
    "you may send " + std::to_string(rates.per_second()) + " requests a second");
  return false;
}

/// False: the 401, 403 or 429 is sent; a wrong key counts for its address. What does not name its
/// asker is not kept for an Idempotency-Key.
bool take_identity(const exchange_ptr& ex, const route& r) {
  const auto* port = ex->at->to.who;
  ex->who = {"dev", anyone}; // dev mode: nobody asks for keys, and everyone may do everything
  if (port) ex->who = {"", 0};
  const auto token = port && r.roles != open_to_all ? bearer_token(ex->head) : std::string_view{};
  auto who = token.empty() ? std::nullopt : port->identify(token);
  const bool known = who || !port || r.roles == open_to_all;
  if (who) ex->who = std::move(*who);
  ex->from.principal = ex->who.principal;
  if (r.as != crowd::probe && !take_rate(ex)) return false;
  if (!known) {
    send(ex, problem{&problems::unauthenticated, "send a valid key: Authorization: Bearer …", {}},
      token.empty() ? "WWW-Authenticate: Bearer\r\n"
                    : "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
    return false;
  }
  if (r.roles == open_to_all || (ex->who.roles & roles_of(r, ex->on)) != 0) return true;
  send(ex, problems::forbidden);
  return false;
}

/// False: the problem is sent.
bool check_media(const exchange_ptr& ex, const route& r) {
  if (!accepts_json(ex->head) && !(r.streams && prefers_event_stream(ex->head))) {
    std::string there_is = "there is application/json, and problems as application/problem+json";
    if (r.streams) there_is += "; and text/event-stream";
    send(ex, problems::not_acceptable, std::move(there_is));
    return false;
  }
  const bool writes =
    ex->head.method == "POST" || ex->head.method == "PUT" || ex->head.method == "PATCH";
  if (!writes || ex->body.empty()) return true;
  const auto type = ex->head.find("content-type");
  if (type && is_json_type(*type)) return true;
  send(ex, problems::unsupported_media_type);
  return false;
}

/// False: the problem is sent.
bool take_key(const exchange_ptr& ex, const route& r) {
  if (ex->head.method != "POST" || !ex->head.path.starts_with("/v1/")) return true;
  const auto field = ex->head.find("idempotency-key");
  if (!field) return true;
  const auto key = idempotency_key(*field);
  if (!key) {
    send(ex, problems::bad_request,
      "an Idempotency-Key has 1..255 visible ASCII characters, bare or as a quoted string");
    return false;
  }
  std::string scope = ex->who.principal;
  scope += '\0';
  scope.append(r.method) += '\0';
  scope.append(r.path) += '\0';
  for (const auto& p : ex->params)
    scope.append(p) += '\0'; // decoded: one path, however it is spelled
  ex->from.key = digest(scope + *key);
  ex->from.fingerprint = digest(ex->body);
  return true;
}

/// False: the problem is sent.
bool take_permit(const exchange_ptr& ex, crowd as) {
  if (as == crowd::probe) return true;
  using verdict = admission::verdict;
  auto& edge = *ex->at;
  const bool new_order = as == crowd::new_order;
  const auto said = edge.permits.admit(ex->who.principal, new_order, ex->held);
  if (said == verdict::admitted) {
    if (!new_order || edge.entering.enter(order_gate::clock::now(), ex->entering)) return true;
    ++edge.counts.full_of_orders;
    send(ex, problems::overloaded, "more orders come than can be accepted; nothing was done");
    return false;
  }
  const bool full = said == verdict::full;
  ++(full ? edge.counts.full_of_requests : edge.counts.full_of_principals);
  send(ex, full ? problems::overloaded : problems::too_many_requests);
  return false;
}

void run(const exchange_ptr& ex) {
  take_trace(ex);
  const auto looked = find_route(ex);
  if (!looked.found) {
    // A preflight brings no key; counted by address, a crowd behind one would be shut out.
    if (ex->head.method == "OPTIONS" || take_rate(ex)) send_no_route(ex, looked);
    return;
  }
  const auto& r = *looked.found;
  if (!take_identity(ex, r)) return;
  if (r.as != crowd::probe && !check_media(ex, r)) return; // not for JSON: monitors, browsers
  if (!take_permit(ex, r.as) || !take_key(ex, r)) return;  // a refusal must cost little: no digests
  ex->at->to.others ? run_where_it_belongs(ex, r) : run_here(ex, r);
}

void run_forwarded(const exchange_ptr& ex) {
  const auto looked = find_route(ex);
  if (!looked.found)
    return send(ex, problems::not_implemented, "this node's release has no such route");
  const auto& r = *looked.found;
  if (ex->wants_rows || ex->wants_events)
    return run_here(ex, r); // small, and its asker has a permit
  if (!belongs_here(ex, r)) return ex->reply_across({forwarded_answer::kind::not_here, {}, {}, {}});
  if (take_permit(ex, r.as)) run_here(ex, r);
}
void run_own(const exchange_ptr& ex) {
  const auto looked = find_route(ex);
  if (!looked.found) return send(ex, problems::not_found, "no resource has this path");
  const auto& r = *looked.found;
  if ((ex->who.roles & roles_of(r, ex->on)) == 0) return send(ex, problems::forbidden);
  ex->at->to.others ? run_where_it_belongs(ex, r) : run_here(ex, r);
}
} // namespace

std::span<const route> all_routes() { return table; }
std::string_view route_path(std::size_t at) {
  return at < std::size(table) ? table[at].path : std::string_view{};
}

unsigned roles_of(const route& r, listener on) {
  const bool of_shop = on == listener::on_ops && r.path.starts_with("/v1/");
  return of_shop ? r.roles & ~unsigned{customer} : r.roles;
}

void dispatch(const exchange_ptr& ex) {
  guarded(ex, [&] { run(ex); });
}

void dispatch_forwarded(const exchange_ptr& ex) {
  guarded(ex, [&] { run_forwarded(ex); });
}

void dispatch_own(const exchange_ptr& ex) {
  guarded(ex, [&] { run_own(ex); });
}

void run_here(const exchange_ptr& ex, const route& r) {
  ex->began_here = ex->at->to.others && is_of_a_shard(r.at);
  if (!r.reads) return r.run(ex);
  on_readers(ex, [ex, handler = r.run] { handler(ex); });
}
} // namespace jumun::http
