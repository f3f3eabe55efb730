#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// A disk in memory that knows what of it is durable, and so what a power cut may leave. It follows
/// POSIX to the letter where file systems are kinder: a file's bytes are durable as of its last
/// sync; a name (made, renamed or removed) once its folder was synced, and not with the file. After
/// a sync that failed, the next one says ok and has saved nothing of what the failed one lost.
/// Deterministic: every choice comes from a seed. power_env.hpp makes a rocksdb::Env of it.
namespace jumun::tests {
/// What a call on the disk answers.
enum class disk_says : std::uint8_t { ok, missing, exists, io_error, no_space };

/// What happens to a call that was chosen to fail.
enum class disk_fault : std::uint8_t {
  io_error,    // EIO; of a sync: some of it may be lost for good, or all of it landed
  no_space,    // ENOSPC, nothing was written
  short_write, // a part was written, then ENOSPC
};

/// How a cut treats what was not synced.
enum class cut_kind : std::uint8_t {
  lost,   // all of it is gone
  kept,   // all of it is there: what a killed process leaves, too
  chance, // each file and folder by the seed: gone, whole, cut off, with holes, torn with noise
};

/// One call that makes something durable, before or after it did.
struct sync_point {
  std::string path;
  bool folder = false, done = false;
  std::uint64_t number = 0; // of the disk's sync points, from 1
};

class power_disk {
public:
  /// A file's bytes; names point to it, and so do open handles.
  struct inode {
    std::string now;     // what a reader sees
    std::string durable; // what a power cut leaves at least
    std::size_t dirty_from = npos;              // lowest byte that was changed since the last sync
    std::size_t lost_from = npos, lost_to = 0;  // a failed sync lost these: no later one saves them
  };
  using file = std::shared_ptr<inode>;
  static constexpr auto npos = static_cast<std::size_t>(-1);

  // -- what a file system does; each is one call for fail() when it can write ---------------------
  [[nodiscard]] disk_says create(const std::string& path, file& out); // empties one that is there
  [[nodiscard]] disk_says append(const file& to, std::string_view bytes);
  [[nodiscard]] disk_says write_at(const file& to, std::size_t offset, std::string_view bytes);
  [[nodiscard]] disk_says truncate(const file& of, std::size_t bytes);
  [[nodiscard]] disk_says sync(const file& of, const std::string& path);
  [[nodiscard]] disk_says sync_folder(const std::string& path);
  [[nodiscard]] disk_says rename(const std::string& from, const std::string& to);
  [[nodiscard]] disk_says link(const std::string& from, const std::string& to);
  [[nodiscard]] disk_says remove(const std::string& path);
  [[nodiscard]] disk_says make_folder(const std::string& path);
  [[nodiscard]] disk_says remove_folder(const std::string& path);
  [[nodiscard]] file find(const std::string& path) const; // null: no such file
  [[nodiscard]] bool is_folder(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> names_in(const std::string& folder) const;
  [[nodiscard]] std::size_t size_of(const file& of) const;
  /// nullopt: the read was chosen to fail.
  [[nodiscard]] std::optional<std::string> read(
    const file& from, std::size_t offset, std::size_t bytes) const;
  [[nodiscard]] bool lock(const std::string& path); // false: it is locked
  void unlock(const std::string& path);

  // -- what tests do with it ----------------------------------------------------------------------
  /// What a power cut at this moment may leave, as a disk of its own on which all is durable.
  [[nodiscard]] std::shared_ptr<power_disk> after_cut(cut_kind how, std::uint64_t seed) const;
  /// The calls that can write, so far.
  [[nodiscard]] std::uint64_t calls() const;
  [[nodiscard]] std::uint64_t reads() const;
  /// The n-th writing call from now on (from 0) fails; `for_good`: and all that follow.
  void fail(std::uint64_t n, disk_fault how, bool for_good, std::uint64_t seed);
  /// The n-th read from now on (from 0) fails, once.
  void fail_read(std::uint64_t n);
  void heal();
  [[nodiscard]] bool has_failed() const;
  /// Called at each sync point, on the thread that syncs, without any lock of the disk's.
  void on_sync(std::function<void(const sync_point&)> told);
  /// All files, by path.
  [[nodiscard]] std::vector<std::pair<std::string, std::size_t>> files() const;
  /// The whole of a file as it is now; "" where there is none.
  [[nodiscard]] std::string content(const std::string& path) const;
  /// Puts it there, durably: damage, or another process's work.
  void put(const std::string& path, std::string bytes);
  void flip(const std::string& path, std::uint64_t bit);

private:
  struct node {
    file data; // null: a folder
    bool operator==(const node&) const = default;
  };
  using names = std::map<std::string, node>;
  /// A change of names that is not durable yet: `from` goes, and `to` is there.
  struct change {
    std::string folder, from, to;
    node what;
  };
  static void apply(const change& c, names& to);
  static void save(inode& i);
  static std::string left_of(const inode& i, cut_kind how, std::mt19937_64& chance);
  void changed(change c);
  [[nodiscard]] std::optional<disk_fault> next_fault();
  void tell(sync_point p);

  mutable std::mutex guard_;
  names now_, durable_;
  std::vector<change> changes_; // in order; those of a folder go with its sync
  std::map<std::string, bool> locks_;
  std::uint64_t calls_ = 0, points_ = 0;
  mutable std::uint64_t reads_ = 0, fail_read_at_ = UINT64_MAX;
  std::uint64_t fail_at_ = UINT64_MAX;
  disk_fault fault_ = disk_fault::io_error;
  bool for_good_ = false;
  mutable bool failed_ = false;
  std::mt19937_64 chance_; // of faults
  std::function<void(const sync_point&)> told_;
};

[[nodiscard]] std::string folder_of(const std::string& path);
} // namespace jumun::tests
