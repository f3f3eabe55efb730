#pragma once
#include "cluster/link/options.hpp"
#include <memory>

namespace jumun::cluster::link {
/// `peers` over CAF (DESIGN §8, ADR 0016). Actor systems of its own, on loopback only: nothing
/// that comes from a peer can name, or end, an actor of the node's. One door, which peers dial, and
/// a dialler for each peer: its tells, asks and heartbeats go out there, and the peer's replies
/// come back. Handlers run on threads of the link's, and must neither block nor throw.
class link final : public peers {
public:
  struct options {
    identity self;
    /// Where a peer is reached: a port on loopback, through which the tunnel brings us to its door;
    /// none: it isn't known now, and is asked for again. From any thread; must not block.
    std::function<std::optional<std::uint16_t>(const std::string& node)> way_to;
    terms how = {};
    clocks now = real_clocks();
    std::uint64_t seed = 0;  // for sessions and jitter: another one in each process
    std::size_t threads = 1; // of the door's system, and of the diallers'
  };
  explicit link(options how);
  /// Asks in flight end unknown; no handler is called any more once this returns. Nobody may be
  /// inside of a call by then; replies and receipts may outlive it.
  ~link() override;

  /// Opens the door. Throws std::runtime_error if it can't listen. After the handlers are set.
  void start();
  /// The door's, on 127.0.0.1; where the tunnel brings peers to.
  [[nodiscard]] std::uint16_t port() const;
  /// Keeps links with these nodes from now on, and with no other. Its own name is left out.
  void dial(const std::vector<std::string>& nodes);
  /// Frames and hellos that nobody here wanted: garbage, another cluster's, too many.
  [[nodiscard]] std::uint64_t turned_away() const;

  [[nodiscard]] bool tell(const std::string& node, envelope what) override;
  void ask(const std::string& node, envelope what, done then) override;
  void on_tell(tell_handler handler) override;
  void on_ask(ask_handler handler) override;
  void on_change(change_handler handler) override;
  [[nodiscard]] std::vector<peer_figures> figures() const override;

private:
  struct inside;
  std::unique_ptr<inside> in_;
};
} // namespace jumun::cluster::link
