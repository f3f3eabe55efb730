#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class Env;
}

namespace jumun::storage {
/// Walks one write-ahead log, a block at a time, without making anything of it but its last
/// sequence: a tenth of what its replay costs (docs/adr/0014).
class log_walk {
public:
  /// The next `log_block_bytes`, or the log's end. What lies behind a record that is broken, or cut
  /// off, or of a kind that ours don't have, counts for `foreign` alone.
  void block(std::string_view bytes);
  /// Of the last operation in a record that is whole; 0: none was seen.
  [[nodiscard]] std::uint64_t last_sequence() const { return last_; }
  /// No record is cut off.
  [[nodiscard]] bool whole() const { return sound_ && !inside_; }
  /// Bytes up to the end of the last record that is whole in all its parts.
  [[nodiscard]] std::uint64_t sound_bytes() const { return sound_bytes_; }
  /// Where a record should begin is one of a kind that ours don't have.
  [[nodiscard]] bool foreign() const { return foreign_; }

private:
  bool sound_ = true, inside_ = false, foreign_ = false;
  std::string head_; // of the record's write batch; a block may end in it
  std::uint64_t last_ = 0, blocks_bytes_ = 0, sound_bytes_ = 0;
};

/// A log that RocksDB must not read to its end: the reader of its releases 9.x spins for ever at a
/// record of a recycled log in one that is none (facebook/rocksdb#13333), as damage may look like.
struct foreign_log {
  std::string name;              // in the folder
  std::uint64_t sound_bytes = 0; // up to the end of its last whole record
};

/// What a replay of a folder's logs comes to.
struct log_ends {
  std::uint64_t last_sequence = 0;
  bool sure = true; // all logs are whole, but for the last one's end; false: who knows
  std::vector<foreign_log> foreign;
  /// Whether a replay is sure to come to `sequence`.
  [[nodiscard]] bool reach(std::uint64_t sequence) const {
    return sure && last_sequence >= sequence;
  }
};
/// Blocks: reads all logs of the folder.
[[nodiscard]] log_ends read_log_ends(rocksdb::Env& on, const std::string& dir);

/// `on` with those logs torn where they are no longer sound, so that RocksDB sees that something is
/// missing there, and its own rules hold. `on` must outlive it.
[[nodiscard]] std::unique_ptr<rocksdb::Env> with_torn_ends(
  rocksdb::Env& on, std::vector<foreign_log> logs);
} // namespace jumun::storage
