#include "cluster/single.hpp"

namespace jumun::cluster {
single::single(std::string node, domain::shard_map stored) : node_{std::move(node)} {
  view first{domain::taken_by(node_, std::move(stored)), {{node_, "all", "up"}}, node_, true};
  for (auto& s : first.map.shards) s.to.clear(); // there is nowhere to go
  view_ = std::make_shared<const view>(std::move(first));
}

view_ptr single::now() const {
  const std::lock_guard held{guard_};
  return view_;
}

template <class Change> void single::show(Change change) {
  const std::lock_guard held{guard_};
  auto next = *view_;
  change(next.members.front());
  view_ = std::make_shared<const view>(std::move(next));
}

void single::start(listener to) { to.changed(now()); }
void single::stop(bool) {}

void single::publish(self_record what) {
  show([&](member& m) {
    m.role = what.role, m.release = what.release, m.protocol = what.protocol;
    m.tunnel = what.tunnel, m.http = what.http, m.ops = what.ops;
  });
}

void single::durable(std::uint64_t map_version) {
  show([&](member& m) { m.map_version = map_version; });
}

change single::move(domain::shard_id, const std::string& to) {
  return to == node_ ? change::begun : change::unknown_node;
}

change single::drain(const std::string& node) {
  return node == node_ ? change::nowhere_to_go : change::unknown_node;
}

change single::resume(const std::string& node) {
  return node == node_ ? change::begun : change::unknown_node;
}

void single::pass(
  domain::shard_id, domain::epoch_id, const std::string&, std::function<void(passed)> done) {
  done(passed::fenced);
}
} // namespace jumun::cluster
