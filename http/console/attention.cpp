#include "http/console/inspector.hpp"
#include "http/console/limits.hpp"
#include "http/console/money_at_risk.hpp"
#include "http/console/resources.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
std::string group_json(const blocked_group& g, std::string_view node) {
  json_writer w{1024};
  w.open('{');
  w.text("node", node);
  w.text("phase", g.phase);
  w.text("error", g.error);
  w.flag("poisoned", g.poisoned);
  w.count("count", g.count);
  put_money_at_risk(w, g.at_risk);
  w.text("oldest_at", time_text(g.oldest_ms));
  w.open("actions", '[');
  for (const auto a : g.actions) w.element(name_of(a));
  w.close(']');
  w.open("orders", '[');
  for (const auto id : g.orders) w.element(to_text(domain::id_kind::order, id));
  w.close(']');
  w.close('}');
  return w.take();
}
} // namespace

/// GET /admin/v1/attention → 200: each node's blocked orders, by where they stand and their error;
/// the largest group of a node first.
void list_attention(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  if (!inside) return send(ex, problems::not_found, "this server has no sagas");
  auto groups = inside->blocked_groups();
  std::stable_sort(groups.begin(), groups.end(),
    [](const blocked_group& a, const blocked_group& b) { return a.count > b.count; });
  if (groups.size() > limits::groups_max) groups.resize(limits::groups_max);
  std::vector<std::string> data;
  for (const auto& g : groups) data.push_back(group_json(g, ex->at->options.node));
  send_slice(ex, std::move(data));
}
} // namespace jumun::http
