#pragma once
#include "domain/ids.hpp"
#include "storage/commit_log.hpp"
#include "storage/store.hpp"

/// A shard's rows on their way to another node's folder (DESIGN §8, a move): read in pieces while
/// they still change, what changes meanwhile by journal::tap, and written by the other's journal.
namespace jumun::storage {
/// Whether the keys of `t` begin with the shard that their rows belong to.
[[nodiscard]] bool sharded(table t);

/// Walks all rows of one shard. Each table is seen as it was when the walk came to it: with a tap
/// from before the first call, and what it tells written behind, nothing is missed. Not
/// thread-safe.
class shard_reader {
public:
  /// `disk` outlives this.
  shard_reader(const store& disk, domain::shard_id shard) : disk_(disk), shard_(shard) {}
  /// The next rows: about `bytes` of keys and values, at least one row, at most a write set's
  /// (limits::write_set_entries_max). Empty: that was all. Blocks on the disk.
  [[nodiscard]] std::vector<entry> next(std::size_t bytes);

private:
  const store& disk_;
  domain::shard_id shard_;
  std::size_t table_ = 0; // what is walked, or comes next
  std::unique_ptr<cursor> at_;
};

/// Deletes for the next rows of `from`, as `next` gives them: to empty a shard piece by piece.
[[nodiscard]] std::vector<entry> deletes_of(std::vector<entry> rows);

/// The rows of one part of a commit: by encode_rows() the bytes that a replica of its shard needs.
[[nodiscard]] std::vector<entry> rows_of(const log_batch& batch, std::uint16_t part);

/// Rows for the wire: a protobuf message of rows.proto, tables by name.
[[nodiscard]] std::string encode_rows(const std::vector<entry>& rows);
/// nullopt: damaged, of a table that this release doesn't know, or not of `shard`.
[[nodiscard]] std::optional<std::vector<entry>> decode_rows(
  std::string_view bytes, domain::shard_id shard);

/// What a folder holds of a shard that it is given. Until it is complete, none of its rows counts.
struct shard_copy {
  domain::epoch_id epoch = 0; // at which the taker will own it
  std::string from;           // the node that gives it
  std::string move;           // tells one try from the next
  bool complete = false;
};
/// In meta.
[[nodiscard]] std::string shard_copy_key(domain::shard_id shard);
[[nodiscard]] std::string encode(const shard_copy& c);
[[nodiscard]] std::optional<shard_copy> decode_copy(std::string_view row);

/// That a shard was given away at this epoch: its rows here don't count any more, even if the map
/// doesn't say so yet.
struct shard_given {
  domain::epoch_id epoch = 0; // at which it was served here
  std::string to;             // the node that has it
};
/// In meta.
[[nodiscard]] std::string shard_given_key(domain::shard_id shard);
[[nodiscard]] std::string encode(const shard_given& g);
[[nodiscard]] std::optional<shard_given> decode_given(std::string_view row);
} // namespace jumun::storage
