#pragma once
#include <cstdint>
#include <string>

namespace jumun::domain {
/// RFC 3339 in UTC with milliseconds: 2024-02-29T23:59:59.007Z. Pure.
[[nodiscard]] std::string time_text(std::int64_t unix_ms);
} // namespace jumun::domain
