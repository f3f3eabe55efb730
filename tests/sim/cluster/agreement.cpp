#include "tests/sim/cluster/agreement.hpp"
#include <algorithm>

namespace jumun::sim {
agreement::picture agreement::look() {
  expire();
  return now_;
}

std::int64_t agreement::grant() {
  const auto lease = next_lease_++;
  leases_[lease] = time_.now_us() + lease_ms_ * 1000;
  return lease;
}

bool agreement::keep_alive(std::int64_t lease) {
  expire();
  const auto known = leases_.find(lease);
  if (known == leases_.end()) return false;
  known->second = time_.now_us() + lease_ms_ * 1000;
  return true;
}

void agreement::revoke(std::int64_t lease) {
  if (leases_.erase(lease) == 0) return;
  drop(lease);
  ring();
}

void agreement::set_down_until(std::int64_t us) {
  expire();
  down_until_us_ = us;
  for (auto& [lease, until] : leases_)
    until = std::max(until, std::max(us, time_.now_us()) + lease_ms_ * 1000);
}

void agreement::expire() {
  if (!is_up()) return;
  for (auto l = leases_.begin(); l != leases_.end();) {
    if (l->second > time_.now_us()) {
      ++l;
      continue;
    }
    drop(l->first);
    l = leases_.erase(l);
    ring();
  }
}

void agreement::drop(std::int64_t lease) {
  ++revision_;
  std::erase_if(now_.nodes, [&](const auto& n) {
    if (n.second.lease != lease) return false;
    now_.stored.erase(n.first); // by the same lease
    return true;
  });
  if (now_.assigner && now_.assigner->lease == lease) now_.assigner.reset();
}

bool agreement::commit(const std::function<bool(const picture&)>& if_all,
  const std::function<void(picture&, std::int64_t revision)>& then) {
  expire();
  if (!if_all(now_)) return false;
  auto before = now_;
  then(now_, ++revision_);
  // As etcd: nothing is written under a lease that has run out.
  const auto runs = [this](std::int64_t lease) { return leases_.contains(lease); };
  if ((now_.assigner && !runs(now_.assigner->lease))
      || !std::all_of(now_.nodes.begin(), now_.nodes.end(),
        [&](const auto& n) { return runs(n.second.lease); })) {
    now_ = std::move(before);
    return false;
  }
  if (now_.map != before.map) {
    now_.map_modified = revision_;
    if (map_changed && now_.map) map_changed(before.map.value_or(domain::shard_map{}), *now_.map);
  }
  ring();
  return true;
}

void agreement::wipe() { restore({}); }

void agreement::restore(picture from) {
  ++revision_;
  now_ = std::move(from);
  now_.nodes.clear();
  now_.assigner.reset();
  now_.stored.clear();
  now_.map_modified = now_.map ? revision_ : 0;
  leases_.clear();
  ring();
}

void agreement::ring() {
  for (const auto& [name, bell] : bells) bell();
}
} // namespace jumun::sim
