#pragma once
#include "cluster/link/outlet.hpp"
#include "cluster/link/wire.hpp"
#include <random>

namespace jumun::cluster::link {
struct dialler_state {
  static inline const char* name = "dialler";
  caf::actor door;             // of the peer; may be a dead one
  bool under_way = false;      // a dial, or the pause before it
  std::uint32_t failed = 0;    // dials in a row
  std::uint64_t ticks = 0;     // generation
  std::int64_t tick_at_us = 0; // when the next one comes; 0: none is under way
  std::mt19937_64 chance;
};

/// Where a peer is reached: a loopback port, through which the tunnel brings us to its door; none:
/// it is not known now. From any thread; must not block.
using way = std::function<std::optional<std::uint16_t>(const std::string& node)>;

/// Carries one outlet: dials its peer until there is a session, and again once that has ended.
caf::behavior dialler(caf::stateful_actor<dialler_state, sturdy_actor>* self,
  std::shared_ptr<outlet> out, way way_to, terms how, clocks now, std::uint64_t seed);
} // namespace jumun::cluster::link
