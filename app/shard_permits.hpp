#pragma once
#include "domain/ids.hpp"
#include "domain/limits.hpp"
#include <array>
#include <atomic>

namespace jumun::app {
/// How many new orders may wait in each shard at once. Thread-safe, never blocks.
class shard_permits {
public:
  explicit shard_permits(std::size_t per_shard_max) : per_shard_max_(per_shard_max) {}
  /// False: the shard has no permit left, and nothing was taken.
  [[nodiscard]] bool take(domain::shard_id shard) {
    if (taken_[shard].fetch_add(1) < per_shard_max_) return true;
    taken_[shard].fetch_sub(1);
    return false;
  }
  void give_back(domain::shard_id shard) { taken_[shard].fetch_sub(1); }

private:
  const std::size_t per_shard_max_;
  std::array<std::atomic<std::size_t>, domain::shard_count> taken_{};
};
} // namespace jumun::app
