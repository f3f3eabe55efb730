#include "http/audited.hpp"
#include "http/console/resources.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/routes.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
/// What the console has a button for, and the route behind it: the table in routes.cpp says who
/// may.
struct power {
  std::string_view name, method, path;
};
constexpr power powers[] = {
  {"look", "GET", "/admin/v1/overview"}, // at anything but stock
  {"act", "POST", "/admin/v1/sagas/{order}/actions"},
  {"restart", "POST", "/admin/v1/actors/{id}/restart"},
  {"record", "POST", "/admin/v1/actors/{id}/recording"},
  {"move", "POST", "/admin/v1/shards/{n}/move"},
  {"drain", "POST", "/admin/v1/nodes/{id}/drain"},
  {"backup", "POST", "/admin/v1/backups"},
  {"faults", "PUT", "/admin/v1/faults/{target}"},
  {"adjust_stock", "POST", "/v1/inventory/{sku}/adjustments"},
  {"place_orders", "POST", "/v1/orders"},
  {"log_level", "PUT", "/admin/v1/log-level"},
  {"webhooks", "POST", "/admin/v1/webhooks"},
};

bool may(const exchange_ptr& ex, const power& p) {
  if (p.name == "faults" && !ex->at->to.faults) return false;
  const auto all = all_routes();
  const auto found = std::find_if(all.begin(), all.end(),
    [&](const route& r) { return r.method == p.method && r.path == p.path; });
  return found != all.end() && (roles_of(*found, listener::on_ops) & ex->who.roles) != 0;
}
} // namespace

/// GET /admin/v1/whoami → 200: who asks, and what they may do on this listener of this node.
void get_whoami(const exchange_ptr& ex) {
  const auto& at = *ex->at;
  json_writer w;
  w.open('{');
  w.text("principal", ex->who.principal);
  w.text("roles", role_names(ex->who.roles));
  w.flag("dev_mode", at.to.who == nullptr);
  w.open("may", '[');
  for (const auto& p : powers)
    if (may(ex, p)) w.element(p.name);
  w.close(']');
  w.text("node", at.options.node);
  w.text("version", JUMUN_VERSION);
  w.text_or_null("cluster", at.options.cluster);
  w.flag("faults_enabled", at.to.faults != nullptr);
  w.close('}');
  send_json(ex, w.take());
}
} // namespace jumun::http
