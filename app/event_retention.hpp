#pragma once
#include "app/event_archive.hpp"
#include "storage/feed_trim.hpp"
#include <atomic>
#include <chrono>

namespace jumun::app {
/// Trims the feed by age or size, from its begin on: archived and synced first, then deleted in
/// bounded batches through the journal, in the background. Nothing of an open order is deleted. A
/// failure of the archive ends it: nothing is deleted any more, and the log says so. Of a cluster's
/// node the shards that it serves are trimmed; by age alone, as their offsets do not count them.
class event_retention {
public:
  struct options {
    std::string archive_dir;
    std::chrono::milliseconds keep{0}; // 0: whatever their age
    std::uint64_t keep_bytes = 0;      // of rows, before compression; 0: whatever their size
    std::function<std::int64_t()> now_ms;
    std::function<domain::shard_set()> served; // empty: all of them
  };
  /// `to` outlives this.
  event_retention(storage::journal& to, options how);
  ~event_retention(); // stops its thread, if there is one
  event_retention(const event_retention&) = delete;
  event_retention& operator=(const event_retention&) = delete;

  /// From now on a pass every retention_pause, on a thread of its own.
  void start();
  /// Trims all that is due. Blocks. @returns why it had to stop.
  [[nodiscard]] std::optional<std::string> pass();

private:
  using events = std::vector<storage::old_event>;
  void work();
  void drop_left_behind();
  [[nodiscard]] domain::shard_set served() const;
  [[nodiscard]] domain::shard_set begun_by_old(const domain::shard_set& of) const;
  [[nodiscard]] bool too_old(const storage::old_event& e) const;
  [[nodiscard]] std::size_t due(const events& oldest) const;
  [[nodiscard]] static std::size_t whole_offsets(const events& oldest, std::size_t n);
  [[nodiscard]] std::optional<std::string> archive(const events& these);
  [[nodiscard]] bool trim(const events& these, const domain::shard_set& of, std::uint64_t up_to);

  storage::journal& journal_;
  const options how_;
  event_archive archive_;
  bool opened_ = false;
  std::uint64_t left_from_ = 1; // nothing below it was left behind
  std::mutex guard_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};
} // namespace jumun::app
