#include "domain/page_cursor.hpp"
#include <cstdint>

namespace jumun::domain {
namespace {
constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t cursor_bytes_max = 128; // a SKU's key has 65 bytes, in base64 87
} // namespace

std::string base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int waiting = 0;
  for (const unsigned char c : bytes) {
    bits = (bits << 8) | c;
    for (waiting += 8; waiting >= 6; waiting -= 6)
      out.push_back(alphabet[(bits >> (waiting - 6)) & 63]);
  }
  if (waiting > 0) out.push_back(alphabet[(bits << (6 - waiting)) & 63]);
  return out;
}

std::optional<std::string> parse_base64url(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int waiting = 0;
  for (const char c : text) {
    const auto at = alphabet.find(c);
    if (at == std::string_view::npos) return {};
    bits = (bits << 6) | static_cast<std::uint32_t>(at);
    waiting += 6;
    if (waiting < 8) continue;
    waiting -= 8;
    bytes.push_back(static_cast<char>(bits >> waiting));
  }
  if (base64url(bytes) != text) return {}; // bits left over, or a digit too many
  return bytes;
}

std::string cursor_text(char kind, std::string_view key) {
  return std::string(1, kind) + base64url(key);
}

std::optional<std::string> parse_cursor(char kind, std::string_view text) {
  if (text.size() < 2 || text.size() > cursor_bytes_max || text.front() != kind) return {};
  return parse_base64url(text.substr(1));
}
} // namespace jumun::domain
