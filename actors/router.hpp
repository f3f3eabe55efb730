#pragma once
#include "actors/interfaces.hpp"
#include <array>
#include <mutex>

namespace jumun::actors {
/// Where a shard's actors are. Every command to a shard goes through here, so that a saga can't
/// tell a local actor from a peer that owns the shard (DESIGN §3). Thread-safe. A handle may be of
/// an actor that has just ended: what is sent to it is lost, and asked again.
class router {
public:
  struct shard_actors {
    supervisor_actor supervisor;
    inventory_actor inventory;
    payment_actor payment;
    delivery_actor delivery;
  };
  [[nodiscard]] shard_actors at(domain::shard_id shard) const {
    const auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    return s.actors;
  }
  [[nodiscard]] supervisor_actor supervisor(domain::shard_id shard) const {
    const auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    return s.actors.supervisor;
  }
  [[nodiscard]] inventory_actor inventory(domain::shard_id shard) const {
    const auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    return s.actors.inventory;
  }
  /// Called by whoever (re)spawned one of them.
  template <class Change> void update(domain::shard_id shard, Change change) {
    auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    change(s.actors);
  }
  void clear() {
    for (std::size_t i = 0; i < slots_.size(); ++i)
      update(static_cast<domain::shard_id>(i), [](shard_actors& a) { a = {}; });
  }

private:
  struct slot {
    mutable std::mutex guard;
    shard_actors actors;
  };
  std::array<slot, domain::shard_count> slots_;
};
} // namespace jumun::actors
