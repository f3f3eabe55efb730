#include "actors/supervisor.hpp"
#include "app/console/actor_lookup.hpp"
#include "app/console/inspector.hpp"
#include "storage/rows.hpp"

namespace jumun::app {
namespace {
http::recorded told(const actors::recording& r, bool runs) {
  http::recorded out{r.of, runs, r.began_us, r.ends_us, r.limit, r.seen, {}};
  for (const auto& m : r.messages)
    out.messages.push_back({m.at_us, m.wait_us, m.took_us, m.from, m.to, std::string{m.message},
      m.order == domain::order_id{} ? std::nullopt : std::optional{m.order}});
  return out;
}

/// Those that an order's messages pass through. Of shelves that are on other nodes nobody is there.
std::set<std::string> actors_about(const domain::order& o) {
  const auto shard = domain::shard_of(o.id);
  std::set<std::string> names{actors::saga_name(o.id)};
  for (const auto* kind : {"supervisor", "payment", "delivery"})
    names.insert(actors::shard_actor_name(kind, shard));
  for (const auto& l : o.lines)
    names.insert(actors::shard_actor_name("inventory", domain::shard_of(l.sku)));
  return names;
}
} // namespace

http::recorded inspector::start(actors::recording what, const http::recording_form& how) {
  auto& registry = node_.env().registry;
  auto& by = registry.recorder();
  const auto of = what.of;
  what.limit = how.messages;
  by.start(std::move(what), std::chrono::microseconds{how.lasts}.count());
  registry.watch_recorded();
  return told(by.find(of).value(), /*runs=*/true);
}

std::optional<http::recorded> inspector::record_actor(
  const std::string& id, const http::recording_form& how) {
  const auto record = find_record(node_, id);
  if (!record) return {};
  actors::recording what;
  what.of = record->name;
  what.by = {record->name};
  return start(std::move(what), how);
}

std::optional<http::recorded> inspector::record_order(
  domain::order_id id, const http::recording_form& how) {
  const auto row = node_.journal().durable(storage::table::orders, storage::order_key(id));
  const auto o = row ? storage::decode<domain::order>(*row) : std::nullopt;
  if (!o) return {};
  actors::recording what;
  what.of = to_text(domain::id_kind::order, id);
  what.order = id;
  what.by = actors_about(*o);
  return start(std::move(what), how);
}

http::recorded inspector::record_lines(domain::order_id id,
  const std::vector<http::shelf_line>& lines, const http::recording_form& how) {
  actors::recording what;
  what.of = to_text(domain::id_kind::order, id);
  what.order = id;
  for (const auto& l : lines)
    what.by.insert(actors::shard_actor_name("inventory", domain::shard_of(l.sku)));
  return start(std::move(what), how);
}

std::optional<http::recorded> inspector::recording_of(const std::string& what) {
  auto& registry = node_.env().registry;
  registry.watch_recorded(); // those whose time is over are left alone
  const auto actor = find_record(node_, what);
  const auto r = registry.recorder().find(actor ? actor->name : what);
  return r ? std::optional{told(*r, registry.recorder().runs(*r))} : std::nullopt;
}

bool inspector::stop_recording(const std::string& what) {
  auto& registry = node_.env().registry;
  const auto actor = find_record(node_, what);
  const bool ran = registry.recorder().stop(actor ? actor->name : what);
  registry.watch_recorded();
  return ran;
}
} // namespace jumun::app
