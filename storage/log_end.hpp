#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rocksdb {
class Env;
}

namespace jumun::storage {
/// Walks one write-ahead log, a block at a time, without making anything of it but its last
/// sequence: a tenth of what its replay costs (docs/adr/0014).
class log_walk {
public:
  /// The next `log_block_bytes`, or the log's end. False: a record is broken, or cut off, or of a
  /// kind that ours don't have; nothing behind it is looked at.
  bool block(std::string_view bytes);
  /// Of the last operation in a record that is whole; 0: none was seen.
  [[nodiscard]] std::uint64_t last_sequence() const { return last_; }
  /// No record is cut off.
  [[nodiscard]] bool whole() const { return sound_ && !inside_; }

private:
  bool sound_ = true, inside_ = false;
  std::uint64_t pending_ = 0, last_ = 0;
};

/// Whether a replay of the folder's logs is sure to come to `sequence`: all of them are whole, but
/// for the last one's end, and that one has it. False: who knows. Blocks: reads all of them.
[[nodiscard]] bool logs_reach(std::uint64_t sequence, rocksdb::Env& on, const std::string& dir);
} // namespace jumun::storage
