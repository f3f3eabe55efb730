#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace jumun::cluster {
template <class Number> void put_big_endian(std::string& to, Number n) {
  for (auto shift = 8 * sizeof n; shift > 0; shift -= 8)
    to += static_cast<char>(static_cast<unsigned char>(n >> (shift - 8)));
}
/// `from` has sizeof(Number) bytes.
template <class Number> [[nodiscard]] Number get_big_endian(const char* from) {
  Number n = 0;
  for (std::size_t i = 0; i < sizeof n; ++i)
    n = static_cast<Number>(n << 8 | static_cast<unsigned char>(from[i]));
  return n;
}
} // namespace jumun::cluster
