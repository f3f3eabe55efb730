#include "actors/registry.hpp"
#include <algorithm>
#include <utility>

namespace jumun::actors {
std::string saga_name(domain::order_id id) {
  return "saga/" + domain::to_text(domain::id_kind::order, id);
}

std::int64_t actor_record::mailbox_depth() const {
  if (!signs) return 0;
  const auto handled = signs->handled.load(); // read first: depth is never negative by much
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(signs->received.load() - handled));
}

bool actor_filter::wants(const actor_record& r) const {
  return (kind.empty() || r.kind == kind) && (state.empty() || r.state == state)
         && r.name.starts_with(name) && (!parent || r.parent == *parent)
         && (!shard || r.shard == *shard);
}

std::uint64_t actor_registry::enter(actor_record record) {
  if (watching_.load(std::memory_order_relaxed)) watch_if_wanted(record);
  auto& s = at(record.name);
  std::lock_guard lock{s.guard};
  auto known = s.by_name.find(record.name);
  if (known == s.by_name.end()) {
    const auto slept = s.dormant.find(record.order);
    if (slept != s.dormant.end()) {
      record.id = slept->second.id;
      s.dormant.erase(slept);
    } else {
      record.id = next_id_++;
    }
    const auto id = record.id;
    s.by_name.emplace(record.name, std::move(record));
    return id;
  }
  auto& old = known->second;
  s.past[old.kind].handled += old.handled();
  record.id = old.id;
  record.restarts = old.restarts;
  record.last_error = old.last_error;
  old = std::move(record);
  return old.id;
}

void actor_registry::falls_asleep(std::string_view name) {
  auto& s = at(name);
  std::lock_guard lock{s.guard};
  const auto it = s.by_name.find(name);
  if (it == s.by_name.end()) return;
  auto& r = it->second;
  if (r.restarts > 0) { // what it has been through is kept
    r.state = "dormant";
    r.address = {};
    return;
  }
  s.past[r.kind].handled += r.handled();
  s.dormant[r.order] = {r.id, r.handled()};
  s.by_name.erase(it);
}

void actor_registry::leave(std::string_view name, domain::order_id order) {
  auto& s = at(name);
  std::lock_guard lock{s.guard};
  s.dormant.erase(order);
  const auto it = s.by_name.find(name);
  if (it == s.by_name.end()) return;
  s.past[it->second.kind].handled += it->second.handled();
  s.by_name.erase(it);
}

void actor_registry::fell(std::string_view name, std::string error, std::string state) {
  auto& s = at(name);
  std::lock_guard lock{s.guard};
  const auto it = s.by_name.find(name);
  if (it == s.by_name.end()) return;
  ++it->second.restarts;
  ++s.past[it->second.kind].restarts;
  it->second.last_error = std::move(error);
  it->second.state = std::move(state);
}

actor_record actor_registry::shown(domain::order_id order, const sleeper& s) {
  actor_record r;
  r.id = s.id;
  r.name = saga_name(order);
  r.kind = "saga";
  r.shard = domain::shard_of(order);
  r.parent = "supervisor/" + std::to_string(r.shard);
  r.order = order;
  r.state = "dormant";
  r.signs = std::make_shared<vital_signs>();
  r.signs->received = r.signs->handled = s.handled;
  return r;
}

std::vector<actor_record> actor_registry::all() const {
  std::vector<actor_record> out;
  for (const auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    for (const auto& [name, record] : s.by_name) out.push_back(record);
    for (const auto& [order, sleeper] : s.dormant) out.push_back(shown(order, sleeper));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

namespace {
/// Sorts first what comes first.
std::pair<std::uint64_t, std::uint64_t> place_of(const actor_record& r, actor_order by) {
  const auto greatest_first = [&](std::uint64_t n) { return std::pair{~n, r.id}; };
  switch (by) {
    case actor_order::id: break;
    case actor_order::mailbox_depth:
      return greatest_first(static_cast<std::uint64_t>(r.mailbox_depth()));
    case actor_order::handled: return greatest_first(r.handled());
    case actor_order::restarts: return greatest_first(r.restarts);
  }
  return {r.id, 0};
}

/// The same of a sleeping saga, which has an empty mailbox, and has never crashed.
std::pair<std::uint64_t, std::uint64_t> place_of(
  std::uint64_t id, std::uint64_t handled, actor_order by) {
  if (by == actor_order::id) return {id, 0};
  return {~(by == actor_order::handled ? handled : 0), id};
}

/// What can be said of a sleeping saga by its order alone: there may be a million of them, and a
/// record of each costs more than all else that a page does.
class sleeper_filter {
public:
  explicit sleeper_filter(const actor_filter& f)
      : shard_{f.shard}, none_{!(f.kind.empty() || f.kind == "saga")
                               || !(f.state.empty() || f.state == "dormant")
                               || !could_begin(f.name)} {
    if (!f.parent) return;
    constexpr std::string_view kind = "supervisor/";
    if (!f.parent->starts_with(kind)) none_ = true;
    parents_ = f.parent->substr(std::min(kind.size(), f.parent->size()));
  }
  [[nodiscard]] bool none() const { return none_; }
  [[nodiscard]] bool may_want(domain::order_id order) const {
    if (!shard_ && !parents_) return true;
    const int shard = domain::shard_of(order);
    return (!shard_ || shard == *shard_) && (!parents_ || std::to_string(shard) == *parents_);
  }

private:
  static bool could_begin(std::string_view name) {
    constexpr std::string_view kind = "saga/";
    const auto both = std::min(name.size(), kind.size());
    return name.substr(0, both) == kind.substr(0, both);
  }
  std::optional<int> shard_;
  std::optional<std::string> parents_; // the shard of the parent, as text
  bool none_;
};
} // namespace

std::vector<actor_record> actor_registry::page(
  const actor_filter& f, actor_order by, std::uint64_t after, std::size_t limit) const {
  using place = std::pair<std::uint64_t, std::uint64_t>;
  std::map<place, actor_record> first;
  const auto too_late = [&](const place& p) {
    return first.size() == limit && p >= std::prev(first.end())->first;
  };
  const auto take = [&](const actor_record& r) {
    if (r.id <= after || !f.wants(r)) return;
    const auto p = place_of(r, by);
    if (too_late(p)) return;
    first.emplace(p, r);
    if (first.size() > limit) first.erase(std::prev(first.end()));
  };
  const sleeper_filter asleep{f};
  for (const auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    for (const auto& [name, record] : s.by_name) take(record);
    if (asleep.none()) continue;
    for (const auto& [order, sleeper] : s.dormant)
      if (sleeper.id > after && asleep.may_want(order)
          && !too_late(place_of(sleeper.id, sleeper.handled, by)))
        take(shown(order, sleeper));
  }
  std::vector<actor_record> out;
  for (auto& [place, record] : first) out.push_back(std::move(record));
  return out;
}

// -- recordings -----------------------------------------------------------------------------------

void actor_registry::watch_if_wanted(const actor_record& r) {
  std::lock_guard lock{watch_guard_};
  if (!r.signs || !watched_.contains(r.name)) return;
  recorder_.name(r.signs.get(), r.name);
  r.signs->watched.store(&recorder_, std::memory_order_release);
}

void actor_registry::watch_recorded() {
  auto wanted = recorder_.watched();
  std::set<std::string> before;
  {
    std::lock_guard lock{watch_guard_};
    before = std::exchange(watched_, wanted);
    watching_ = !watched_.empty();
  }
  for (const auto& name : before)
    if (const auto r = find(std::string_view{name}); r && r->signs && !wanted.contains(name)) {
      r->signs->watched.store(nullptr, std::memory_order_release);
      recorder_.forget(r->signs.get());
    }
  for (const auto& name : wanted)
    if (const auto r = find(std::string_view{name})) watch_if_wanted(*r);
}

std::map<std::string, actor_figures> actor_registry::by_kind() const {
  std::map<std::string, actor_figures> out;
  for (const auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    for (const auto& [kind, past] : s.past) {
      out[kind].handled += past.handled;
      out[kind].restarts += past.restarts;
    }
    if (!s.dormant.empty()) out["saga"].by_state["dormant"] += s.dormant.size();
    for (const auto& [name, record] : s.by_name) {
      auto& of = out[record.kind];
      ++of.by_state[record.state];
      const auto depth = record.mailbox_depth();
      of.mailbox_depth += depth;
      of.mailbox_depth_max = std::max(of.mailbox_depth_max, depth);
      of.handled += record.handled();
    }
  }
  return out;
}

std::optional<actor_record> actor_registry::find(std::uint64_t id) const {
  for (const auto& s : stripes_) {
    std::lock_guard lock{s.guard};
    for (const auto& [name, record] : s.by_name)
      if (record.id == id) return record;
    for (const auto& [order, sleeper] : s.dormant)
      if (sleeper.id == id) return shown(order, sleeper);
  }
  return {};
}

std::optional<actor_record> actor_registry::find(std::string_view name) const {
  const auto& s = stripes_[stripe_of(name)];
  std::lock_guard lock{s.guard};
  if (const auto it = s.by_name.find(name); it != s.by_name.end()) return it->second;
  constexpr std::string_view kind = "saga/";
  if (!name.starts_with(kind)) return {};
  const auto order = domain::parse_id(domain::id_kind::order, name.substr(kind.size()));
  const auto slept = order ? s.dormant.find(*order) : s.dormant.end();
  return slept == s.dormant.end() ? std::nullopt : std::optional{shown(*order, slept->second)};
}
} // namespace jumun::actors
