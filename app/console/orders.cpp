#include "app/console/inspector.hpp"
#include "domain/limits.hpp"
#include "http/console/limits.hpp"
#include "storage/rows.hpp"
#include <algorithm>
#include <map>
#include <tuple>

namespace jumun::app {
namespace {
using storage::table;

template <class Row> std::optional<Row> read(node& at, table in, const std::string& key) {
  const auto row = at.journal().durable(in, key);
  return row ? storage::decode<Row>(*row) : std::nullopt;
}

std::vector<domain::event> history_of(const storage::store& disk, domain::order_id id) {
  std::vector<domain::event> out;
  const auto prefix = storage::history_prefix(id);
  const auto at =
    disk.scan(table::history, prefix, storage::after_prefix(prefix), storage::direction::forward);
  for (; at->valid() && out.size() < limits::feed_page_max; at->next())
    if (auto e = storage::decode<domain::event>(at->value())) out.push_back(std::move(*e));
  return out;
}

void add_to(http::blocked_group& g, const domain::order& o) {
  const auto allowed = domain::allowed_actions(o);
  if (g.count == 0) g.actions = allowed, g.oldest_ms = o.created_ms;
  std::erase_if(g.actions, [&](domain::operator_action a) {
    return std::find(allowed.begin(), allowed.end(), a) == allowed.end();
  });
  ++g.count;
  g.oldest_ms = std::min(g.oldest_ms, o.created_ms);
  if (g.orders.size() < limits::group_orders_max) g.orders.push_back(o.id);
  const auto amount = domain::money_at_risk(o);
  if (amount == 0) return;
  const auto sum = std::find_if(g.at_risk.begin(), g.at_risk.end(),
    [&](const domain::money& m) { return m.currency == o.currency; });
  if (sum == g.at_risk.end())
    g.at_risk.push_back({amount, o.currency});
  else
    sum->amount += amount;
}
} // namespace

std::optional<http::order_rows> inspector::rows_of(domain::order_id id) {
  const auto key = storage::order_key(id);
  http::order_rows out;
  out.history = history_of(node_.disk(), id); // first: what it has not is not in the row, either
  auto now = read<domain::order>(node_, table::orders, key);
  if (!now) return {};
  out.now = std::move(*now);
  out.payment = read<domain::payment_record>(node_, table::payments, key);
  out.delivery = read<domain::delivery_record>(node_, table::deliveries, key);
  std::vector<http::shelf_line> lines;
  for (const auto& l : out.now.lines)
    lines.push_back({static_cast<std::uint16_t>(lines.size()), l.sku});
  out.held = reservations_of(id, lines);
  return out;
}

std::vector<domain::reservation> inspector::reservations_of(
  domain::order_id id, const std::vector<http::shelf_line>& lines) {
  std::vector<domain::reservation> out;
  for (const auto& l : lines) {
    if (!node_.serves(domain::shard_of(l.sku))) continue;
    const auto key = storage::reservation_key(l.sku, id, l.line);
    if (auto r = read<domain::reservation>(node_, table::reservations, key))
      out.push_back(std::move(*r));
  }
  return out;
}

std::vector<http::blocked_group> inspector::blocked_groups() {
  using std::chrono::steady_clock;
  const std::lock_guard lock{guard_}; // who asks meanwhile waits, and gets the same
  const auto began = steady_clock::now();
  if (began < groups_until_) return groups_;
  groups_ = group_blocked();
  const auto now = steady_clock::now();
  groups_until_ = now + (now - began) * limits::groups_rest;
  return groups_;
}

std::vector<http::blocked_group> inspector::group_blocked() {
  std::map<std::tuple<bool, domain::phase, std::string>, http::blocked_group> groups;
  for (const auto id : node_.orders().blocked_orders(limits::blocked_looked_at)) {
    const auto o = read<domain::order>(node_, table::orders, storage::order_key(id));
    if (!o || domain::saga_state_of(*o) != "blocked") continue;
    auto& g = groups[{o->poisoned, o->at, o->last_error}];
    g.phase = domain::name_of(o->at), g.error = o->last_error, g.poisoned = o->poisoned;
    add_to(g, *o);
  }
  std::vector<http::blocked_group> out;
  for (auto& [key, g] : groups) out.push_back(std::move(g));
  return out;
}
} // namespace jumun::app
