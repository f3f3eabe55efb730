#pragma once
#include "tests/power/power_disk.hpp"
#include <deque>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace jumun::tests {
/// A rocksdb::Env whose files lie on a power_disk, and whose background jobs (flushes, compactions)
/// run when the test says so, on the test's thread: a whole day of a database in one thread, the
/// same each time. Databases that were opened on it must be closed before it goes.
class power_env final : public rocksdb::EnvWrapper {
public:
  explicit power_env(std::shared_ptr<power_disk> disk);
  [[nodiscard]] power_disk& disk() { return *disk_; }
  /// Runs what waits, and what that leads to. @returns how many jobs ran
  std::size_t run_background();

  const char* Name() const override { return "power_env"; }
  void Schedule(void (*job)(void*), void* arg, Priority pri, void* tag,
    void (*dropped)(void*)) override;
  int UnSchedule(void* tag, Priority pri) override;
  unsigned int GetThreadPoolQueueLen(Priority pri) const override;

private:
  struct job {
    void (*run)(void*);
    void (*dropped)(void*);
    void *arg, *tag;
    Priority pri;
  };
  std::shared_ptr<power_disk> disk_;
  mutable std::mutex guard_;
  std::deque<job> jobs_;
};
} // namespace jumun::tests
