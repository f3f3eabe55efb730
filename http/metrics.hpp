#pragma once
#include "http/histogram.hpp"
#include <array>
#include <atomic>
#include <cstdint>

namespace jumun::http {
/// What the edge counts. Plain atomics: any thread may read them at any time, in no order.
struct metrics {
  using counter = std::atomic<std::uint64_t>;
  std::array<counter, 6> answered{}; // by status class: [2] is 2xx; [0] is unused
  counter heads_refused = 0;         // answered before any route was looked up
  counter exceptions = 0;            // caught at the edge: each is a bug, none stops the server
  counter accepted = 0;              // connections
  counter turned_away = 0;           // connections closed at accept: over a cap
  counter full_of_orders = 0;        // 503 for a new order that would have to wait too long
  counter full_of_requests = 0;      // 503 for want of a permit
  counter full_of_principals = 0;    // 429 for one whose principal has its share of them
  counter too_many = 0;              // 429 on the public listener, for whatever reason
  counter unavailable = 0;           // 503 there
  counter replays = 0;               // answered from the record of an Idempotency-Key
  counter forwarded = 0;             // requests sent to the node that they belong to; each try
  counter forwarded_again = 0;       // waits before another try
  counter forwarded_here = 0;        // requests, and parts of lists, that other nodes sent
  counter cut = 0;                   // connections given up at a write deadline
  std::atomic<std::int64_t> connections = 0; // open now
  std::atomic<std::int64_t> waiting = 0;     // requests with a permit, not answered yet
  std::atomic<std::size_t> orders_entering = 0, orders_entering_limit = 0; // of order_gate
  std::atomic<std::int64_t> event_readers = 0; // event streams, open now
  counter event_readers_turned_away = 0;       // 429 and 503 for one stream too many
  counter event_readers_cut = 0;               // streams given up: their client read too slowly

  /// From the head's end to the answer's hand-over, long polls included.
  static constexpr std::array<std::uint64_t, 13> duration_us{500, 1'000, 2'500, 5'000, 10'000,
    25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000, 30'000'000};
  struct of_route {
    std::array<counter, 6> answered{}; // by status class
    histogram<duration_us.size()> took{duration_us};
  };
  static constexpr std::size_t routes_max = 128;
  std::array<of_route, routes_max> routes; // by place in all_routes(); the last: no route at all
};
} // namespace jumun::http
