#include "http/order_gate.hpp"
#include "domain/invariant.hpp"
#include <algorithm>
#include <cmath>

namespace jumun::http {
namespace {
constexpr auto window = std::chrono::milliseconds{100};
/// What an order must wait for on an empty server: the commit under way, and its own.
constexpr double commits_waited_for = 2;
} // namespace

bool order_gate::enter(clock::time_point now, pass& out) {
  look(now);
  if (inside_.fetch_add(1, std::memory_order_relaxed) >= limit()) {
    inside_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  pass given;
  given.of_ = this;
  out = std::move(given);
  return true;
}

void order_gate::leave(bool served) {
  const auto before = inside_.fetch_sub(1, std::memory_order_relaxed);
  JUMUN_INVARIANT(before > 0, "whoever leaves came in");
  if (served) served_.fetch_add(1, std::memory_order_relaxed);
}

/// Who comes first after a window's end draws the consequences. (Not who leaves: that may be when
/// the inside is being taken down.)
void order_gate::look(clock::time_point now) {
  if (now.time_since_epoch().count() < window_end_.load(std::memory_order_relaxed)) return;
  const std::unique_lock lock{adapting_, std::try_to_lock};
  if (lock && now.time_since_epoch().count() >= window_end_.load(std::memory_order_relaxed))
    adapt(now);
}

void order_gate::adapt(clock::time_point now) {
  const auto served = static_cast<double>(served_.exchange(0, std::memory_order_relaxed));
  const std::chrono::duration<double> took = now - window_begin_;
  const bool first = window_end_.load(std::memory_order_relaxed) == 0;
  window_begin_ = now;
  window_end_.store((now + window).time_since_epoch().count(), std::memory_order_relaxed);
  if (first) return;
  // The last window counts for half, the one before for a quarter, …; one that was long, because
  // nobody came, for nearly all: the server was idle.
  const double newest_weighs = 1 - std::exp2(-took / std::chrono::duration<double>{window});
  per_second_ += newest_weighs * (served / took.count() - per_second_);
  const std::chrono::duration<double> commit =
    how_.commit ? how_.commit() : std::chrono::microseconds{0};
  const std::chrono::duration<double> wait = how_.wait + commits_waited_for * commit;
  limit_.store(clamped(per_second_ * wait.count()), std::memory_order_relaxed);
}

std::size_t order_gate::clamped(double permits) const {
  const auto most = std::max(how_.most, std::size_t{1});
  const auto least = std::min(how_.least, most);
  return static_cast<std::size_t>(
    std::clamp(permits, static_cast<double>(least), static_cast<double>(most)));
}
} // namespace jumun::http
