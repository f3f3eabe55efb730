#include "app/disk_guard.hpp"
#include "app/log.hpp"
#include "domain/limits.hpp"
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace jumun::app {
namespace fs = std::filesystem;

disk_guard::disk_guard(std::string dir, unsigned free_min_pct)
    : dir_(std::move(dir)), free_min_pct_(free_min_pct) {
  look();
  worker_ = std::thread{[this] {
    std::unique_lock lock{guard_};
    while (!stop_.wait_for(lock, std::chrono::seconds{1}, [this] { return stopping_; })) {
      lock.unlock();
      look();
      lock.lock();
    }
  }};
}

disk_guard::~disk_guard() {
  {
    std::lock_guard lock{guard_};
    stopping_ = true;
  }
  stop_.notify_all();
  worker_.join();
}

void disk_guard::make_room(const std::string& dir) {
  std::error_code failed;
  const fs::path reserve = fs::path{dir} / "reserve";
  const auto space = fs::space(dir, failed);
  if (failed || space.available >= limits::disk_reserve_bytes / 2) return;
  if (!fs::exists(fs::path{dir} / "CURRENT", failed)) return;
  if (fs::file_size(reserve, failed) != limits::disk_reserve_bytes || failed) return;
  if (fs::remove(reserve, failed)) log::warn("disk.reserve_given_up");
}

void disk_guard::look() {
  std::error_code failed;
  const auto space = fs::space(dir_, failed);
  if (failed || space.capacity == 0) return;
  free_bytes_ = space.available;
  size_bytes_ = space.capacity;
  keep_reserve(space.available);
  const auto held = reserve_held_ ? 0 : limits::disk_reserve_bytes; // what the reserve still lacks
  const auto left = space.available > held ? space.available - held : 0;
  const unsigned min_pct = free_min_pct_;
  const auto full = left * 100 < space.capacity * min_pct;
  if (full != nearly_full_.exchange(full))
    log::warn(full ? "disk.nearly_full" : "disk.has_room",
      {{"free_bytes", space.available}, {"min_pct", min_pct}});
}

void disk_guard::keep_reserve(std::uint64_t free_bytes) {
  const auto path = (fs::path{dir_} / "reserve").string();
  std::error_code ignored;
  if (free_bytes < limits::disk_reserve_bytes / 2) { // the time it was kept for
    if (fs::remove(path, ignored)) log::warn("disk.reserve_given_up");
    reserve_held_ = false;
    return;
  }
  if (reserve_held_ || free_bytes < 4 * limits::disk_reserve_bytes) return;
  const auto fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return;
  reserve_held_ = ::posix_fallocate(fd, 0, limits::disk_reserve_bytes) == 0;
  ::close(fd);
}
} // namespace jumun::app
