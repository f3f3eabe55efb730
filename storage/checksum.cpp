#include "storage/checksum.hpp"
#include <array>
#include <cstddef>

namespace jumun::storage {
namespace {
constexpr std::size_t at_once = 8; // bytes a step; one table for each
using tables = std::array<std::array<std::uint32_t, 256>, at_once>;

constexpr tables make_tables() {
  constexpr std::uint32_t polynomial = 0x82f63b78; // reflected
  tables t{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    auto crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    t[0][byte] = crc;
  }
  for (std::size_t n = 1; n < at_once; ++n)
    for (std::size_t byte = 0; byte < 256; ++byte)
      t[n][byte] = (t[n - 1][byte] >> 8) ^ t[0][t[n - 1][byte] & 0xff];
  return t;
}
constexpr auto table_of = make_tables();
} // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far) {
  auto crc = ~so_far;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  while (bytes.size() >= at_once) {
    const auto low = crc ^ (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24);
    crc = table_of[7][low & 0xff] ^ table_of[6][(low >> 8) & 0xff]
          ^ table_of[5][(low >> 16) & 0xff] ^ table_of[4][low >> 24] ^ table_of[3][byte(4)]
          ^ table_of[2][byte(5)] ^ table_of[1][byte(6)] ^ table_of[0][byte(7)];
    bytes.remove_prefix(at_once);
  }
  for (const char c : bytes)
    crc = (crc >> 8) ^ table_of[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}
} // namespace jumun::storage
