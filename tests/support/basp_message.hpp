#pragma once
#include <cstdint>
#include <string>

namespace jumun::tests {
/// What CAF 0.17.6 writes in front of `payload_size` bytes; written from its description, apart
/// from the product's reader.
inline std::string basp_header(unsigned operation, std::uint32_t payload_size) {
  std::string head(32, '\0');
  head[0] = static_cast<char>(operation);
  for (int i = 0; i < 4; ++i) head[4 + i] = static_cast<char>(payload_size >> (24 - 8 * i));
  return head;
}
inline std::string basp_message(unsigned operation, const std::string& payload) {
  return basp_header(operation, static_cast<std::uint32_t>(payload.size())) + payload;
}
} // namespace jumun::tests
