#pragma once
#include "app/config.hpp"

namespace jumun::app {
/// Whether requests are asked for a key or a token. Otherwise: dev mode, everyone is admin.
[[nodiscard]] bool has_auth(const config& c);
/// Why settings that are each allowed must not be in force together: names the keys, and what to
/// do. Pure.
[[nodiscard]] std::optional<std::string> why_unsafe(const config& c);
} // namespace jumun::app
