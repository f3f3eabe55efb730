#pragma once
#include "app/cluster/mover.hpp"
#include "app/cluster/ownership.hpp"
#include "app/cluster/stock_bridge.hpp"

namespace jumun::app {
/// What one node of several does, whoever carries its messages, agrees for it, keeps its time and
/// runs its tasks: cluster_side has sockets, threads and clocks for that, the simulator a seed.
/// Thread-safe.
class cluster_core {
public:
  /// Of the node; all of it outlives this, but for the actors, which end before stop().
  struct inside {
    actors::environment& env;
    caf::actor_system& system;
    actors::node_actor root;
    std::function<void(domain::shard_id)> left; // a shard is not served here any more
    /// It is about to be given up: the last moment to append rows of it. Never blocks for long.
    std::function<void(domain::shard_id)> leaving = [](domain::shard_id) {};
  };
  struct outside {
    std::string node;
    cluster::coordinator& agreed; // not started yet
    cluster::peers& peers;        // not started yet
    /// mover::surroundings::run and later.
    std::function<void(std::function<void()>)> run;
    std::function<void(std::chrono::milliseconds, std::function<void()>)> later;
    std::function<std::int64_t()> now_ms;
    std::function<std::uint64_t()> random;
    std::function<void(cluster::note)> say;
    /// mover::surroundings::reached
    std::function<void(std::string_view step)> reached = [](std::string_view) {};
  };
  /// `stored`, `new_disk`: see ownership. Routes commands for all shards to the other nodes.
  cluster_core(outside with, domain::shard_map stored, bool new_disk, inside node);

  /// From here on it listens to the others. Before the coordinator is started.
  void open();
  /// The agreement, as it is now: see ownership::follow.
  void follow(const cluster::view& now);
  /// Nothing comes in from the others any more, and no move goes on; the coordinator is stopped.
  void quiet();
  /// Ends its actors, once no task runs any more.
  void stop() { stock_.stop(); }

  // Each answers whether the envelope was of its kind. Before open().
  using tell_taker = std::function<bool(
    const std::string& from, const cluster::envelope& what, const cluster::receipt& held)>;
  using ask_taker = std::function<bool(
    const std::string& from, const cluster::envelope& what, const cluster::reply_once& reply)>;
  void on_tell(tell_taker taker) { tell_takers_.push_back(std::move(taker)); }
  void on_ask(ask_taker taker) { ask_takers_.push_back(std::move(taker)); }

  [[nodiscard]] ownership& owners() { return owners_; }
  [[nodiscard]] const ownership& owners() const { return owners_; }
  [[nodiscard]] const mover& moves() const { return *mover_; }
  [[nodiscard]] stock_bridge::figures stock() const { return stock_.now(); }

private:
  [[nodiscard]] ownership::surroundings around_ownership(const inside& node);
  [[nodiscard]] mover::surroundings around_mover(const inside& node);
  void hear_peers();

  const outside with_;
  ownership owners_;
  stock_bridge stock_;
  std::shared_ptr<mover> mover_;
  std::vector<tell_taker> tell_takers_;
  std::vector<ask_taker> ask_takers_;
  std::atomic<bool> listening_{false};
};
} // namespace jumun::app
