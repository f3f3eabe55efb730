#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace jumun::http {
/// What the edge counts. Plain atomics: any thread may read them at any time.
struct metrics {
  using counter = std::atomic<std::uint64_t>;
  std::array<counter, 6> answered{}; // by status class: [2] is 2xx; [0] is unused
  counter heads_refused = 0;         // answered before any route was looked up
  counter exceptions = 0;            // caught at the edge: each is a bug, none stops the server
  counter accepted = 0;              // connections
  counter turned_away = 0;           // connections closed at accept: over a cap
  counter saturated = 0;             // 429 and 503 for want of a permit
  counter cut = 0;                   // connections given up at a write deadline
  std::atomic<std::int64_t> connections = 0; // open now
  std::atomic<std::int64_t> waiting = 0;     // requests with a permit, not answered yet
};
} // namespace jumun::http
