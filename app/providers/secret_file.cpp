#include "app/providers/secret_file.hpp"
#include "app/log.hpp"
#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace jumun::app {
namespace fs = std::filesystem;

std::optional<std::vector<std::string>> parse_secrets(std::string_view text) {
  std::vector<std::string> all;
  std::istringstream in{std::string{text}};
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    if (!std::all_of(line.begin(), line.end(), [](char c) { return c > ' ' && c < 0x7f; }))
      return std::nullopt;
    all.push_back(std::move(line));
  }
  if (all.empty()) return std::nullopt;
  return all;
}

namespace {
std::optional<std::vector<std::string>> read(const fs::path& at) {
  std::ifstream in{at, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  return in.bad() ? std::nullopt : parse_secrets(text);
}
} // namespace

secret_file::secret_file(fs::path at)
    : path_(std::move(at)), held_(std::make_shared<const std::vector<std::string>>()) {
  std::error_code failed;
  const auto mode = fs::status(path_, failed).permissions();
  if (!failed && (mode & fs::perms::others_read) != fs::perms::none)
    log::warn("secrets.readable_by_others",
      {{"path", path_.string()}, {"hint", "chmod o-r: whoever has it can move money"}});
  (void)secrets();
}

std::shared_ptr<const std::vector<std::string>> secret_file::secrets() {
  std::error_code failed;
  const auto now = fs::last_write_time(path_, failed);
  const std::lock_guard held{guard_};
  if (failed || now == seen_) return held_;
  seen_ = now;
  if (auto fresh = read(path_))
    held_ = std::make_shared<const std::vector<std::string>>(std::move(*fresh));
  else
    log::error("secrets.unreadable",
      {{"path", path_.string()}, {"allowed", "a line of visible ASCII for each secret"},
        {"hint", "those read before stay in force"}});
  return held_;
}
} // namespace jumun::app
