#pragma once
#include <cstdint>

namespace jumun::http {
/// Which listeners serve a route; a connection has one of them.
enum class listener : std::uint8_t { on_public = 1, on_ops = 2, on_both = 3 };
[[nodiscard]] inline bool serves(listener route, listener connection) {
  return (static_cast<unsigned>(route) & static_cast<unsigned>(connection)) != 0;
}
} // namespace jumun::http
