#include "storage/backup.hpp"
#include "storage/folders.hpp"
#include "storage/holdings.hpp"
#include "storage/rocks_raw.hpp"
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

namespace jumun::storage {
namespace {
rocksdb::Env& env_of(rocksdb::Env* on) { return on ? *on : *rocksdb::Env::Default(); }

failure failed(const std::string& dir, const rocksdb::Status& s) {
  const auto code = s.IsNoSpace() ? errc::full : s.IsCorruption() ? errc::corrupt : errc::io_failed;
  return {code, "backups in " + dir + ": " + s.ToString()};
}

backup told(const rocksdb::BackupInfo& b) {
  return {b.backup_id, std::int64_t{b.timestamp} * 1'000, b.size, b.number_files};
}

template <class Engine> using opened = std::variant<std::unique_ptr<Engine>, failure>;

opened<rocksdb::BackupEngine> open_engine(rocksdb::Env& on, const std::string& dir) {
  if (auto why = make_folders(on, dir))
    return failure{why->code, "backups in " + dir + ": " + why->detail};
  rocksdb::BackupEngineOptions how{dir};
  how.sync = true; // say it here; never lean on the library's default
  rocksdb::BackupEngine* engine = nullptr;
  const auto s = rocksdb::BackupEngine::Open(&on, how, &engine);
  if (!s.ok()) return failed(dir, s);
  return std::unique_ptr<rocksdb::BackupEngine>{engine};
}

opened<rocksdb::BackupEngineReadOnly> open_to_read(
  rocksdb::Env& on, const std::string& dir) {
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const auto s =
    rocksdb::BackupEngineReadOnly::Open(&on, rocksdb::BackupEngineOptions{dir}, &engine);
  if (!s.ok()) return failed(dir, s);
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>{engine};
}
} // namespace

std::variant<backup, failure> make_backup(
  store& disk, const std::string& dir, std::uint32_t keep, const std::atomic<bool>& stop) {
  auto opened = open_engine(*raw_database(disk)->GetEnv(), dir);
  if (auto* why = std::get_if<failure>(&opened)) return *why;
  auto& engine = *std::get<0>(opened);
  rocksdb::CreateBackupOptions how;
  how.progress_callback = [&] {
    if (stop.load()) engine.StopBackup();
  };
  rocksdb::BackupID id = 0;
  if (const auto s = engine.CreateNewBackup(how, raw_database(disk), &id); !s.ok())
    return failed(dir, s);
  if (const auto s = engine.PurgeOldBackups(keep); !s.ok()) return failed(dir, s);
  rocksdb::BackupInfo made;
  if (const auto s = engine.GetBackupInfo(id, &made); !s.ok()) return failed(dir, s);
  return told(made);
}

std::variant<std::vector<backup>, failure> list_backups(
  const std::string& dir, rocksdb::Env* on) {
  if (env_of(on).FileExists(dir).IsNotFound()) return std::vector<backup>{};
  auto opened = open_to_read(env_of(on), dir);
  if (auto* why = std::get_if<failure>(&opened)) return *why;
  std::vector<rocksdb::BackupInfo> found;
  std::get<0>(opened)->GetBackupInfo(&found);
  std::vector<backup> newest_first;
  for (auto b = found.rbegin(); b != found.rend(); ++b) newest_first.push_back(told(*b));
  return newest_first;
}

std::optional<failure> restore_newest_backup(
  const std::string& dir, const std::string& data_dir, rocksdb::Env* on) {
  auto& files = env_of(on);
  if (!files.FileExists(data_dir + "/CURRENT").IsNotFound())
    return failure{errc::not_ours,
      "data folder " + data_dir + " holds a database; a backup is restored into an empty one"};
  bool is_folder = false;
  if (!files.IsDirectory(dir, &is_folder).ok() || !is_folder)
    return failure{errc::io_failed, "backups in " + dir + ": there is no such folder"};
  auto opened = open_to_read(files, dir);
  if (auto* why = std::get_if<failure>(&opened)) return *why;
  if (auto why = make_folders(files, data_dir)) return why;
  const auto s = std::get<0>(opened)->RestoreDBFromLatestBackup(data_dir, data_dir);
  if (!s.ok()) return failed(dir, s);
  // What the folder's database of before had made durable is not in the backup, nor lost with it.
  (void)files.DeleteFile(data_dir + "/durable");
  const auto mark = data_dir + "/" + restored_mark;
  const auto marked = rocksdb::WriteStringToFile(&files, "", mark, /*should_sync=*/true);
  return marked.ok() ? std::nullopt : std::optional{failed(dir, marked)};
}
} // namespace jumun::storage
