#pragma once
#include "cluster/tunnel/refusal.hpp"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace jumun::cluster {
/// Of one peer; counts are since the start.
struct tunnel_peer_figures {
  std::string node;
  std::uint64_t links = 0;    // up at present, both directions
  std::uint64_t dialled = 0;  // that came up
  std::uint64_t accepted = 0; // that came up
  std::uint64_t failed = 0;   // dialled, and did not come up
  std::uint64_t lost = 0;     // were up, and ended by anything but a word of either side
  std::uint64_t bytes_in = 0, bytes_out = 0; // of CAF's
  std::uint64_t frames_in = 0, frames_out = 0;
  std::uint64_t beats_lost = 0; // heartbeats without an answer by the next one
  std::uint64_t stalls = 0;     // times that all which the peer had granted was sent
  std::uint64_t waiting = 0;                 // bytes that wait in us at present
  std::uint64_t waiting_max = 0;             // the most that waited in one link
  std::uint64_t rtt_us = 0;                  // of the last heartbeat; 0: none yet
  std::string last_error;                    // empty: none since a link last came up
};

struct tunnel_figures {
  std::vector<tunnel_peer_figures> peers; // by name
  std::uint64_t sockets = 0;              // that came to the listener
  std::uint64_t greeting = 0;             // of them, whose peer has not proved itself yet
  std::uint64_t open = 0;                 // connections of any kind
  std::array<std::uint64_t, refusal_count> refused{}; // by refusal
  std::int64_t certificate_until = 0;                 // our own: unix seconds; 0: none
};
} // namespace jumun::cluster
