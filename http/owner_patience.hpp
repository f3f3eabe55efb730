#pragma once
#include "http/edge.hpp"

namespace jumun::http {
/// One request's patience with an owner that is away, most likely because it is being restarted.
/// Requests that wait hold their permits, and those for other owners must get some: so no more than
/// one in limits::owner_waiters_share waits, and the others are refused at once. Not thread-safe.
class owner_patience {
public:
  using ms = std::chrono::milliseconds;
  explicit owner_patience(edge& at) : at_{at} {}
  ~owner_patience();
  owner_patience(const owner_patience&) = delete;
  owner_patience& operator=(const owner_patience&) = delete;

  /// Whether to look once more: for server_options::owner_wait from now on, where there is room
  /// among those that wait, and for `least` in any case.
  [[nodiscard]] bool lasts(ms least = ms{0});

private:
  [[nodiscard]] bool waits();

  edge& at_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  bool waiting_ = false; // it is one of edge::owner_waiters
};
} // namespace jumun::http
