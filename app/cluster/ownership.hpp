#pragma once
#include "cluster/coordinator.hpp"
#include "domain/shard_set.hpp"
#include "storage/journal.hpp"
#include <atomic>
#include <map>
#include <mutex>
#include <set>

namespace jumun::app {
/// Which shards this node serves: it follows the map that the nodes agree on. A map is on disk
/// before it is acted on. An epoch is only ever passed on by its holder, so what this node serves
/// it serves until it gives it up itself, whoever can be heard or not. Thread-safe.
class ownership {
public:
  /// What it moves. Called without a lock held, on the coordinator's thread, the committer's or an
  /// actor's; none of it may block, but for `may_serve`.
  struct surroundings {
    storage::journal& journal; // outlives every call; its callbacks end before this does
    std::function<void(domain::shard_lease)> own;
    std::function<void(domain::shard_id, std::function<void()> done)> give_up;
    std::function<void(domain::shard_id)> elsewhere; // it is (now) another node's
    std::function<void(domain::shard_id)> left;      // it was ours, and all of it is durable
    /// Whoever waits for an answer about these shards may ask again.
    std::function<void(const domain::shard_set&)> reachable;
    std::function<void(std::uint64_t map_version)> stored;                 // coordinator::durable
    std::function<void(std::string_view event, std::string detail)> error; // for the log
    /// Whether the rows of the shard at that epoch are on this disk. `held`: the stored map says
    /// that it was served here at that epoch; `fresh`: nobody ever had it before.
    std::function<bool(domain::shard_lease, bool held, bool fresh)> may_serve =
      [](domain::shard_lease, bool held, bool fresh) { return held || fresh; };
    /// Whether it was given away at that epoch, and the map does not say so yet: not to be served,
    /// and not missing either.
    std::function<bool(domain::shard_lease)> gave_away = [](domain::shard_lease) { return false; };
  };
  /// `stored`: the map that the disk was left with. `new_disk`: this folder has never been a node's
  /// before, so that shards which the cluster knows as this node's are lost with an older one.
  ownership(std::string self, domain::shard_map stored, bool new_disk, surroundings with);

  /// The agreement, as it is now: from the coordinator's thread, one at a time. Until it has
  /// joined, a node serves nothing: its disk may be an old copy. Blocks on the disk, where shards
  /// are taken.
  void follow(const cluster::view& now);
  /// environment::recovered
  void serving(domain::shard_id shard);
  /// Stops serving it. `done` is called once: all that was appended for it is durable then, and
  /// more is fenced.
  void give_up(domain::shard_id shard, std::function<void()> done);
  /// Serves it again, at the epoch at which it was given up: it was not passed on after all.
  void take_back(domain::shard_id shard);

  [[nodiscard]] const std::string& self() const { return self_; }
  /// Any thread, never blocks: false from give_up() on, true once its actors serve.
  [[nodiscard]] bool serves(domain::shard_id shard) const {
    return shards_[shard].at.load(std::memory_order_acquire) == phase::serving;
  }
  [[nodiscard]] domain::shard_set served() const;
  /// Of a shard that is served here; 0: it is not.
  [[nodiscard]] domain::epoch_id epoch_of(domain::shard_id shard) const;
  /// Of the newest map: whose it is, by the version of the map that says so.
  struct owner {
    std::string node;
    domain::epoch_id epoch = 0;
    std::uint64_t map_version = 0;
  };
  [[nodiscard]] owner owner_of(domain::shard_id shard) const;
  /// All that are `node`'s by the newest map.
  [[nodiscard]] domain::shard_set shards_of(const std::string& node) const;
  /// Ours by the map, and their rows are not on this disk: they are not served.
  [[nodiscard]] domain::shard_set missing() const;
  [[nodiscard]] bool joined() const { return joined_; }

private:
  enum class phase : std::uint8_t { elsewhere, starting, serving, leaving };
  struct shard {
    std::atomic<phase> at{phase::elsewhere};
    domain::epoch_id epoch = 0; // at which it is, or was last, served here
  };
  using map_ptr = std::shared_ptr<const domain::shard_map>;
  [[nodiscard]] std::vector<domain::shard_lease> to_take(const domain::shard_map& map);
  void lose(const domain::shard_map& map);
  void act(const map_ptr& map, std::vector<domain::shard_lease> take);

  const std::string self_;
  const domain::shard_map stored_; // at the start
  const bool new_disk_;
  const surroundings with_;
  std::atomic<bool> joined_{false};
  domain::shard_set lost_;   // with an older disk; of the coordinator's thread
  domain::shard_set lacked_; // at the start: rows that this folder did not have; the same
  map_ptr seen_;             // the newest that was told; of the coordinator's thread
  mutable std::mutex guard_; // of what follows
  map_ptr map_;              // the newest on disk
  domain::shard_set missing_;
  std::array<shard, domain::shard_count> shards_;
};
} // namespace jumun::app
