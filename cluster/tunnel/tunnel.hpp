#pragma once
#include "cluster/tunnel/figures.hpp"
#include "domain/limits.hpp"
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace jumun::cluster {
/// Where a peer's tunnel listens. `host`: an address, or a name for DNS.
struct peer_address {
  std::string host;
  std::uint16_t port = 0;
};

/// Patience and room; tests shorten them. limits.hpp has what each is for.
struct tunnel_limits {
  std::chrono::milliseconds heartbeat = limits::tunnel_heartbeat;
  std::chrono::milliseconds silence_max = limits::tunnel_silence_max;
  std::chrono::milliseconds first_byte_max = limits::tunnel_first_byte_max;
  std::chrono::milliseconds greeting_max = limits::tunnel_greeting_max;
  std::chrono::milliseconds log_period = limits::tunnel_log_period;
  std::size_t greeting_per_address = limits::tunnel_greeting_per_address;
  std::size_t greeting_in_all = limits::tunnel_greeting_in_all;
};

struct tunnel_options {
  std::string cluster, node;      // who we are: jumun://<cluster>/<node>
  std::string bind = "127.0.0.1"; // where peers come in
  std::uint16_t port = 0;         // 0: any
  bool plain = false;             // no TLS, no proof of names: both ends on loopback, or nothing
  tunnel_limits within = {};
};

/// What the tunnel asks of whoever knows the nodes. Called on the threads of its io_context, at the
/// same time, for as long as that has the tunnel's work; must not block.
struct tunnel_neighbours {
  /// Where that node listens for peers; nullopt: nowhere, at present.
  std::function<std::optional<peer_address>(const std::string& node)> expected;
  /// Whether that node, which has proved its name, may connect to us.
  std::function<bool(const std::string& node)> may_connect;
  /// A line for the log: event name, then fields without secrets.
  using fields = std::vector<std::pair<std::string, std::string>>;
  std::function<void(std::string_view event, const fields&)> say;
};

/// The wire between nodes (DESIGN §8): CAF listens and connects on loopback only, and what it says
/// is carried to the peer's loopback by TLS 1.3 in which both sides prove their names. For each
/// peer there is a way: a loopback port that stands for it. Each connection to a way is one
/// connection to the peer's tunnel, which connects to that node's CAF; either end's end is the
/// other's. A way's port can be connected to by everybody on this machine: its loopback is trusted.
/// Bytes wait in bounded room, and then are not read (docs/cluster.md). Thread-safe; runs on
/// whatever threads run `io`, which must outlive it; nothing of it blocks, but for binding a port.
class tunnel {
public:
  tunnel(boost::asio::io_context& io, tunnel_options options, tunnel_neighbours neighbours);
  /// stop()
  ~tunnel();
  tunnel(const tunnel&) = delete;
  tunnel& operator=(const tunnel&) = delete;

  /// Our certificate chain, its key and the cluster's authorities, in PEM. New connections use
  /// them, open ones stay as they are. @returns why they cannot be used; then nothing changes.
  [[nodiscard]] std::optional<std::string> take(
    std::string_view certificates, std::string_view key, std::string_view authorities);
  /// Listens for peers, and carries them to our CAF's port on 127.0.0.1. take() comes first, unless
  /// plain. @returns why it can't; then nothing is open.
  [[nodiscard]] std::optional<std::string> start(std::uint16_t caf_port);
  /// Where peers come in; 0: not started.
  [[nodiscard]] std::uint16_t port() const;
  /// The port on 127.0.0.1 that stands for that node, the same at each call; it need not be known
  /// or up yet: then connections to the way end at once. 0: no port could be had, ask again.
  [[nodiscard]] std::uint16_t way_to(const std::string& node);
  /// Closes the way to that node and its connections, in both directions.
  void forget(const std::string& node);
  /// Ends everything, telling the peers. `io` runs out of the tunnel's work within
  /// limits::tunnel_linger_max.
  void stop();
  [[nodiscard]] tunnel_figures figures() const;

private:
  class parts;
  const std::shared_ptr<parts> parts_;
};
} // namespace jumun::cluster
