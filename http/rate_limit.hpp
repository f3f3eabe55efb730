#pragma once
#include "domain/limits.hpp"
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace jumun::http {
/// How many requests a second each principal may send: a token bucket of one second's worth each,
/// kept as the one time at which it is full again (the generic cell rate algorithm). So up to twice
/// the rate passes in a single second after a pause, and the rate itself in the long run. Remembers
/// a bounded number of principals; where more than that are busy at once, newcomers share one
/// bucket. Thread-safe; never waits but for a mutex that is held for a look-up.
class rate_limiter {
public:
  using clock = std::chrono::steady_clock;
  /// `per_second`: 0: no limit.
  explicit rate_limiter(
    std::uint32_t per_second, std::size_t known_max = limits::rate_principals_max);

  /// What is left of one principal's quota.
  struct standing {
    bool allowed = true;
    std::uint32_t remaining = 0;
  };
  /// From now on; what was taken stays taken.
  void set(std::uint32_t per_second) { per_second_ = per_second; }
  [[nodiscard]] bool on() const { return per_second_ > 0; }
  [[nodiscard]] std::uint32_t per_second() const { return per_second_; }
  /// Takes one request from the quota of `whose`, if there is one left.
  [[nodiscard]] standing take(const std::string& whose, clock::time_point now);
  /// The same, and takes none.
  [[nodiscard]] standing look(const std::string& whose, clock::time_point now);
  /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), each with its CRLF.
  [[nodiscard]] std::string fields(const standing& s) const;
  /// How many principals are remembered.
  [[nodiscard]] std::size_t known();

private:
  /// Many small maps, so that principals seldom wait for each other.
  struct part {
    std::mutex mutex;
    std::unordered_map<std::string, clock::time_point> full_at;
    clock::time_point others_full_at{}, swept{};
  };
  part& part_of(const std::string& whose) {
    return parts_[std::hash<std::string>{}(whose) % parts_.size()];
  }
  clock::time_point& entry(part& p, const std::string& whose, clock::time_point now) const;

  std::atomic<std::uint32_t> per_second_;
  const std::size_t part_max_;
  std::array<part, 16> parts_;
};
} // namespace jumun::http
