#include "app/event_archive.hpp"
#include "domain/limits.hpp"
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unistd.h>

namespace jumun::app {
namespace {
namespace fs = std::filesystem;

std::string why(const std::string& path) {
  return path + ": " + std::system_category().message(errno);
}

bool sync_folder(const std::string& dir) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = ::fsync(fd) == 0;
  ::close(fd);
  return ok;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

constexpr std::string_view name_begins = "events-", name_ends = ".jsonl";

/// 0: it begins with none.
std::uint64_t number_in(std::string_view text) {
  std::uint64_t n = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

/// The cursor in an envelope; 0 for what is none.
std::uint64_t cursor_in(const std::string& line) {
  const auto e = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  return number_in(e.is_object() ? e.value("cursor", "") : std::string{});
}

/// The newest file with something in it; its name sorts last.
std::string newest_in(const std::string& dir) {
  std::string newest;
  for (const auto& f : fs::directory_iterator{dir}) {
    const auto name = f.path().filename().string();
    if (name.starts_with(name_begins) && name.ends_with(name_ends) && f.file_size() > 0)
      newest = std::max(newest, f.path().string());
  }
  return newest;
}
} // namespace

event_archive::~event_archive() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<std::string> event_archive::open() {
  std::error_code failed;
  fs::create_directories(dir_, failed);
  if (failed) return dir_ + ": " + failed.message();
  try {
    const auto path = newest_in(dir_);
    return path.empty() ? std::nullopt : read_tail(path);
  } catch (const fs::filesystem_error& unreadable) {
    return unreadable.what();
  }
}

/// The tail of a file is its last whole line, and perhaps a part of one.
std::optional<std::string> event_archive::read_tail(const std::string& path) {
  number_ = number_in(fs::path{path}.filename().string().substr(name_begins.size()));
  fd_ = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  const auto size = fd_ < 0 ? -1 : ::lseek(fd_, 0, SEEK_END);
  if (size < 0) return why(path);
  constexpr ::off_t tail_bytes = 64 * 1024; // an envelope has less than 4 KiB
  const auto from = std::max<::off_t>(0, size - tail_bytes);
  std::string tail(static_cast<std::size_t>(size - from), '\0');
  if (::pread(fd_, tail.data(), tail.size(), from) != static_cast<::ssize_t>(tail.size()))
    return why(path);
  const auto end = tail.rfind('\n');
  const auto whole = end == std::string::npos ? 0 : end + 1;
  bytes_ = static_cast<std::uint64_t>(from) + whole;
  if (whole < tail.size() && ::ftruncate(fd_, static_cast<::off_t>(bytes_)) != 0) return why(path);
  if (whole == 0) return from == 0 ? std::nullopt : std::optional{path + ": holds no events"};
  const auto begin = tail.rfind('\n', whole - 2);
  const auto at = begin == std::string::npos ? 0 : begin + 1;
  last_ = cursor_in(tail.substr(at, whole - 1 - at));
  // What a process that died had not synced yet must not be taken for safe.
  if (last_ == 0) return path + ": its last line is no event";
  return ::fdatasync(fd_) == 0 ? std::nullopt : std::optional{why(path)};
}

std::optional<std::string> event_archive::begin_file(std::uint64_t first) {
  if (fd_ >= 0) ::close(fd_);
  number_ = std::max(first, number_ + 1);
  const auto digits = std::to_string(number_);
  const auto path = dir_ + '/' + std::string{name_begins} + std::string(20 - digits.size(), '0')
                    + digits + std::string{name_ends};
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  bytes_ = 0;
  if (fd_ < 0 || !sync_folder(dir_)) return why(path);
  return {};
}

std::optional<std::string> event_archive::append(
  const std::string& lines, std::uint64_t first, std::uint64_t last) {
  if (fd_ < 0 || bytes_ >= limits::archive_file_bytes_max)
    if (auto failed = begin_file(first)) return failed;
  if (!write_all(fd_, lines) || ::fdatasync(fd_) != 0) return why(dir_);
  bytes_ += lines.size();
  last_ = last;
  return {};
}
} // namespace jumun::app
