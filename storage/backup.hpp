#pragma once
#include "storage/store.hpp"
#include <atomic>
#include <variant>

namespace rocksdb {
class Env;
}

namespace jumun::storage {
struct backup {
  std::uint32_t id = 0;
  std::int64_t created_ms = 0;
  std::uint64_t bytes = 0, files = 0;
};

/// Copies what an open store of open_rocks() holds into `dir`, by RocksDB's BackupEngine: online
/// (writes go on; the backup is the state between two commits), incremental, checksummed, synced.
/// Keeps the newest `keep`. Blocks for as long as copying takes; `stop` set meanwhile ends it with
/// a failure, and leaves nothing half.
[[nodiscard]] std::variant<backup, failure> make_backup(
  store& disk, const std::string& dir, std::uint32_t keep, const std::atomic<bool>& stop);

/// What is in `dir`, newest first; nothing where there is no such folder. Blocks. `on`: as in
/// rocks_options.
[[nodiscard]] std::variant<std::vector<backup>, failure> list_backups(
  const std::string& dir, rocksdb::Env* on = nullptr);

/// Makes `data_dir` of the newest backup in `dir`. Refuses a folder that holds a database already.
/// Blocks. The checksum of each file is verified. Durable when it returns.
[[nodiscard]] std::optional<failure> restore_newest_backup(
  const std::string& dir, const std::string& data_dir, rocksdb::Env* on = nullptr);
} // namespace jumun::storage
