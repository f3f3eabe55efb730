#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace jumun::app {
/// Writes a file whole, under a name of its own first: whoever reads `path` sees the old one or the
/// new one, and finds it after a crash. A new file has `mode`; an old one's owner stays where root
/// edits it. @returns what failed, with the path. Blocks for the disk.
[[nodiscard]] std::optional<std::string> replace_file(
  const std::filesystem::path& path, const std::string& bytes, mode_t mode);
} // namespace jumun::app
