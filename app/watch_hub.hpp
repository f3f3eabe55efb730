#pragma once
#include "domain/ids.hpp"
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace jumun::app {
/// Who waits for which order to change: `Prefer: wait` without polling. Thread-safe; striped,
/// because every durable row of every order comes by.
class watch_hub {
public:
  using id = std::uint64_t;
  id add(domain::order_id order, bool settled_only, std::uint64_t above_version,
    std::function<void()> changed);
  void remove(domain::order_id order, id which);
  /// Calls, once each and outside the lock, those who waited for this.
  void became_durable(domain::order_id order, std::uint64_t version, bool settled);
  /// Its orders change elsewhere from here on: whoever waits for one looks again.
  void shard_left(domain::shard_id shard);
  /// As became_durable, for one waiter only: the state that add() may have come too late for.
  void check(domain::order_id order, id which, std::uint64_t version, bool settled);

private:
  struct waiter {
    id which = 0;
    bool settled_only = false;
    std::uint64_t above_version = 0;
    std::function<void()> changed;
    [[nodiscard]] bool meant(std::uint64_t version, bool settled) const {
      return settled_only ? settled : version > above_version;
    }
  };
  struct stripe {
    std::mutex guard;
    std::unordered_map<domain::order_id, std::vector<waiter>> waiting;
  };
  stripe& at(domain::order_id order) {
    return stripes_[std::hash<domain::order_id>{}(order) % stripes_.size()];
  }
  std::vector<std::function<void()>> take(
    domain::order_id order, const std::function<bool(const waiter&)>& whom);

  std::array<stripe, 64> stripes_;
  std::atomic<id> next_{1};
  std::atomic<std::size_t> waiters_{0};
};
} // namespace jumun::app
