#include "storage/rocks_store.hpp"
#include "domain/ids.hpp"
#include "storage/durable_claim.hpp"
#include "storage/folders.hpp"
#include "storage/log_end.hpp"
#include "storage/manifest_end.hpp"
#include "storage/rocks_raw.hpp"
#include "storage/rows.hpp"
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <mutex>
#include <numeric>
#include <rocksdb/cache.h>
#if __has_include(<rocksdb/advanced_cache.h>) // RocksDB 8 and later keep Cache's definition there
#include <rocksdb/advanced_cache.h>
#endif
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace jumun::storage {
namespace {
namespace fs = std::filesystem;

constexpr std::uint64_t memory_bytes_min = 8ULL << 20;
constexpr std::uint64_t log_bytes_max = 64ULL << 20; // replayed behind a kill: 0.2 to 1.5 s
constexpr std::uint64_t rows_replayed_max = 50'000;  // behind a clean stop: some 5 MB of log
constexpr int open_files_max = 512; // -1 would open every file at a start, however long the history
// RocksDB's 16 are 15 new threads for each family at each start: 270, for a file or two each.
constexpr int file_opening_threads = 1;
constexpr std::uintmax_t info_log_bytes_max = 4 << 20;
constexpr std::string_view format_key = "format", shard_hash_key = "shard_hash";

rocksdb::Slice slice(std::string_view s) { return {s.data(), s.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

rocksdb::Env& env_of(const rocks_options& how) {
  return how.env ? *how.env : *rocksdb::Env::Default();
}

std::string in_folder(const std::string& dir, std::string_view what) {
  return "data folder " + dir + ": " + std::string{what};
}

bool lock_is_held(const rocksdb::Status& s) {
  if (!s.IsIOError()) return false;
  const auto text = s.ToString();
  return text.find("lock hold by current process") != std::string::npos
         || (text.find("ock file") != std::string::npos && text.find("LOCK") != std::string::npos
             && text.find(std::strerror(EAGAIN)) != std::string::npos);
}

/// Which process holds DIR/LOCK; 0: this one, or nobody can say. RocksDB locks with fcntl, so the
/// kernel knows.
/// @pre this process doesn't hold it: to close any descriptor of a file gives up one's own locks on
/// it.
pid_t holder_of(const std::string& dir) {
  const int fd = ::open((dir + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return 0;
  struct flock who {};
  who.l_type = F_WRLCK;
  who.l_whence = SEEK_SET;
  const bool told = ::fcntl(fd, F_GETLK, &who) == 0 && who.l_type != F_UNLCK;
  ::close(fd);
  return told ? who.l_pid : 0;
}

failure held(const std::string& dir, const rocksdb::Status& s) {
  const bool by_us = s.ToString().find("current process") != std::string::npos;
  const auto pid = by_us ? ::getpid() : holder_of(dir);
  auto who = pid > 0 ? "process " + std::to_string(pid) : std::string{"another process"};
  return {
    errc::held, in_folder(dir, "held by " + who + "; stop that server, or use another folder")};
}

/// What a failed call means to a person.
failure meaning_of(const std::string& dir, const rocksdb::Status& s) {
  if (lock_is_held(s)) return held(dir, s);
  if (s.IsNoSpace() || s.subcode() == rocksdb::Status::SubCode::kSpaceLimit)
    return {errc::full, in_folder(dir, "no space left on the device; " + s.ToString())};
  if (s.IsCorruption())
    return {errc::corrupt, in_folder(dir, "damaged: " + s.ToString() + "; restore a backup")};
  return {errc::io_failed, in_folder(dir, s.ToString())};
}

// -- RocksDB's own log
// -----------------------------------------------------------------------------

/// DIR/LOG: RocksDB's warnings and errors. A line that can't be written is lost. RocksDB's own
/// writer must not be used: at the first line after one that failed, so on a full disk, Debian's
/// build (it has its assertions on) aborts the process.
class forgiving_log final : public rocksdb::Logger {
public:
  /// Empty `dir`: all lines are dropped.
  explicit forgiving_log(const std::string& dir) : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {
    if (dir.empty()) return;
    path_ = dir + "/LOG";
    open();
  }
  ~forgiving_log() override {
    if (fd_ >= 0) ::close(fd_);
  }
  using Logger::Logv;
  void LogHeader(const char*, va_list) override {} // all options, at each start: OPTIONS-* has them
  void Logv(const char* format, va_list args) override {
    std::array<char, 2'048> line{};
    const auto now = std::time(nullptr);
    struct tm utc {};
    const auto start =
      std::strftime(line.data(), 32, "%Y-%m-%dT%H:%M:%SZ ", ::gmtime_r(&now, &utc));
    const auto left = line.size() - start - 1; // for the line feed
    const auto wanted = std::vsnprintf(line.data() + start, left, format, args);
    if (wanted < 0) return;
    const auto bytes = start + std::min(static_cast<std::size_t>(wanted), left - 1);
    line[bytes] = '\n';
    const std::lock_guard lock{guard_};
    if (fd_ >= 0 && ::write(fd_, line.data(), bytes + 1) > 0) written_ += bytes + 1;
    if (written_ > info_log_bytes_max) open();
  }

private:
  /// Goes on in the file that is there, or sets a large one aside; one of those is kept.
  void open() {
    if (fd_ >= 0) ::close(fd_);
    std::error_code error;
    written_ = 0;
    if (const auto size = fs::file_size(path_, error); !error) written_ = size;
    if (written_ > info_log_bytes_max) {
      fs::rename(path_, path_ + ".old.1", error);
      written_ = 0;
    }
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  }
  std::mutex guard_;
  std::string path_;
  int fd_ = -1;
  std::uintmax_t written_ = 0; // bytes in the file
};

// -- options ------------------------------------------------------------------------------------

rocksdb::CompressionType compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  const auto has_lz4 =
    std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) != known.end();
  return has_lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

rocksdb::DBOptions db_options(
  const rocks_options& how, rocksdb::Env& on, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::DBOptions o;
  o.env = &on;
  o.create_if_missing = how.create;
  o.create_missing_column_families = true;
  o.paranoid_checks = true;
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  o.max_total_wal_size = log_bytes_max;
  o.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(
    std::max(how.memory_bytes, memory_bytes_min) / 2, cache);
  o.max_bgerror_resume_count = 0; // a failed fsync is never retried (DESIGN §4)
  o.max_open_files = open_files_max;
  o.max_file_opening_threads = file_opening_threads;
  o.skip_stats_update_on_db_open = true;
  // A flush, a compaction, and another one once runs pile up behind a long one.
  o.max_background_jobs = 3;
  o.bytes_per_sync = 1 << 20; // large files go to the disk bit by bit, not in one burst
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  const bool has_log = !how.read_only && !how.env;
  o.info_log = std::make_shared<forgiving_log>(has_log ? how.dir : std::string{});
  return o;
}

/// Whether a table can be there twice, as it is while its runs become one. True if nobody knows.
bool has_room_for_runs(rocksdb::Env& on, const std::string& dir) {
  std::vector<rocksdb::Env::FileAttributes> files;
  std::uint64_t free_bytes = 0, bytes = 0;
  if (!on.GetFreeSpace(dir, &free_bytes).ok()) return true;
  if (!on.GetChildrenFileAttributes(dir, &files).ok()) return true;
  for (const auto& file : files)
    if (file.name.ends_with(".sst")) bytes += file.size_bytes;
  return free_bytes >= bytes;
}

/// By runs, compactions of all that a table has are long, and nobody waits for them: they have a
/// thread of their own, at the lowest priority.
void rewrite_behind_all_else(rocksdb::Env& on) {
  on.IncBackgroundThreadsIfNeeded(1, rocksdb::Env::BOTTOM);
  (void)on.LowerThreadPoolCPUPriority(rocksdb::Env::BOTTOM, rocksdb::CpuPriority::kLow);
}

constexpr std::uint64_t rewritten_after_s = 30 * 86'400; // deleted rows stay no longer than that

rocksdb::ColumnFamilyOptions family_options(
  const rocks_options& how, bool by_runs, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions t;
  t.block_cache = cache;
  t.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // In small parts: a filter of a whole file is half a megabyte, and a look-up of what is not there
  // needs one of each level. They pushed each other out of the cache from 500,000 orders on, and
  // were read anew for every look-up (bench/FIGURES.md, "growth").
  t.partition_filters = true;
  t.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  t.cache_index_and_filter_blocks = true; // inside the budget
  t.pin_l0_filter_and_index_blocks_in_cache = true;
  t.block_size = 8 << 10;
  t.format_version = 5;
  rocksdb::ColumnFamilyOptions o;
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(t));
  o.compression = rocksdb::kNoCompression; // the last level has half of the rows, or more
  o.bottommost_compression = compression();
  // Runs of similar size become one. By levels, a row of a long history is moved more than twice as
  // often, but a file at a time (ADR 0025).
  o.compaction_style =
    by_runs ? rocksdb::kCompactionStyleUniversal : rocksdb::kCompactionStyleLevel;
  o.level_compaction_dynamic_level_bytes = !by_runs;
  o.level0_file_num_compaction_trigger = 8; // runs, or files
  if (by_runs) o.ttl = 0, o.periodic_compaction_seconds = rewritten_after_s;
  o.write_buffer_size =
    static_cast<std::size_t>(std::clamp<std::uint64_t>(how.memory_bytes / 8, 1 << 20, 64 << 20));
  // Most keys are a shard's newest: each shard's insertions start at its last one, not at the head
  // of the skip list. And most rows that an actor looks for are not there yet (ADR 0011).
  o.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  o.memtable_prefix_bloom_size_ratio = 0.01; // some 10 bits for each row
  o.memtable_whole_key_filtering = true;
  return o;
}

// -- the folder ---------------------------------------------------------------------------------

/// What RocksDB leaves of a folder that it was making when the process died, and what may be there
/// besides it.
bool expected_in_new_folder(std::string_view name) {
  for (const std::string_view whole :
    {".", "..", "lost+found", "simulator", "LOCK", "LOG", "IDENTITY", "durable"})
    if (name == whole) return true;
  for (const std::string_view start : {"LOG.old.", "MANIFEST-", "OPTIONS-"})
    if (name.starts_with(start)) return true;
  return name.ends_with(".dbtmp") || name.ends_with(".log");
}

/// A folder without CURRENT: may a database be made in it?
std::optional<failure> prepare_new(const rocks_options& how) {
  auto& on = env_of(how);
  const auto claim = read_claim(on, how.dir);
  if (const auto* why = std::get_if<failure>(&claim)) return *why;
  const auto& before = std::get<0>(claim);
  if (before && (before->sequence > 0 || before->manifest > 0))
    return failure{errc::corrupt,
      in_folder(how.dir, "its database is gone (there is no CURRENT), but " + how.dir
                           + "/durable says that there was one; restore a backup elsewhere")};
  if (!how.create || how.read_only)
    return failure{errc::not_ours, in_folder(how.dir, "holds no Jumun data")};
  std::vector<std::string> names;
  if (const auto s = on.GetChildren(how.dir, &names); !s.ok()) return meaning_of(how.dir, s);
  for (const auto& name : names)
    if (!expected_in_new_folder(name))
      return failure{errc::not_ours,
        in_folder(how.dir, "is not empty and holds no Jumun data; name an empty or new folder")};
  return {};
}

/// Makes the folder, or finds out why there can be no store in it. `is_new`: no RocksDB in it yet.
std::optional<failure> prepare(const rocks_options& how, bool& is_new) {
  auto& on = env_of(how);
  const auto there = on.FileExists(how.dir);
  is_new = true;
  if (there.IsNotFound()) {
    if (!how.create || how.read_only)
      return failure{errc::not_ours, in_folder(how.dir, "there is no such folder")};
    auto why = make_folders(on, how.dir);
    if (why) why->detail = in_folder(how.dir, "cannot be made: " + why->detail);
    return why;
  }
  if (!there.ok()) return meaning_of(how.dir, there);
  bool is_folder = false;
  if (const auto s = on.IsDirectory(how.dir, &is_folder); !s.ok()) return meaning_of(how.dir, s);
  if (!is_folder) return failure{errc::not_ours, in_folder(how.dir, "is not a folder")};
  const auto current = on.FileExists(how.dir + "/CURRENT");
  if (!current.ok() && !current.IsNotFound()) return meaning_of(how.dir, current);
  is_new = current.IsNotFound();
  if (is_new) return prepare_new(how);
  return {};
}

/// DIR/LOCK, taken as RocksDB takes it: for readers, who otherwise would not see a server.
class folder_lock {
public:
  folder_lock() = default;
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;
  ~folder_lock() { give_up(); }
  std::optional<failure> take(rocksdb::Env& on, const std::string& dir) {
    const auto s = on.LockFile(dir + "/LOCK", &lock_);
    on_ = &on;
    if (s.ok()) return {};
    lock_ = nullptr;
    return meaning_of(dir, s);
  }
  void give_up() {
    if (lock_) (void)on_->UnlockFile(std::exchange(lock_, nullptr));
  }

private:
  rocksdb::Env* on_ = nullptr;
  rocksdb::FileLock* lock_ = nullptr;
};

/// Tells the claims that the manifest has grown, before the files that it made obsolete go; and
/// lets nothing that failed be tried again: for a full disk max_bgerror_resume_count has no say,
/// RocksDB would wait for room and go on. A compaction that found no space it would try every
/// second, and take writes until too many runs stand; so the store is told. And its threads work
/// behind all others here, but for them nothing waits for long: a flush of a fifth of a second
/// every three took a core from the orders (ADR 0026).
class database_watch final : public rocksdb::EventListener {
public:
  explicit database_watch(claim_keeper& claims) : claims_(claims) {}
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { stand_back(); }
  void OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { stand_back(); }
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) override {
    claims_.manifest_grew(*db);
  }
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo&) override {
    claims_.manifest_grew(*db);
  }
  void OnErrorRecoveryBegin(
    rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* why) override {
    if (why->IsNoSpace()) found_no_space_ = true;
  }
  [[nodiscard]] bool found_no_space() const { return found_no_space_; }

private:
  /// The calling thread, for good: RocksDB calls this on those of its pools. Not further back:
  /// where all others want the processors, too, a flush must end, or writes stop.
  static void stand_back() {
    constexpr int nice = 10;
    (void)::setpriority(PRIO_PROCESS, 0, std::max(nice, ::getpriority(PRIO_PROCESS, 0)));
  }

  claim_keeper& claims_;
  std::atomic<bool> found_no_space_{false};
};

// -- the store ----------------------------------------------------------------------------------

/// A line for people, and an exception for the actor that reads: it dies, and is restarted; a
/// broken disk climbs. A check of a damaged folder would print thousands: the first few say it.
[[noreturn]] void read_failed(table in, const rocksdb::Status& s) {
  static std::atomic<std::uint64_t> lines_said{0};
  const auto what =
    "storage.read_failed table=" + std::string{name_of(in)} + " error=" + s.ToString();
  if (lines_said.fetch_add(1) < 10) std::fprintf(stderr, "%s\n", what.c_str());
  throw std::runtime_error{what};
}

class rocks_cursor final : public cursor {
public:
  rocks_cursor(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, table in,
    std::string_view from, std::string_view to, direction way)
      : in_(in), way_(way), from_(from), to_(to), low_(from_), high_(to_) {
    rocksdb::ReadOptions o;
    if (!from_.empty()) o.iterate_lower_bound = &low_;
    if (!to_.empty()) o.iterate_upper_bound = &high_;
    at_.reset(db.NewIterator(o, family));
    if (way == direction::forward)
      at_->SeekToFirst(); // both stay inside the bounds
    else
      at_->SeekToLast();
    check();
  }
  bool valid() const override { return at_->Valid(); }
  std::string_view key() const override { return view(at_->key()); }
  std::string_view value() const override { return view(at_->value()); }
  void next() override {
    if (way_ == direction::forward)
      at_->Next();
    else
      at_->Prev();
    check();
  }

private:
  void check() const {
    if (!at_->Valid() && !at_->status().ok()) read_failed(in_, at_->status());
  }
  table in_;
  direction way_;
  std::string from_, to_; // outlive the iterator, which keeps pointers to the slices
  rocksdb::Slice low_, high_;
  std::unique_ptr<rocksdb::Iterator> at_;
};

/// Of a table that an older release's folder does not have.
class no_rows final : public cursor {
public:
  bool valid() const override { return false; }
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  void next() override {}
};

/// In the order of their tables, else as they are: each memtable is then filled in one go, while it
/// is in the processor's caches.
std::vector<const entry*> by_table(const std::vector<entry>& entries) {
  std::array<std::size_t, table_count + 1> at{};
  for (const auto& e : entries) ++at[static_cast<std::size_t>(e.in) + 1];
  std::partial_sum(at.begin(), at.end(), at.begin());
  std::vector<const entry*> sorted(entries.size());
  for (const auto& e : entries) sorted[at[static_cast<std::size_t>(e.in)]++] = &e;
  return sorted;
}

class rocks_store final : public store {
public:
  explicit rocks_store(const rocks_options& how)
      : dir_(how.dir), on_(env_of(how)),
        claims_(how.read_only ? nullptr : std::make_shared<claim_keeper>(on_, dir_)) {}
  [[nodiscard]] const auto& families() const { return handles_; }
  [[nodiscard]] rocksdb::DB* raw() const { return db_.get(); }
  ~rocks_store() override { flush_at_end(), close(); }

  std::optional<failure> open(const rocks_options& how, bool is_new);
  std::optional<failure> check_format(bool may_write);

  std::optional<failure> apply(const std::vector<entry>& entries) override {
    if (watch_->found_no_space()) return meaning_of(dir_, rocksdb::Status::NoSpace());
    std::size_t bytes = 64;
    for (const auto& e : entries) bytes += e.key.size() + (e.value ? e.value->size() : 0) + 16;
    rocksdb::WriteBatch batch{bytes};
    for (const auto* at : by_table(entries)) {
      const auto& e = *at;
      const auto s = e.value ? batch.Put(family(e.in), slice(e.key), slice(*e.value))
                             : batch.Delete(family(e.in), slice(e.key));
      if (!s.ok()) return meaning_of(dir_, s);
    }
    rocksdb::WriteOptions o;
    o.sync = true; // say it here; never lean on the library's default
    if (const auto s = db_->Write(o, &batch); !s.ok())
      return meaning_of(dir_, watch_->found_no_space() ? rocksdb::Status::NoSpace() : s);
    claims_->wrote(db_->GetLatestSequenceNumber()); // before anybody hears that it is durable
    return {};
  }
  std::optional<std::string> get(table in, std::string_view key) const override {
    if (!family(in)) return {};
    std::optional<std::string> value{std::in_place};
    const auto s = db_->Get(rocksdb::ReadOptions{}, family(in), slice(key), &*value);
    if (s.IsNotFound()) return {};
    if (!s.ok()) read_failed(in, s);
    return value;
  }
  std::unique_ptr<cursor> scan(
    table in, std::string_view from, std::string_view to, direction way) const override {
    if (!family(in)) return std::make_unique<no_rows>();
    return std::make_unique<rocks_cursor>(*db_, family(in), in, from, to, way);
  }

  std::uint64_t figure(table in, const char* name) const {
    std::uint64_t n = 0;
    return family(in) && db_->GetIntProperty(family(in), name, &n) ? n : 0;
  }
  /// What RocksDB counts since it was opened, of one table or of all; by its own names.
  std::uint64_t counted(table in, const char* name) const {
    std::map<std::string, std::string> all;
    const bool there =
      family(in) && db_->GetMapProperty(family(in), rocksdb::DB::Properties::kCFStats, &all);
    return there ? number_in(all, name) : 0;
  }
  std::uint64_t counted(const char* name) const { // kept by the default family alone
    std::map<std::string, std::string> all;
    return db_->GetMapProperty(rocksdb::DB::Properties::kDBStats, &all) ? number_in(all, name) : 0;
  }
  static std::uint64_t number_in(const std::map<std::string, std::string>& all, const char* name) {
    const auto found = all.find(name);
    return found == all.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
  }
  std::uint64_t cache_bytes() const { return cache_->GetUsage(); }
  std::uint64_t cache_capacity() const { return cache_->GetCapacity(); }

private:
  /// Null: the folder has no such table, and was opened read-only.
  rocksdb::ColumnFamilyHandle* family(table in) const {
    return families_[static_cast<std::size_t>(in)];
  }
  std::optional<failure> list_families(
    std::vector<std::string>& found, std::vector<std::string>& names, bool is_new, bool read_only);
  std::optional<failure> check_claim(const rocks_options& how, std::optional<durable_claim>& claim);
  std::optional<failure> open_families(
    const rocks_options& how, const std::vector<std::string>& names);
  /// As RocksDB is to see them.
  rocksdb::Env& files() { return sound_ ? *sound_ : on_; }
  void flush_at_end();
  void close();
  bool empty() const;
  std::optional<failure> mark_as_ours();

  std::string dir_;
  rocksdb::Env& on_;
  folder_lock lock_;                      // read-only stores; declared first, given up last
  std::unique_ptr<rocksdb::Env> sound_;   // what RocksDB may read; null: all of the folder
  std::shared_ptr<claim_keeper> claims_;  // null: read-only
  std::shared_ptr<database_watch> watch_; // the same
  std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_; // families_ and those that we don't know
  std::array<rocksdb::ColumnFamilyHandle*, table_count> families_{};
};

std::vector<std::string> our_families() {
  std::vector<std::string> names{rocksdb::kDefaultColumnFamilyName};
  for (std::size_t t = 0; t < table_count; ++t) names.emplace_back(name_of(static_cast<table>(t)));
  return names;
}

failure not_ours(const std::string& dir) {
  return {errc::not_ours, in_folder(dir, "is another program's RocksDB database")};
}

/// A RocksDB with nothing but its default family is ours only while that is empty.
std::optional<failure> refuse_foreign_default(rocksdb::Env& on, const std::string& dir) {
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const std::vector<rocksdb::ColumnFamilyDescriptor> only{
    {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions{}}};
  rocksdb::DBOptions quiet;
  quiet.env = &on;
  quiet.info_log = std::make_shared<forgiving_log>(""); // not a file of ours in their folder
  const auto s = rocksdb::DB::OpenForReadOnly(quiet, dir, only, &handles, &db);
  if (!s.ok()) return meaning_of(dir, s);
  const std::unique_ptr<rocksdb::DB> owned{db};
  bool has_rows = false;
  {
    const std::unique_ptr<rocksdb::Iterator> at{db->NewIterator(rocksdb::ReadOptions{})};
    at->SeekToFirst();
    has_rows = at->Valid();
  }
  for (auto* h : handles) (void)db->DestroyColumnFamilyHandle(h);
  if (has_rows) return not_ours(dir);
  return {};
}

/// All families to open. RocksDB wants every one that exists named; a newer release may have more.
std::optional<failure> rocks_store::list_families(
  std::vector<std::string>& found, std::vector<std::string>& names, bool is_new, bool read_only) {
  names = our_families();
  if (is_new) return {};
  rocksdb::DBOptions quiet;
  quiet.env = &on_;
  const auto s = rocksdb::DB::ListColumnFamilies(quiet, dir_, &found);
  if (!s.ok()) return meaning_of(dir_, s);
  if (std::find(found.begin(), found.end(), name_of(table::meta)) == found.end()) {
    // RocksDB makes `default` first and ours after it, meta before all others.
    if (found.size() > 1 || read_only) return not_ours(dir_);
    if (auto why = refuse_foreign_default(files(), dir_)) return why;
  }
  for (auto& name : found)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  if (read_only) names = found; // it can't make those that are missing
  return {};
}

/// The next start needs not replay what is flushed here; a little, it may. All of it is in the log,
/// too, where this fails, or takes longer than a platform waits for the process's end.
void rocks_store::flush_at_end() {
  using properties = rocksdb::DB::Properties;
  if (!db_ || !claims_) return; // read-only
  std::uint64_t rows = 0, on_their_way = 0;
  (void)db_->GetAggregatedIntProperty(properties::kNumEntriesActiveMemTable, &rows);
  (void)db_->GetAggregatedIntProperty(properties::kNumEntriesImmMemTables, &on_their_way);
  if (rows + on_their_way <= rows_replayed_max) return;
  rocksdb::FlushOptions how;
  how.allow_write_stall = true; // nobody writes; else it might wait for a long compaction
  if (const auto s = db_->Flush(how, handles_); !s.ok())
    std::fprintf(stderr,
      "storage.flush_failed path=%s error=\"%s\" hint=\"the next start replays the log\"\n",
      dir_.c_str(), s.ToString().c_str());
}

void rocks_store::close() {
  if (!db_) return;
  for (auto* family : handles_) (void)db_->DestroyColumnFamilyHandle(family);
  (void)db_->Close();
  handles_.clear();
  families_.fill(nullptr);
  db_.reset();
}

std::optional<failure> rocks_store::open_families(
  const rocks_options& how, const std::vector<std::string>& names) {
  cache_ = rocksdb::NewLRUCache(std::max(how.memory_bytes, memory_bytes_min));
  const bool by_runs = has_room_for_runs(on_, dir_);
  if (by_runs && !how.read_only) rewrite_behind_all_else(on_);
  const auto options = family_options(how, by_runs, cache_);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) families.emplace_back(name, options);
  auto whole = db_options(how, files(), cache_);
  if (claims_) watch_ = std::make_shared<database_watch>(*claims_);
  if (watch_) whole.listeners.push_back(watch_);
  rocksdb::DB* db = nullptr;
  const auto s = how.read_only ? rocksdb::DB::OpenForReadOnly(whole, dir_, families, &handles_, &db)
                               : rocksdb::DB::Open(whole, dir_, families, &handles_, &db);
  if (!s.ok()) return meaning_of(dir_, s);
  db_.reset(db);
  for (std::size_t t = 0; t < table_count; ++t) {
    const auto at = std::find(names.begin(), names.end(), name_of(static_cast<table>(t)));
    if (at != names.end()) families_[t] = handles_[static_cast<std::size_t>(at - names.begin())];
  }
  return {};
}

/// What is claimed of the folder, after the manifest was held against it. Cuts off the manifest's
/// torn end, unless `how` is read-only.
std::optional<failure> rocks_store::check_claim(
  const rocks_options& how, std::optional<durable_claim>& claim) {
  const auto read = read_claim(on_, dir_);
  if (const auto* why = std::get_if<failure>(&read)) return *why;
  claim = std::get<0>(read);
  if (!claim) return {};
  if (auto why = manifest_breaks(*claim, on_, dir_)) return why;
  const auto end = torn_end(*claim, on_, dir_);
  if (!end) return {};
  if (!how.read_only) return cut_manifest(on_, dir_, *end);
  return failure{errc::corrupt,
    in_folder(dir_, "the end of its manifest was torn by a power failure, and nothing acknowledged"
                    " is in it; start the server once, which cuts it off")};
}

/// Looks, read-only, whether all is there that was claimed, before it opens: to open is to make a
/// new manifest, to cut the log where its replay ended, and to delete what seems to be obsolete.
/// Where the logs plainly come as far as that, this costs no replay of its own.
std::optional<failure> rocks_store::open(const rocks_options& how, bool is_new) {
  std::optional<durable_claim> claim;
  std::vector<std::string> found, names;
  if (auto why = lock_.take(on_, dir_)) return why;
  if (!is_new)
    if (auto why = check_claim(how, claim)) return why;
  const auto logs = read_log_ends(on_, dir_);
  if (!logs.foreign.empty()) sound_ = with_torn_ends(on_, logs.foreign);
  if (auto why = list_families(found, names, is_new, how.read_only)) return why;
  if (claim && !how.read_only && !logs.reach(claim->sequence)) {
    auto look = how;
    look.read_only = true;
    if (auto why = open_families(look, found)) return why;
    if (auto why = sequence_breaks(*claim, db_->GetLatestSequenceNumber(), dir_)) return why;
    close();
  }
  if (claims_) {
    claims_->open(is_new);
    lock_.give_up(); // RocksDB takes it itself
  }
  if (auto why = open_families(how, names)) return why;
  if (claim)
    if (auto why = sequence_breaks(*claim, db_->GetLatestSequenceNumber(), dir_)) return why;
  if (claims_) claims_->follow(*db_);
  return {};
}

bool rocks_store::empty() const {
  for (std::size_t t = 0; t < table_count; ++t)
    if (scan(static_cast<table>(t), {}, {}, direction::forward)->valid()) return false;
  return true;
}

std::optional<failure> rocks_store::mark_as_ours() {
  return apply({{table::meta, std::string{shard_hash_key}, std::string{domain::shard_hash_name}},
    {table::meta, std::string{format_key}, std::to_string(data_format)}});
}

/// Ours, of our format or older, and with our hash: or why not.
std::optional<failure> rocks_store::check_format(bool may_write) {
  const auto format = get(table::meta, format_key);
  if (!format) {
    if (may_write && empty()) return mark_as_ours();
    return failure{errc::not_ours, in_folder(dir_, "holds no Jumun data, or not all of it")};
  }
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(format->data(), format->data() + format->size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != format->data() + format->size())
    return failure{errc::corrupt, in_folder(dir_, "its data format is not a number")};
  if (number > data_format)
    return failure{errc::newer_format,
      in_folder(dir_, "found data format " + std::to_string(number) + ", this release reads up to "
                        + std::to_string(data_format) + "; start the newer release")};
  const auto hash = get(table::meta, shard_hash_key);
  if (hash == domain::shard_hash_name) {
    if (!may_write || number == data_format) return {};
    return apply({{table::meta, std::string{format_key}, std::to_string(data_format)}});
  }
  return failure{
    errc::not_ours, in_folder(dir_, "its shards are cut by " + hash.value_or("an unknown hash")
                                      + ", ours by " + std::string{domain::shard_hash_name})};
}
} // namespace

std::variant<std::shared_ptr<store>, failure> open_rocks(const rocks_options& how) {
  bool is_new = false;
  if (auto why = prepare(how, is_new)) return *why;
  auto opened = std::make_shared<rocks_store>(how);
  try {
    if (auto why = opened->open(how, is_new)) return *why;
    if (auto why = opened->check_format(!how.read_only)) return *why;
  } catch (const std::runtime_error& unreadable) { // from a read in check_format()
    return failure{errc::corrupt, in_folder(how.dir, unreadable.what())};
  }
  return std::shared_ptr<store>{std::move(opened)};
}

rocksdb::DB* raw_database(store& disk) {
  auto* rocks = dynamic_cast<rocks_store*>(&disk);
  return rocks ? rocks->raw() : nullptr;
}

std::vector<rocksdb::ColumnFamilyHandle*> raw_families(store& disk) {
  const auto* rocks = dynamic_cast<const rocks_store*>(&disk);
  return rocks ? rocks->families() : std::vector<rocksdb::ColumnFamilyHandle*>{};
}

std::vector<std::pair<std::string, std::uint64_t>> rocks_figures(const store& disk) {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  const auto* rocks = dynamic_cast<const rocks_store*>(&disk);
  if (!rocks) return out;
  std::uint64_t slowed = 0, stopped = 0;
  for (std::size_t i = 0; i < table_count; ++i) {
    const auto t = static_cast<table>(i);
    slowed += rocks->counted(t, "io_stalls.total_slowdown");
    stopped += rocks->counted(t, "io_stalls.total_stop");
    const std::string name{name_of(t)};
    out.emplace_back(name + ".rows_estimated", rocks->figure(t, "rocksdb.estimate-num-keys"));
    out.emplace_back(name + ".file_bytes", rocks->figure(t, "rocksdb.total-sst-files-size"));
    out.emplace_back(name + ".memory_bytes", rocks->figure(t, "rocksdb.cur-size-all-mem-tables"));
    out.emplace_back(
      name + ".live_bytes_estimated", rocks->figure(t, "rocksdb.estimate-live-data-size"));
    out.emplace_back(name + ".compaction_pending_bytes",
      rocks->figure(t, "rocksdb.estimate-pending-compaction-bytes"));
  }
  const auto whole = [&](const char* name, const char* property) {
    out.emplace_back(name, rocks->figure(table::meta, property));
  };
  whole("writes_stopped", "rocksdb.is-write-stopped");
  whole("write_rate_delayed", "rocksdb.actual-delayed-write-rate");
  whole("compactions_running", "rocksdb.num-running-compactions");
  whole("flushes_running", "rocksdb.num-running-flushes");
  whole("background_errors", "rocksdb.background-errors");
  out.emplace_back("wal_bytes_written", rocks->counted("db.wal_bytes_written"));
  out.emplace_back("wal_syncs", rocks->counted("db.wal_syncs"));
  out.emplace_back("write_stall_us", rocks->counted("db.user_write_stall_micros"));
  out.emplace_back("writes_slowed", slowed);
  out.emplace_back("writes_held_up", stopped);
  out.emplace_back("cache_bytes", rocks->cache_bytes());
  out.emplace_back("cache_bytes_max", rocks->cache_capacity());
  return out;
}
} // namespace jumun::storage
