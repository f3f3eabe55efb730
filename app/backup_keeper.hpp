#pragma once
#include "http/backups.hpp"
#include "storage/store.hpp"
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

namespace jumun::app {
/// Makes backups of a store, one at a time, on a thread of its own. Ended in the middle of one, it
/// stops that one. A failed one is listed until the next begins.
class backup_keeper final : public http::backups {
public:
  backup_keeper(std::shared_ptr<storage::store> disk, std::string dir, std::uint32_t keep)
      : disk_{std::move(disk)}, dir_{std::move(dir)}, keep_{keep} {}
  ~backup_keeper() override;

  /// Of the next one on. Any thread.
  void set_keep(std::uint32_t keep) { keep_ = keep; }
  std::optional<http::backup_info> begin() override;
  std::vector<http::backup_info> list() override;

private:
  void work();
  const std::shared_ptr<storage::store> disk_;
  const std::string dir_;
  std::atomic<std::uint32_t> keep_;
  std::atomic<bool> stop_{false};
  std::mutex guard_;
  std::optional<http::backup_info> latest_; // running or failed
  std::thread worker_;
};
} // namespace jumun::app
