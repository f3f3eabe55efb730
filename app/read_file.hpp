#pragma once
#include <string>
#include <variant>

namespace jumun::app {
struct read_failed {
  std::string why; // without the path
};
/// The whole of a regular file of `bytes_max` at most. Blocks.
[[nodiscard]] std::variant<std::string, read_failed> read_file(
  const std::string& path, std::size_t bytes_max);
} // namespace jumun::app
