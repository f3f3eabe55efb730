#pragma once
#include "cluster/etcd/records.hpp"
#include "tests/sim/timeline.hpp"
#include <functional>

namespace jumun::sim {
/// What etcd holds: one history that everybody who reaches it sees alike. Leased keys go with their
/// lease. Its rows are cluster/etcd/records.hpp's, without the JSON.
class agreement {
public:
  using picture = cluster::etcd::agreed;
  agreement(timeline& time, std::int64_t lease_ms) : time_(time), lease_ms_(lease_ms) {}

  [[nodiscard]] picture look();
  [[nodiscard]] std::int64_t grant();
  /// False: it has run out.
  [[nodiscard]] bool keep_alive(std::int64_t lease);
  void revoke(std::int64_t lease);
  /// A transaction. @returns whether `if_all` held, and so `then` was done.
  bool commit(const std::function<bool(const picture&)>& if_all,
    const std::function<void(picture&, std::int64_t revision)>& then);

  /// All of it is gone.
  void wipe();
  [[nodiscard]] picture backup() const { return now_; }
  /// Back to a backup, without what was leased.
  void restore(picture from);
  /// Nobody reaches it until then; the next leader counts all leases anew.
  void set_down_until(std::int64_t us);
  [[nodiscard]] bool is_up() const { return time_.now_us() >= down_until_us_; }

  /// Rung after each change. By name, so that it can be taken down.
  std::map<std::string, std::function<void()>> bells;
  /// Whoever watches the map: what it was, and is.
  std::function<void(const domain::shard_map& before, const domain::shard_map& now)> map_changed;

private:
  void expire();
  void drop(std::int64_t lease);
  void ring();
  timeline& time_;
  const std::int64_t lease_ms_;
  picture now_;
  std::map<std::int64_t, std::int64_t> leases_; // until then, in microseconds
  std::int64_t revision_ = 1, next_lease_ = 1, down_until_us_ = 0;
};
} // namespace jumun::sim
