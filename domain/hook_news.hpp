#pragma once
#include <cstdint>

namespace jumun::domain {
/// What a payment provider's hook comes to here. None is believed about money: an outcome only
/// makes us ask; what was reversed is undone, and the provider asked what it gave back. Append
/// only.
enum class hook_news : std::uint8_t { outcome = 1, reversed = 2 };
} // namespace jumun::domain
