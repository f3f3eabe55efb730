#include "tests/power/power_env.hpp"
#include <algorithm>
#include <cstring>
#include <rocksdb/system_clock.h>

// The adaptor between RocksDB's FileSystem and power_disk: no decision is made here.
namespace jumun::tests {
namespace {
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

std::string clean(std::string path) { // one spelling for each path
  for (auto at = path.find("//"); at != std::string::npos; at = path.find("//")) path.erase(at, 1);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

IOStatus told(disk_says s, const std::string& path) {
  switch (s) {
    case disk_says::ok: return IOStatus::OK();
    case disk_says::missing: return IOStatus::PathNotFound(path, "No such file or directory");
    case disk_says::exists: return IOStatus::IOError(path, "File exists");
    case disk_says::io_error: return IOStatus::IOError(path, "Input/output error");
    case disk_says::no_space: break;
  }
  auto full = IOStatus::NoSpace(path, "No space left on device");
  full.SetRetryable(true); // as RocksDB's own for POSIX says
  return full;
}

IOStatus read_into(const power_disk& disk, const power_disk::file& from, std::size_t offset,
  std::size_t n, Slice* result, char* scratch) {
  const auto bytes = disk.read(from, offset, n);
  if (!bytes) return IOStatus::IOError("read", "Input/output error");
  bytes->copy(scratch, bytes->size());
  *result = {scratch, bytes->size()};
  return IOStatus::OK();
}

class sequential final : public rocksdb::FSSequentialFile {
public:
  sequential(std::shared_ptr<power_disk> disk, power_disk::file file)
      : disk_(std::move(disk)), file_(std::move(file)) {}
  IOStatus Read(
    std::size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    auto s = read_into(*disk_, file_, at_, n, result, scratch);
    if (s.ok()) at_ += result->size();
    return s;
  }
  IOStatus Skip(std::uint64_t n) override {
    at_ += static_cast<std::size_t>(n);
    return IOStatus::OK();
  }

private:
  std::shared_ptr<power_disk> disk_;
  power_disk::file file_;
  std::size_t at_ = 0;
};

class random_access final : public rocksdb::FSRandomAccessFile {
public:
  random_access(std::shared_ptr<power_disk> disk, power_disk::file file)
      : disk_(std::move(disk)), file_(std::move(file)) {}
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result,
    char* scratch, IODebugContext*) const override {
    return read_into(*disk_, file_, static_cast<std::size_t>(offset), n, result, scratch);
  }

private:
  std::shared_ptr<power_disk> disk_;
  power_disk::file file_;
};

class writable final : public rocksdb::FSWritableFile {
public:
  writable(std::shared_ptr<power_disk> disk, power_disk::file file, std::string path)
      : disk_(std::move(disk)), file_(std::move(file)), path_(std::move(path)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    return told(disk_->append(file_, {data.data(), data.size()}), path_);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    return told(disk_->truncate(file_, static_cast<std::size_t>(size)), path_);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return told(disk_->sync(file_, path_), path_);
  }
  bool IsSyncThreadSafe() const override { return true; }
  /// sync_file_range() starts the writing and promises nothing.
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    return disk_->size_of(file_);
  }

private:
  std::shared_ptr<power_disk> disk_;
  power_disk::file file_;
  std::string path_;
};

class random_rw final : public rocksdb::FSRandomRWFile {
public:
  random_rw(std::shared_ptr<power_disk> disk, power_disk::file file, std::string path)
      : disk_(std::move(disk)), file_(std::move(file)), path_(std::move(path)) {}
  IOStatus Write(
    std::uint64_t offset, const Slice& data, const IOOptions&, IODebugContext*) override {
    const auto at = static_cast<std::size_t>(offset);
    return told(disk_->write_at(file_, at, {data.data(), data.size()}), path_);
  }
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result,
    char* scratch, IODebugContext*) const override {
    return read_into(*disk_, file_, static_cast<std::size_t>(offset), n, result, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return told(disk_->sync(file_, path_), path_);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

private:
  std::shared_ptr<power_disk> disk_;
  power_disk::file file_;
  std::string path_;
};

class folder final : public rocksdb::FSDirectory {
public:
  folder(std::shared_ptr<power_disk> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return told(disk_->sync_folder(path_), path_);
  }

private:
  std::shared_ptr<power_disk> disk_;
  std::string path_;
};

struct held_lock final : rocksdb::FileLock {
  std::string path;
};

/// RocksDB's background jobs pause for a second after a failure. They run on the test's thread.
class hasty_clock final : public rocksdb::SystemClockWrapper {
public:
  using SystemClockWrapper::SystemClockWrapper;
  const char* Name() const override { return "hasty_clock"; }
  void SleepForMicroseconds(int) override {}
};

class power_files final : public rocksdb::FileSystem {
public:
  explicit power_files(std::shared_ptr<power_disk> disk) : disk_(std::move(disk)) {}
  const char* Name() const override { return "power_disk"; }

  IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions&,
    std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) override {
    return opened<sequential>(name, result);
  }
  IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions&,
    std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext*) override {
    return opened<random_access>(name, result);
  }
  IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions&,
    std::unique_ptr<rocksdb::FSRandomRWFile>* result, IODebugContext*) override {
    const auto found = disk_->find(clean(name));
    if (!found) return told(disk_says::missing, name);
    *result = std::make_unique<random_rw>(disk_, found, clean(name));
    return IOStatus::OK();
  }
  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions&,
    std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    power_disk::file made;
    const auto s = disk_->create(clean(name), made);
    if (s == disk_says::ok) *result = std::make_unique<writable>(disk_, made, clean(name));
    return told(s, name);
  }
  IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions&,
    std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    const auto found = disk_->find(clean(name));
    if (!found) return told(disk_says::missing, name);
    *result = std::make_unique<writable>(disk_, found, clean(name));
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions&,
    std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    if (!disk_->is_folder(clean(name))) return told(disk_says::missing, name);
    *result = std::make_unique<folder>(disk_, clean(name));
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
    const bool there = disk_->find(clean(name)) || disk_->is_folder(clean(name));
    return there ? IOStatus::OK() : IOStatus::NotFound();
  }
  IOStatus GetChildren(const std::string& name, const IOOptions&, std::vector<std::string>* result,
    IODebugContext*) override {
    if (!disk_->is_folder(clean(name))) return told(disk_says::missing, name);
    *result = disk_->names_in(clean(name));
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions&, IODebugContext*) override {
    return told(disk_->remove(clean(name)), name);
  }
  IOStatus Truncate(
    const std::string& name, std::size_t size, const IOOptions&, IODebugContext*) override {
    const auto found = disk_->find(clean(name));
    return told(found ? disk_->truncate(found, size) : disk_says::missing, name);
  }
  IOStatus CreateDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    return told(disk_->make_folder(clean(name)), name);
  }
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions&, IODebugContext*) override {
    if (disk_->is_folder(clean(name))) return IOStatus::OK();
    return told(disk_->make_folder(clean(name)), name);
  }
  IOStatus DeleteDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    return told(disk_->remove_folder(clean(name)), name);
  }
  IOStatus GetFileSize(
    const std::string& name, const IOOptions&, std::uint64_t* size, IODebugContext*) override {
    const auto found = disk_->find(clean(name));
    if (!found) return told(disk_says::missing, name);
    *size = disk_->size_of(found);
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(
    const std::string&, const IOOptions&, std::uint64_t* time, IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
    IODebugContext*) override {
    return told(disk_->rename(clean(from), clean(to)), from);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&,
    IODebugContext*) override {
    return told(disk_->link(clean(from), clean(to)), from);
  }
  IOStatus AreFilesSame(const std::string& a, const std::string& b, const IOOptions&, bool* same,
    IODebugContext*) override {
    *same = disk_->find(clean(a)) == disk_->find(clean(b));
    return IOStatus::OK();
  }
  IOStatus LockFile(const std::string& name, const IOOptions&, rocksdb::FileLock** lock,
    IODebugContext*) override {
    if (!disk_->find(clean(name))) {
      power_disk::file made;
      if (const auto s = disk_->create(clean(name), made); s != disk_says::ok) return told(s, name);
    }
    if (!disk_->lock(clean(name)))
      return IOStatus::IOError("lock hold by current process", clean(name));
    auto held = std::make_unique<held_lock>();
    held->path = clean(name);
    *lock = held.release();
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::unique_ptr<held_lock> held{static_cast<held_lock*>(lock)};
    disk_->unlock(held->path);
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/test";
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
    IODebugContext*) override {
    *absolute = clean(path);
    return IOStatus::OK();
  }
  IOStatus IsDirectory(
    const std::string& name, const IOOptions&, bool* is_dir, IODebugContext*) override {
    *is_dir = disk_->is_folder(clean(name));
    return *is_dir || disk_->find(clean(name)) ? IOStatus::OK() : told(disk_says::missing, name);
  }
  IOStatus GetFreeSpace(
    const std::string&, const IOOptions&, std::uint64_t* bytes, IODebugContext*) override {
    *bytes = 1ULL << 40;
    return IOStatus::OK();
  }

private:
  template <class Kind, class Result> IOStatus opened(const std::string& name, Result* result) {
    const auto found = disk_->find(clean(name));
    if (!found) return told(disk_says::missing, name);
    *result = std::make_unique<Kind>(disk_, found);
    return IOStatus::OK();
  }
  std::shared_ptr<power_disk> disk_;
};
} // namespace

power_env::power_env(std::shared_ptr<power_disk> disk)
    : EnvWrapper(rocksdb::NewCompositeEnv(std::make_shared<power_files>(disk))),
      disk_(std::move(disk)) {
  file_system_ = target()->GetFileSystem(); // not the adaptor of an adaptor
  system_clock_ = std::make_shared<hasty_clock>(target()->GetSystemClock());
}

void power_env::Schedule(
  void (*run)(void*), void* arg, Priority pri, void* tag, void (*dropped)(void*)) {
  const std::lock_guard lock{guard_};
  jobs_.push_back({run, dropped, arg, tag, pri});
}

int power_env::UnSchedule(void* tag, Priority pri) {
  std::deque<job> gone;
  {
    const std::lock_guard lock{guard_};
    const auto first = std::stable_partition(jobs_.begin(), jobs_.end(),
      [&](const job& j) { return j.tag != tag || j.pri != pri; });
    gone.assign(first, jobs_.end());
    jobs_.erase(first, jobs_.end());
  }
  for (const auto& j : gone)
    if (j.dropped) j.dropped(j.arg);
  return static_cast<int>(gone.size());
}

unsigned int power_env::GetThreadPoolQueueLen(Priority pri) const {
  const std::lock_guard lock{guard_};
  return static_cast<unsigned int>(
    std::count_if(jobs_.begin(), jobs_.end(), [&](const job& j) { return j.pri == pri; }));
}

std::size_t power_env::run_background() {
  std::size_t ran = 0;
  for (;; ++ran) {
    job next;
    {
      const std::lock_guard lock{guard_};
      if (jobs_.empty()) return ran;
      next = jobs_.front();
      jobs_.pop_front();
    }
    next.run(next.arg);
  }
}
} // namespace jumun::tests
