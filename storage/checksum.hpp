#pragma once
#include <cstdint>
#include <string_view>

namespace jumun::storage {
/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, or of what `so_far` was of with `bytes`
/// behind it. Finds every single flipped bit, and every burst of up to 32. Pure.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far = 0);
} // namespace jumun::storage
