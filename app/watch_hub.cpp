#include "app/watch_hub.hpp"
#include <algorithm>

namespace jumun::app {
watch_hub::id watch_hub::add(domain::order_id order, bool settled_only, std::uint64_t above_version,
  std::function<void()> changed) {
  const auto which = next_++;
  auto& s = at(order);
  std::lock_guard lock{s.guard};
  s.waiting[order].push_back({which, settled_only, above_version, std::move(changed)});
  ++waiters_;
  return which;
}

std::vector<std::function<void()>> watch_hub::take(
  domain::order_id order, const std::function<bool(const waiter&)>& whom) {
  std::vector<std::function<void()>> taken;
  if (waiters_.load() == 0) return taken; // the common case costs no lock
  auto& s = at(order);
  std::lock_guard lock{s.guard};
  const auto known = s.waiting.find(order);
  if (known == s.waiting.end()) return taken;
  auto& all = known->second;
  const auto rest =
    std::stable_partition(all.begin(), all.end(), [&](const waiter& w) { return !whom(w); });
  for (auto w = rest; w != all.end(); ++w) taken.push_back(std::move(w->changed));
  all.erase(rest, all.end());
  waiters_ -= taken.size();
  if (all.empty()) s.waiting.erase(known);
  return taken;
}

void watch_hub::remove(domain::order_id order, id which) {
  (void)take(order, [which](const waiter& w) { return w.which == which; });
}

void watch_hub::became_durable(domain::order_id order, std::uint64_t version, bool settled) {
  for (const auto& call : take(order, [&](const waiter& w) { return w.meant(version, settled); }))
    call();
}

void watch_hub::shard_left(domain::shard_id shard) {
  std::vector<domain::order_id> orders;
  for (auto& s : stripes_) {
    const std::lock_guard lock{s.guard};
    for (const auto& [order, waiters] : s.waiting)
      if (domain::shard_of(order) == shard) orders.push_back(order);
  }
  for (const auto order : orders)
    for (const auto& call : take(order, [](const waiter&) { return true; })) call();
}

void watch_hub::check(domain::order_id order, id which, std::uint64_t version, bool settled) {
  for (const auto& call :
    take(order, [&](const waiter& w) { return w.which == which && w.meant(version, settled); }))
    call();
}
} // namespace jumun::app
