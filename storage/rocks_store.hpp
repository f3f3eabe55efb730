#pragma once
#include "storage/store.hpp"
#include <variant>

namespace rocksdb {
class Env;
}

namespace jumun::storage {
/// What the folder's tables and keys mean; kept in its meta table. A newer one is refused.
/// An older one becomes this one when it is opened to be written.
inline constexpr std::uint32_t data_format = 2; // 2: a row of the feed is a run of events

struct rocks_options {
  std::string dir;
  std::uint64_t memory_bytes = 256ULL << 20; // block cache + write buffers, one budget
  bool create = true;
  bool read_only = false; // for `jumun check`: refuses while a server holds the folder
  /// Whose files and background threads: what recovers, locks and keeps claims goes through it.
  /// Null: the machine's. Must outlive the store. RocksDB's LOG is written for the machine's alone.
  rocksdb::Env* env = nullptr;
};
/// Opens (or makes) a data folder: checks that it is ours, of our format or older, with our shard
/// hash, held by nobody else, and that all is there which DIR/durable says was on disk (else
/// corrupt, and nothing was touched). failure.detail says what to do. Blocks; replays the log since
/// the last flush, twice: once to look.
[[nodiscard]] std::variant<std::shared_ptr<store>, failure> open_rocks(const rocks_options& how);

/// Key figures for people: files, bytes per table, stalls; name → value.
[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> rocks_figures(const store& disk);
} // namespace jumun::storage
