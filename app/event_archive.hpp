#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace jumun::app {
/// The archive of trimmed events: DIR/events-<first cursor, 20 digits>.jsonl, one envelope of
/// API.md a line, in the order in which they are appended. A file that has passed
/// archive_file_bytes_max is left alone, and the next one begun; its name sorts behind, whatever
/// its first cursor (in a cluster a later batch may begin lower). Blocks; one thread.
class event_archive {
public:
  explicit event_archive(std::string dir) : dir_{std::move(dir)} {}
  ~event_archive();
  event_archive(const event_archive&) = delete;
  event_archive& operator=(const event_archive&) = delete;

  /// Makes the folder, drops a line that a crash cut off, and finds out what is there. @returns why
  /// it could not.
  [[nodiscard]] std::optional<std::string> open();
  /// The last cursor in the archive; 0: none.
  [[nodiscard]] std::uint64_t last() const { return last_; }
  /// Appends whole lines, whose cursors are `first`..`last`, and syncs. After a failure nothing may
  /// be appended any more: what of it is on disk, nobody knows. @returns why it could not.
  [[nodiscard]] std::optional<std::string> append(
    const std::string& lines, std::uint64_t first, std::uint64_t last);

private:
  [[nodiscard]] std::optional<std::string> begin_file(std::uint64_t first);
  [[nodiscard]] std::optional<std::string> read_tail(const std::string& path);

  const std::string dir_;
  int fd_ = -1;              // the newest file, for appending
  std::uint64_t number_ = 0; // in its name
  std::uint64_t bytes_ = 0, last_ = 0;
};
} // namespace jumun::app
