#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

/// What past releases wrote: tests/golden/README.md.
namespace jumun::tests {
inline std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const unsigned char c : bytes) {
    out.push_back(digits[c >> 4]);
    out.push_back(digits[c & 15]);
  }
  return out;
}
inline std::string unhex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<char>(digits.find(text[i]) << 4 | digits.find(text[i + 1])));
  return out;
}

/// The bytes in tests/golden/<name>.hex. With JUMUN_WRITE_GOLDEN a file that is not there yet gets
/// `now`. Throws when there is none.
inline std::string of_past_release(const std::string& name, std::string_view now) {
  const auto path = std::filesystem::path{JUMUN_TEST_ROOT} / "golden" / (name + ".hex");
  if (std::getenv("JUMUN_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(path))
    std::ofstream{path} << hex(now) << '\n';
  std::ifstream in{path};
  std::string text;
  if (!(in >> text)) throw std::runtime_error("nothing in " + path.string());
  return unhex(text);
}
} // namespace jumun::tests
