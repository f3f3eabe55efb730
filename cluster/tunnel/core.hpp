#pragma once
#include "cluster/tunnel/identity.hpp"
#include "cluster/tunnel/tunnel.hpp"
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <map>
#include <mutex>

/// What the links and doors of one tunnel share.
namespace jumun::cluster {
class tunnel_link;
using link_ptr = std::shared_ptr<tunnel_link>;

/// Of one peer, counted by its links.
struct tunnel_peer {
  explicit tunnel_peer(std::string name) : node{std::move(name)} {}
  const std::string node;
  std::atomic<std::uint64_t> links{0}, dialled{0}, accepted{0}, failed{0}, lost{0}, bytes_in{0},
    bytes_out{0}, frames_in{0}, frames_out{0}, beats_lost{0}, stalls{0}, waiting{0}, waiting_max{0},
    rtt_us{0};
  /// Remembers what went wrong; empty: nothing. False: it is what was known already.
  bool note(const std::string& error) {
    const std::lock_guard lock{mutex_};
    return std::exchange(last_error_, error) != error;
  }
  [[nodiscard]] std::string last_error() const {
    const std::lock_guard lock{mutex_};
    return last_error_;
  }

private:
  mutable std::mutex mutex_;
  std::string last_error_;
};

/// Connections of one kind, oldest first, by a key that each kind has its own of. Thread-safe.
class tunnel_crowd {
public:
  explicit tunnel_crowd(std::size_t per_key, std::size_t in_all = SIZE_MAX)
      : per_key_{per_key}, in_all_{in_all} {}
  /// @returns who must go for it: the oldest of its key, or of all; null: there is room.
  [[nodiscard]] link_ptr enter(const std::string& key, link_ptr link);
  void leave(const tunnel_link* link);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t size(const std::string& key) const;
  [[nodiscard]] std::vector<link_ptr> everyone() const;
  [[nodiscard]] std::vector<link_ptr> everyone(const std::string& key) const;

private:
  struct entry {
    std::string key;
    link_ptr link;
  };
  const std::size_t per_key_, in_all_;
  mutable std::mutex mutex_;
  std::vector<entry> all_; // few: a search is cheaper than an index
};

struct tunnel_core {
  tunnel_core(boost::asio::io_context& on, tunnel_options o, tunnel_neighbours n)
      : io{on}, options{std::move(o)}, neighbours{std::move(n)},
        identity{options.cluster, options.node}, greeting{options.within.greeting_per_address,
                                                   options.within.greeting_in_all} {}

  boost::asio::io_context& io;
  const tunnel_options options;
  const tunnel_neighbours neighbours;
  tunnel_identity identity;
  std::atomic<std::uint16_t> caf_port{0};
  std::atomic<bool> stopping{false};

  /// Accepted ones that have not proved who they are, by address; then those of a node, by node.
  tunnel_crowd greeting, accepted{limits::tunnel_links_per_peer}, dialled{SIZE_MAX};
  std::atomic<std::uint64_t> sockets{0}; // accepted at the listener, ever

  [[nodiscard]] std::shared_ptr<tunnel_peer> peer(const std::string& node);
  [[nodiscard]] std::vector<std::shared_ptr<tunnel_peer>> peers() const;
  void forget(const std::string& node);
  /// `from`: whence; empty: from ourselves.
  void count(tunnel_refusal why, const std::string& from);
  /// A line for all refusals since the last call; none, if there were none.
  void say_refused();
  void left(const tunnel_link* link);
  void say(std::string_view event, const tunnel_neighbours::fields& with) const {
    if (neighbours.say) neighbours.say(event, with);
  }

  using counts = std::array<std::uint64_t, refusal_count>;
  [[nodiscard]] counts refused() const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<tunnel_peer>> peers_;
  counts refused_{}, said_{}; // said_: as of the last line
  std::string last_from_;     // an address; whoever it was that was refused last
};

[[nodiscard]] tunnel_figures figures_of(const tunnel_core& core);
/// 127.0.0.0/8, ::1, and the former written as the latter's kind.
[[nodiscard]] bool is_loopback(const boost::asio::ip::address& address);
} // namespace jumun::cluster
