#pragma once
#include "cluster/limits.hpp"
#include "cluster/peers.hpp"
#include <chrono>
#include <optional>

namespace jumun::cluster::link {
/// Who this node is, to all of its peers.
struct identity {
  std::string cluster, node;
  std::uint64_t incarnation = 0; // of this process: another one each time that the node starts
  std::string release;
};

/// Time from outside, for the tests.
struct clocks {
  std::function<std::int64_t()> steady_us; // never goes back
  std::function<std::int64_t()> wall_ms;   // unix
};
[[nodiscard]] clocks real_clocks();

/// What is measured out to a peer, and how long it is waited for.
struct terms {
  std::uint64_t envelopes = limits::peer_envelopes_max; // out and unhandled, each way
  std::uint64_t bytes = limits::peer_bytes_max;
  std::chrono::milliseconds heartbeat = limits::peer_heartbeat;
  std::chrono::milliseconds silent = limits::peer_silent_max; // then it is gone
  std::chrono::milliseconds redial_min = limits::peer_redial_min;
  std::chrono::milliseconds redial_max = limits::peer_redial_max;
};
} // namespace jumun::cluster::link
