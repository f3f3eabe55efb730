#pragma once
#include "actors/interfaces.hpp"
#include <array>
#include <functional>
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
  /// What askers are given in place of a shard's actors, e.g. a link that loses and delays (the
  /// simulator's network). Called under the slot's lock, whenever one of them was (re)spawned.
  using link = std::function<shard_actors(domain::shard_id, const shard_actors&)>;
  /// Empty: the actors themselves.
  explicit router(link over = {}) : over_(std::move(over)) {}

  [[nodiscard]] shard_actors at(domain::shard_id shard) const {
    const auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    return s.seen;
  }
  [[nodiscard]] supervisor_actor supervisor(domain::shard_id shard) const {
    const auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    return s.seen.supervisor;
  }
  [[nodiscard]] inventory_actor inventory(domain::shard_id shard) const {
    const auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    return s.seen.inventory;
  }
  /// Called by whoever (re)spawned one of them.
  template <class Change> void update(domain::shard_id shard, Change change) {
    auto& s = slots_[shard];
    std::lock_guard lock{s.guard};
    change(s.actors);
    s.seen = over_ ? over_(shard, s.actors) : s.actors;
  }
  void clear() {
    for (auto& s : slots_) {
      std::lock_guard lock{s.guard};
      s.actors = s.seen = {};
    }
  }

private:
  struct slot {
    mutable std::mutex guard;
    shard_actors actors, seen;
  };
  link over_;
  std::array<slot, domain::shard_count> slots_;
};
} // namespace jumun::actors
