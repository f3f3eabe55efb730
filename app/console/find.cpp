#include "app/console/actor_lookup.hpp"
#include "app/console/inspector.hpp"
#include "domain/limits.hpp"
#include "http/console/limits.hpp"
#include "http/render.hpp"
#include "storage/queries.hpp"
#include <algorithm>
#include <set>

namespace jumun::app {
namespace {
using domain::id_kind;
using http::found_thing;

constexpr std::pair<id_kind, std::string_view> order_kinds[] = {{id_kind::order, "order"},
  {id_kind::payment, "payment"}, {id_kind::delivery, "delivery"},
  {id_kind::cancellation, "cancellation"}};

std::string sentence_of(const domain::order& o) {
  return "order of " + o.customer + ", " + std::string{domain::status_of(o)} + ", its saga is "
         + std::string{domain::saga_state_of(o)};
}

found_thing of_order(std::string_view kind, const std::string& id, const domain::order& o) {
  return {std::string{kind}, id, o.id, domain::open(o) ? actors::saga_name(o.id) : "", "",
    domain::shard_of(o.id), sentence_of(o)};
}

/// By an id that has the order's bits.
std::optional<found_thing> find_order_by(node& at, const std::string& text) {
  for (const auto& [kind, name] : order_kinds) {
    const auto id = domain::parse_id(kind, text);
    if (!id || !at.serves(domain::shard_of(*id))) continue;
    const auto o = storage::find_order(at.disk(), *id);
    if (o && (kind != id_kind::cancellation || o->cancel_requested))
      return of_order(name, text, *o);
  }
  return {};
}

found_thing of_event(std::string_view kind, const std::string& id, const storage::fed_event& e) {
  found_thing t;
  t.kind = kind, t.id = id, t.shard = e.shard;
  t.order = domain::parse_id(id_kind::order, e.fact.key);
  if (!t.order) t.sku = e.fact.key;
  t.what = std::string{domain::name_of(e.fact.type)} + " of " + e.fact.key;
  return t;
}

/// Of the newest events: there is no index of their ids, nor of traces.
template <class Wanted>
std::vector<storage::fed_event> newest_events(node& at, const Wanted& wanted) {
  const auto bounds = storage::read_feed_bounds(at.disk());
  const auto back = bounds.last - std::min<std::uint64_t>(bounds.last, limits::searched_max);
  std::vector<storage::fed_event> out;
  for (auto after = back; after < bounds.last;) {
    auto page = storage::read_feed(at.disk(), "", "", after, limits::feed_page_max);
    for (auto& row : page.rows)
      if (at.serves(row.shard) && wanted(row.fact)) out.push_back(std::move(row));
    if (page.at_end || page.next <= after) break;
    after = page.next;
  }
  return out;
}

std::vector<found_thing> find_event_by(node& at, const std::string& text) {
  std::vector<found_thing> out;
  for (const auto& e : newest_events(
         at, [&](const domain::event& e) { return http::event_id(e.key, e.sequence) == text; }))
    out.push_back(of_event("event", text, e));
  return out;
}

/// One for each order or SKU that the trace touches.
std::vector<found_thing> find_trace(node& at, const std::string& text) {
  std::vector<found_thing> out;
  std::set<std::string> seen;
  const auto wanted = [&](const domain::event& e) {
    return e.traceparent.find(text) != std::string::npos && seen.insert(e.key).second;
  };
  for (const auto& e : newest_events(at, wanted)) out.push_back(of_event("trace", text, e));
  return out;
}

bool is_trace_id(std::string_view s) {
  return s.size() == 32 && s.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<found_thing> find_sku(node& at, const std::string& text) {
  const auto shard = domain::shard_of(text);
  if (text.size() > limits::sku_bytes_max || !at.serves(shard)) return {};
  const auto s = storage::find_stock(at.disk(), text);
  if (!s) return {};
  return found_thing{"sku", text, {}, "inventory/" + std::to_string(shard), text, shard,
    std::to_string(s->on_hand) + " on hand, " + std::to_string(s->reserved) + " reserved"};
}

std::optional<found_thing> find_customer(node& at, const std::string& text) {
  storage::order_filter f;
  f.customer = text;
  const auto found = storage::list_orders(at.disk(), f, 1, "", at.served());
  if (!found || found->rows.empty()) return {};
  return found_thing{
    "customer", text, found->rows.front().id, "", "", -1, "a customer's newest order"};
}
} // namespace

std::vector<found_thing> inspector::find(const std::string& text) {
  std::vector<found_thing> out;
  const auto add = [&out](std::optional<found_thing> t) {
    if (t) out.push_back(std::move(*t));
  };
  add(find_order_by(node_, text));
  if (const auto r = find_record(node_, text))
    out.push_back({"actor", text, r->kind == "saga" ? std::optional{r->order} : std::nullopt,
      r->name, "", r->shard, r->kind + ", " + r->state});
  if (domain::parse_id(id_kind::event, text)) out = find_event_by(node_, text);
  if (is_trace_id(text)) out = find_trace(node_, text);
  if (!out.empty() || text.empty()) return out;
  add(find_sku(node_, text));
  add(find_customer(node_, text));
  return out;
}
} // namespace jumun::app
