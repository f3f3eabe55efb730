#pragma once
#include "http/exchange.hpp"

namespace jumun::http {
/// Calls `then` once, on an I/O thread and guarded: when the order has settled (settled_only) or
/// has a version above `version`, or after `most`, or when the server drains; whichever is first.
/// The client may be gone by then. Any thread; does not block.
void await_change(const exchange_ptr& ex, domain::order_id id, bool settled_only,
  std::uint64_t version, std::chrono::milliseconds most, std::function<void()> then);

/// Calls `then` once after `pause`, on an I/O thread and guarded.
void after(const exchange_ptr& ex, std::chrono::milliseconds pause, std::function<void()> then);
} // namespace jumun::http
