#pragma once
#include "app/cluster/mover.hpp"
#include "app/cluster/options.hpp"
#include "app/cluster/ownership.hpp"
#include "app/cluster/stock_bridge.hpp"
#include "app/file_watch.hpp"
#include "cluster/link/link.hpp"
#include "cluster/tunnel/tunnel.hpp"
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <thread>

namespace jumun::app {
/// What a node of a cluster has beside a node that is alone: the agreement on owners, the wire to
/// the other nodes, and what follows from both. Thread-safe.
class cluster_side {
public:
  /// Of the node; all of it outlives this, but for the actors: see quiet().
  struct inside {
    actors::environment& env;
    caf::actor_system& system;
    actors::node_actor root;
    std::function<void(domain::shard_id)> left; // a shard is not served here any more
  };
  /// `agreed`: not started yet. `stored`, `new_disk`: see ownership.
  cluster_side(cluster_options how, cluster::coordinator& agreed, domain::shard_map stored,
    bool new_disk, inside node);
  ~cluster_side();

  /// Opens the wire. @returns why it can't. Blocks.
  [[nodiscard]] std::optional<std::string> open();
  /// From here on the others see this node, and it serves what is its own. `http`, `ops`: host:port
  /// of its listeners.
  void join(const std::string& http, const std::string& ops);
  /// Nothing comes in from the others any more. Then the node's actors may end; what they still
  /// append goes out until this is destroyed.
  void quiet();

  // Each answers whether the envelope was of its kind. Before join().
  using tell_taker = std::function<bool(
    const std::string& from, const cluster::envelope& what, const cluster::receipt& held)>;
  using ask_taker = std::function<bool(
    const std::string& from, const cluster::envelope& what, const cluster::reply_once& reply)>;
  void on_tell(tell_taker taker) { tell_takers_.push_back(std::move(taker)); }
  void on_ask(ask_taker taker) { ask_takers_.push_back(std::move(taker)); }

  [[nodiscard]] ownership& owners() { return owners_; }
  [[nodiscard]] const ownership& owners() const { return owners_; }
  [[nodiscard]] cluster::peers& peers() { return *link_; }
  [[nodiscard]] const cluster_options& options() const { return how_; }
  [[nodiscard]] stock_bridge::figures stock() const { return stock_.now(); }
  [[nodiscard]] cluster::tunnel_figures wire() const { return tunnel_.figures(); }
  [[nodiscard]] std::vector<cluster::peer_figures> links() const { return link_->figures(); }
  [[nodiscard]] const mover& moves() const { return *mover_; }

private:
  [[nodiscard]] ownership::surroundings around_ownership(
    const inside& node, cluster::coordinator& agreed);
  [[nodiscard]] mover::surroundings around_mover(const inside& node);
  [[nodiscard]] cluster::tunnel_options tunnel_of() const;
  [[nodiscard]] cluster::tunnel_neighbours neighbours();
  [[nodiscard]] cluster::link::link::options link_of();
  [[nodiscard]] std::optional<std::string> read_certificates();
  void agreed(const cluster::view_ptr& now);
  void refused(const cluster::refusal& why);

  const cluster_options how_;
  cluster::coordinator& agreed_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
    io_.get_executor()};
  cluster::tunnel tunnel_;
  std::unique_ptr<cluster::link::link> link_; // the first to go: it calls all that follow
  ownership owners_;
  stock_bridge stock_;
  boost::asio::thread_pool moving_{1}; // of the mover: it reads the disk
  std::shared_ptr<mover> mover_;
  std::vector<tell_taker> tell_takers_;
  std::vector<ask_taker> ask_takers_;
  std::atomic<bool> listening_{false};
  file_watch certificates_;
  std::thread thread_; // of io_
};
} // namespace jumun::app
