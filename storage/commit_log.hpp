#pragma once
#include "domain/ids.hpp"
#include "storage/store.hpp"

namespace jumun::storage {
/// One shard's share of a commit. Durable whole or not at all.
struct log_part {
  domain::shard_id shard = 0;
  domain::epoch_id epoch = 0; // of the owner who appends
  std::uint64_t seq = 0;      // one more than that of the shard's append before, see open()
};

/// What one commit writes: rows in their order, and the part that each belongs to.
struct log_batch {
  /// Rows of no shard: what this node alone has to know (its map, its cursors). They are written
  /// where its shards' rows are, and no replica needs them.
  static constexpr std::uint16_t own = UINT16_MAX;

  std::vector<log_part> parts;
  std::vector<entry> rows;
  std::vector<std::uint16_t> part_of; // of each row: an index into `parts`, or `own`

  void add(entry row, std::uint16_t part) {
    rows.push_back(std::move(row));
    part_of.push_back(part);
  }
};

/// What became of one part. Refused and unknown are different answers.
enum class appended : std::uint8_t {
  ok = 1,  // it is durable. A repetition of what is there already is ok, and does nothing
  fenced,  // the shard has a newer owner: nothing was written, nor ever will be
  gap,     // a part before it is missing, or the shard was not opened: nothing was written
  unknown, // it may be durable, now or later. Only the same part again, or open(), can tell
};
struct append_outcome {
  std::vector<appended> parts; // one for each of the batch's
  /// Why this log can't be appended to any more, by this process; its parts are unknown then. The
  /// batch's own rows are durable when this is empty.
  std::optional<failure> broken;
};

/// Port of the commit path (DESIGN §8, ADR 0020): where write sets become durable.
/// `append(shard, epoch, seq, bytes) → ok | fenced | unknown`, for all shards of a commit at once.
/// `local_log` is this node's disk; a replicated log can stand behind the same calls, and has to
/// pass tests/support/commit_log_conformance.hpp. Called by one thread at a time, the committer's.
class commit_log {
public:
  virtual ~commit_log() = default;
  /// The shard's owner at `epoch` begins to append, or goes on after a restart. From here on what
  /// comes at a lower epoch is fenced, and what became of earlier appends is decided. May block.
  /// @returns the last seq of this epoch, the next one is one more; nullopt: it is fenced itself.
  [[nodiscard]] virtual std::optional<std::uint64_t> open(
    domain::shard_id shard, domain::epoch_id epoch) = 0;
  /// Blocks until each part is decided, or can't be for now: then the same batch may be appended
  /// again, as often as it takes. Parts of one shard take effect in the order of seq.
  [[nodiscard]] virtual append_outcome append(const log_batch& batch) = 0;
};
} // namespace jumun::storage
