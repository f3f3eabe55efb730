#pragma once
#include "storage/store.hpp"
#include <mutex>
#include <variant>

namespace rocksdb {
class DB;
class Env;
class RandomRWFile;
} // namespace rocksdb

/// DIR/durable: what is surely on disk, kept beside the database, because the database can't know:
/// a replay that stops early, at a record that was damaged after its sync, looks to it like a log
/// that ends there (ADR 0009). Two slots, written by turns and never synced: what they say was
/// durable before they said it, so that an older state of this file only claims less.
namespace jumun::storage {
struct durable_claim {
  std::uint64_t sequence = 0;       // RocksDB's, after a write that was synced
  std::uint64_t manifest = 0;       // number of the manifest in force; 0: nothing is said of it
  std::uint64_t manifest_bytes = 0; // of it, that were synced
  std::uint32_t manifest_crc = 0;   // crc32c of these bytes
};

/// The newest slot that is whole; nullopt: nothing is claimed (no such file: an older release's
/// folder, a restored backup, or an operator who accepts the loss). Blocks.
[[nodiscard]] std::variant<std::optional<durable_claim>, failure> read_claim(
  rocksdb::Env& on, const std::string& dir);
/// The manifest that CURRENT names; nullopt: CURRENT is damaged, or can't be read.
struct manifest_name {
  std::string text;
  std::uint64_t number = 0;
};
[[nodiscard]] std::optional<manifest_name> manifest_in_force(
  rocksdb::Env& on, const std::string& dir);
[[nodiscard]] std::optional<std::string> read_whole(rocksdb::Env& on, const std::string& path);

/// Corrupt: CURRENT or the manifest is not what was durable. To be asked before the database is
/// opened, which would make a new manifest and delete what the damaged one does not name.
[[nodiscard]] std::optional<failure> manifest_breaks(
  const durable_claim& claim, rocksdb::Env& on, const std::string& dir);
/// Corrupt: the database that was opened ends before what was durable.
[[nodiscard]] std::optional<failure> sequence_breaks(
  const durable_claim& claim, std::uint64_t last_sequence, const std::string& dir);

/// Keeps DIR/durable while a database is open. Thread-safe. A claim that can't be written is lost
/// and no failure: the writes themselves are on disk, and the older claim stays true.
class claim_keeper {
public:
  claim_keeper(rocksdb::Env& on, std::string dir);
  ~claim_keeper();
  claim_keeper(const claim_keeper&) = delete;
  claim_keeper& operator=(const claim_keeper&) = delete;

  /// Makes the file, durably, or goes on in it. A new one says that nothing was durable: of a
  /// database that is being made. Blocks for a sync.
  void open(bool is_new);
  /// From now on claims what `db` has. @pre all that is in it is durable
  void follow(rocksdb::DB& db);
  /// After each synced write: `last_sequence` is on disk. One pwrite.
  void wrote(std::uint64_t last_sequence);
  /// After the manifest in force has grown or changed. Reads what is new in it, and syncs: what
  /// lies behind this claim, and is broken, a power cut may have torn.
  void manifest_grew(rocksdb::DB& db);

private:
  bool make_file(const std::string& first_slot);
  void look_at_manifest(rocksdb::DB& db);
  void put();

  rocksdb::Env& on_;
  const std::string dir_;
  std::mutex reading_; // the manifest; taken before guard_
  std::mutex guard_;
  std::unique_ptr<rocksdb::RandomRWFile> file_; // null: nothing is claimed
  durable_claim now_;
  std::uint64_t counter_ = 0; // of claims that were put into a slot, over all lives of the file
  bool follows_ = false, said_so_ = false;
};
} // namespace jumun::storage
