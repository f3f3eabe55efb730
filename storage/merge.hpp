#pragma once
#include "domain/page_cursor.hpp"
#include "domain/shard_set.hpp"
#include "storage/store.hpp"

/// Private to storage: one order over all shards, and the texts that say where a page ended.
namespace jumun::storage {
/// Walks one table over all shards at once, in the order of what follows the shard in its keys.
/// Holds one cursor per shard that has rows; not thread-safe.
class merged_cursor {
public:
  /// Starts behind `after`, a whole key (empty: at the start). `low` and `high` bound what follows
  /// the shard, as in store::scan; empty: no bound.
  merged_cursor(const store& disk, table in, direction way, std::string_view after,
    std::string_view low = {}, std::string_view high = {},
    const domain::shard_set& only = domain::all_shards());
  [[nodiscard]] bool valid() const { return !heap_.empty(); }
  [[nodiscard]] std::string_view key() const { return heap_.front()->key(); }
  [[nodiscard]] std::string_view value() const { return heap_.front()->value(); }
  void next();

private:
  [[nodiscard]] bool later(const cursor& a, const cursor& b) const;
  direction way_;
  std::vector<std::unique_ptr<cursor>> heap_; // front: the next row
};

using domain::cursor_text;
using domain::parse_cursor;
} // namespace jumun::storage
