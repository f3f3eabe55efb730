#pragma once
#include "storage/journal.hpp"

/// What retention takes from the feed: from its begin on, each event with its row in history; but
/// nothing of an order that is open. What was left behind for that reason stays in both tables,
/// below the low-water mark, where no reader of the feed comes by.
namespace jumun::storage {
struct old_event {
  std::string feed_key, history_key; // the feed's row may have others besides
  domain::event fact;
  std::uint64_t offset = 0;
  std::size_t bytes = 0;   // of its row, and in the feed's
  bool order_open = false; // durably
};
/// The next `limit` events of the feed behind `after`, oldest first. May block.
[[nodiscard]] std::vector<old_event> read_oldest(
  const store& disk, std::uint64_t after, std::size_t limit);
/// Those that were left behind, at or below `low_water`, from `from` on.
[[nodiscard]] std::vector<old_event> read_left_behind(
  const store& disk, std::uint64_t from, std::uint64_t low_water, std::size_t limit);
/// Deletes those of no open order, and moves the low-water mark. Not fenced: it belongs to no
/// shard. Reads the feed's rows, of which parts may stay. @pre at most limits::retention_batch
/// events, all of them durable
[[nodiscard]] write_set trimming(
  const store& disk, const std::vector<old_event>& these, std::uint64_t low_water);
} // namespace jumun::storage
