#include "http/owner_patience.hpp"
#include "http/limits.hpp"

namespace jumun::http {
owner_patience::~owner_patience() {
  if (waiting_) --at_.owner_waiters;
}

bool owner_patience::lasts(ms least) {
  const auto so_far = std::chrono::steady_clock::now() - begun_;
  return so_far < least || (so_far < at_.options.owner_wait && waits());
}

bool owner_patience::waits() {
  const auto room = at_.options.requests_waiting_max / limits::owner_waiters_share;
  if (!waiting_ && at_.owner_waiters++ < room) return waiting_ = true;
  if (!waiting_) --at_.owner_waiters;
  return waiting_;
}
} // namespace jumun::http
