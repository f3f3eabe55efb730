#pragma once
#include "app/cluster/cluster_core.hpp"
#include "app/cluster/options.hpp"
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
  using inside = cluster_core::inside; // the actors may end once it is quiet()
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

  // Before join().
  void on_tell(cluster_core::tell_taker taker) { core_.on_tell(std::move(taker)); }
  void on_ask(cluster_core::ask_taker taker) { core_.on_ask(std::move(taker)); }

  [[nodiscard]] ownership& owners() { return core_.owners(); }
  [[nodiscard]] const ownership& owners() const { return core_.owners(); }
  [[nodiscard]] cluster::peers& peers() { return *link_; }
  [[nodiscard]] const cluster_options& options() const { return how_; }
  [[nodiscard]] stock_bridge::figures stock() const { return core_.stock(); }
  [[nodiscard]] cluster::tunnel_figures wire() const { return tunnel_.figures(); }
  [[nodiscard]] std::vector<cluster::peer_figures> links() const { return link_->figures(); }
  [[nodiscard]] const mover& moves() const { return core_.moves(); }

private:
  [[nodiscard]] cluster_core::outside around_core();
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
  boost::asio::thread_pool moving_{1};        // of the mover: it reads the disk
  cluster_core core_;
  file_watch certificates_;
  std::thread thread_; // of io_
};
} // namespace jumun::app
