#pragma once
#include "domain/limits.hpp"
#include "http/limits.hpp"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace jumun::http {
/// What a server is started with. The defaults of all bounds are limits.hpp's; tests set smaller
/// ones.
struct server_options {
  std::string public_address = "127.0.0.1";
  std::uint16_t public_port = 8080; // 0: any free one
  bool ops = true;
  std::string ops_address = "127.0.0.1";
  std::uint16_t ops_port = 9090; // 0: any free one
  std::string node = "n1";       // named as the owner of sagas
  std::string cluster = {};      // empty: none

  using ms = std::chrono::milliseconds;
  ms head_read_max = limits::head_read_max; // from its first byte
  ms body_read_max = limits::body_read_max;
  ms write_max = limits::write_max;
  ms idle_max = limits::idle_max;
  ms linger_max{2'000}; // after the last answer: how long the client may take to read it
  ms running_key_wait_max = limits::running_key_wait_max;
  ms owner_wait = limits::owner_wait; // a request waits so long for an owner that is away
  ms drain_grace{0}; // begin_drain(): still accepting, while the platform takes notice

  std::size_t linger_bytes_max = 256 * 1024; // thrown away meanwhile
  std::size_t connections_max = limits::connections_max;
  std::size_t connections_per_peer = limits::connections_per_peer;
  std::size_t ops_connections_max = 256; // apart from the others: probes must get through
  std::size_t requests_waiting_max = limits::requests_waiting_max;
  std::size_t requests_per_principal = limits::requests_per_principal;
  std::size_t orders_entering_min = limits::orders_entering_min;
  std::chrono::microseconds order_wait_target = limits::order_wait_target;

  std::uint32_t rate_limit = 0;          // requests a second and principal; 0: no limit
  std::vector<std::string> cors_origins; // whose pages may read answers; empty: nobody's

  std::size_t event_readers_max = limits::event_readers_max;
  std::size_t event_readers_per_principal = limits::event_readers_per_principal;
  std::size_t event_reader_bytes_max = limits::event_reader_bytes_max;
  ms event_heartbeat = limits::event_heartbeat;

  /// For trace and span ids; thread-safe. Empty: one seeded generator per thread.
  std::function<std::uint64_t()> random;
};
} // namespace jumun::http
