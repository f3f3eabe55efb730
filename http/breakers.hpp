#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace jumun::http {
/// A circuit breaker as it stands.
struct breaker_info {
  std::string name;               // of what it protects, e.g. payment-provider
  std::string state;              // closed | open | half-open
  std::int64_t since_ms = 0;      // unix; when it got there
  std::size_t calls = 0;          // that ended within the window
  std::size_t failures = 0;       // of those
  std::size_t in_flight = 0;      // calls under way
  std::size_t waiting = 0;        // orders that were held back and have not come again
  std::int64_t next_probe_ms = 0; // open: when a call may pass; 0: none is planned
  std::uint64_t opened = 0;       // times since the start
  std::uint64_t held_back = 0;    // calls since the start that were not made
};

/// Port to the breakers in front of providers, for the admin API and for metrics. Thread-safe;
/// never blocks for long.
class breakers {
public:
  virtual ~breakers() = default;
  [[nodiscard]] virtual std::vector<breaker_info> look() = 0;
};
} // namespace jumun::http
