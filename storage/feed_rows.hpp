#pragma once
#include "domain/ids.hpp"
#include "storage/store.hpp"

/// Rows of the feed: the events of one shard that became durable in one commit are one row. Its key
/// has the offset of the last of them, so that whoever looks for an offset finds its row by seeking
/// to that; it keeps that key when retention has taken some of them, the last one too. Releases
/// before 0.2 wrote a row for each event; those are read as runs of one.
namespace jumun::storage {
/// An event's place in the feed.
struct fed {
  std::uint64_t offset = 0;
  std::string in_history; // its key there
  bool operator==(const fed&) const = default;
};

/// One that is about to be written: its key lives elsewhere.
struct to_feed {
  std::uint64_t offset = 0;
  std::string_view in_history;
};

/// The row under `key`. @pre `run` is not empty, of the key's shard, by rising offset up to the
/// key's
[[nodiscard]] entry feed_row(std::string key, const std::vector<to_feed>& run);
/// The inverse, of a row's key and value; nullopt: it is damaged.
[[nodiscard]] std::optional<std::vector<fed>> read_feed_row(
  std::string_view key, std::string_view value);

/// Walks the feed of all shards by rising offset, from `first` to `last` and with both (0: to its
/// end). Not thread-safe. Damaged rows are passed over: `jumun check` names them.
class feed_cursor {
public:
  feed_cursor(const store& disk, std::uint64_t first, std::uint64_t last);
  /// From an offset of each shard's own; nullopt: that shard is left out.
  using first_of_shard = std::function<std::optional<std::uint64_t>(domain::shard_id)>;
  feed_cursor(const store& disk, const first_of_shard& first, std::uint64_t last);
  [[nodiscard]] bool valid() const { return !heap_.empty(); }
  [[nodiscard]] const fed& at() const { return heap_.front().run[heap_.front().next]; }
  [[nodiscard]] domain::shard_id shard() const {
    return static_cast<domain::shard_id>(row_key().front());
  }
  /// Of the row that it is in.
  [[nodiscard]] std::string_view row_key() const { return heap_.front().rows->key(); }
  void next();

private:
  struct part { // of one shard
    std::unique_ptr<cursor> rows;
    std::vector<fed> run; // of the row that it is at
    std::size_t next = 0; // in `run`
    std::uint64_t first = 0;
  };
  [[nodiscard]] bool settle(part& p) const;
  std::uint64_t last_;
  std::vector<part> heap_; // front: the next one
};
} // namespace jumun::storage
