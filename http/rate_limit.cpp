#include "http/rate_limit.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
using clock = rate_limiter::clock;
constexpr clock::duration window = std::chrono::seconds{1};

/// What one request takes from the bucket. @pre quota > 0
clock::duration each_of(std::uint32_t quota) { return window / quota; }
std::uint32_t left(std::uint32_t quota, clock::time_point full_at, clock::time_point now) {
  const auto used = std::max(full_at - now, clock::duration::zero());
  return static_cast<std::uint32_t>(
    std::clamp<std::int64_t>((each_of(quota) * quota - used) / each_of(quota), 0, quota));
}
} // namespace

rate_limiter::rate_limiter(std::uint32_t per_second, std::size_t known_max)
    : per_second_{per_second}, part_max_{std::max<std::size_t>(known_max / parts_.size(), 1)} {}

/// Whoever is idle for the window has a full bucket, as one who was never here: they are forgotten.
rate_limiter::clock::time_point& rate_limiter::entry(
  part& p, const std::string& whose, clock::time_point now) const {
  const auto known = p.full_at.find(whose);
  if (known != p.full_at.end()) return known->second;
  if (p.full_at.size() >= part_max_ && now - p.swept >= window) {
    p.swept = now; // not for each newcomer: a sweep looks at them all
    std::erase_if(p.full_at, [now](const auto& row) { return row.second <= now; });
  }
  if (p.full_at.size() >= part_max_) return p.others_full_at;
  return p.full_at[whose];
}

rate_limiter::standing rate_limiter::take(const std::string& whose, clock::time_point now) {
  const std::uint32_t quota = per_second_;
  if (quota == 0) return {};
  auto& p = part_of(whose);
  const std::lock_guard lock{p.mutex};
  auto& full_at = entry(p, whose, now);
  if (left(quota, full_at, now) == 0) return {false, 0};
  full_at = std::max(full_at, now) + each_of(quota);
  return {true, left(quota, full_at, now)};
}

rate_limiter::standing rate_limiter::look(const std::string& whose, clock::time_point now) {
  const std::uint32_t quota = per_second_;
  if (quota == 0) return {};
  auto& p = part_of(whose);
  const std::lock_guard lock{p.mutex};
  const auto known = p.full_at.find(whose);
  const auto remaining = known == p.full_at.end() ? quota : left(quota, known->second, now);
  return {remaining > 0, remaining};
}

std::string rate_limiter::fields(const standing& s) const {
  const std::uint32_t quota = per_second_;
  return "RateLimit-Policy: \"default\";q=" + std::to_string(quota)
         + ";w=1\r\nRateLimit: \"default\";r=" + std::to_string(s.remaining)
         + (s.remaining < quota ? ";t=1\r\n" : ";t=0\r\n");
}

std::size_t rate_limiter::known() {
  std::size_t n = 0;
  for (auto& p : parts_) {
    const std::lock_guard lock{p.mutex};
    n += p.full_at.size();
  }
  return n;
}
} // namespace jumun::http
