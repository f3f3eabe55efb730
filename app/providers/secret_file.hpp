#pragma once
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace jumun::app {
/// Secrets in a file, one a line; blank lines and those with `#` in front are left out. Read again
/// when the file changes, so that a secret is exchanged without a restart; a file that can't be
/// read then, or holds none, changes nothing but the log. Thread-safe. Never prints a secret.
class secret_file {
public:
  /// Logs a warning where others on this machine may read the file.
  explicit secret_file(std::filesystem::path at);
  /// The secrets, newest reading, in the file's order. One stat() a call.
  [[nodiscard]] std::shared_ptr<const std::vector<std::string>> secrets();

private:
  std::filesystem::path path_;
  std::mutex guard_;
  std::filesystem::file_time_type seen_{};
  std::shared_ptr<const std::vector<std::string>> held_;
};

/// What a file's text holds; nullopt: no secret, or one that is no line of visible ASCII. Pure.
[[nodiscard]] std::optional<std::vector<std::string>> parse_secrets(std::string_view text);
} // namespace jumun::app
