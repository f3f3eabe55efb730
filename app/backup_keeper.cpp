#include "app/backup_keeper.hpp"
#include "app/log.hpp"
#include "app/node.hpp"
#include "storage/backup.hpp"

namespace jumun::app {
namespace {
http::backup_info info_of(const storage::backup& b) {
  return {b.id, "done", b.created_ms, b.bytes, b.files, ""};
}
} // namespace

backup_keeper::~backup_keeper() {
  stop_ = true;
  if (worker_.joinable()) worker_.join();
}

std::optional<http::backup_info> backup_keeper::begin() {
  const auto there = list();
  std::lock_guard lock{guard_};
  if (latest_ && latest_->state == "running") return {};
  if (worker_.joinable()) worker_.join();
  const auto id = there.empty() ? 1 : there.front().id + 1;
  latest_ = http::backup_info{id, "running", wall_clock_us() / 1'000, 0, 0, ""};
  worker_ = std::thread{[this] { work(); }};
  return latest_;
}

void backup_keeper::work() {
  log::info("backup.begun", {{"dir", dir_}});
  auto made = storage::make_backup(*disk_, dir_, keep_, stop_);
  std::lock_guard lock{guard_};
  if (const auto* failed = std::get_if<storage::failure>(&made)) {
    latest_->state = "failed";
    latest_->error = failed->detail;
    return log::error("backup.failed", {{"dir", dir_}, {"detail", failed->detail}});
  }
  const auto& b = std::get<0>(made);
  log::info("backup.done", {{"dir", dir_}, {"id", b.id}, {"bytes", b.bytes}, {"files", b.files}});
  latest_.reset(); // the folder lists it from here on
}

std::vector<http::backup_info> backup_keeper::list() {
  std::vector<http::backup_info> all;
  {
    std::lock_guard lock{guard_};
    if (latest_) all.push_back(*latest_);
  }
  auto found = storage::list_backups(dir_);
  if (const auto* failed = std::get_if<storage::failure>(&found)) {
    log::warn("backup.unlisted", {{"dir", dir_}, {"detail", failed->detail}});
    return all;
  }
  for (const auto& b : std::get<0>(found))
    if (all.empty() || all.front().id != b.id) all.push_back(info_of(b));
  return all;
}
} // namespace jumun::app
