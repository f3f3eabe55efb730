#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace jumun::app {
/// Watches the data folder's disk. Below `free_min_pct` new orders are turned away; a reserve file
/// keeps room for what is in flight, and is given up when the rest is gone (DESIGN §4).
class disk_guard {
public:
  disk_guard(std::string dir, unsigned free_min_pct);
  ~disk_guard();
  /// From the next look on. Any thread.
  void set_free_min_pct(unsigned pct) { free_min_pct_ = pct; }
  [[nodiscard]] bool nearly_full() const { return nearly_full_.load(); }
  /// As of the last look.
  [[nodiscard]] std::uint64_t free_bytes() const { return free_bytes_.load(); }
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_.load(); }
  /// Before a start: gives up the reserve that a server left on a disk which is full by now. Only a
  /// file that looks like one of ours, beside a database.
  static void make_room(const std::string& dir);
  /// Looks now; also done each second by a thread of its own.
  void look();

private:
  void keep_reserve(std::uint64_t free_bytes);
  std::string dir_;
  std::atomic<unsigned> free_min_pct_;
  std::atomic<bool> nearly_full_{false};
  std::atomic<std::uint64_t> free_bytes_{0}, size_bytes_{0};
  bool reserve_held_ = false;
  std::mutex guard_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread worker_;
};
} // namespace jumun::app
