#pragma once
#include "domain/limits.hpp"
#include "domain/shard_set.hpp"
#include "storage/journal.hpp"
#include <algorithm>

/// What retention takes from the feed: from its begin on, each event with its row in history; but
/// nothing of an order that is open. What was left behind for that reason stays in both tables,
/// below its shard's low-water mark, where no reader of the feed comes by.
namespace jumun::storage {
/// Events in one write set: each deletes a row and writes one at most, and marks are moved.
inline constexpr std::size_t trim_batch_max =
  std::min(limits::retention_batch, (limits::write_set_entries_max - domain::shard_count - 1) / 2);

struct old_event {
  std::string feed_key, history_key; // the feed's row may have others besides
  domain::event fact;
  std::uint64_t offset = 0;
  std::size_t bytes = 0;   // of its row, and in the feed's
  bool order_open = false; // durably
};
/// Of these shards the next `limit` events behind their low-water marks, by offset. May block.
[[nodiscard]] std::vector<old_event> read_oldest(
  const store& disk, const domain::shard_set& of, std::size_t limit);
/// Of each of these shards the next one, where there is one. May block.
[[nodiscard]] std::vector<old_event> read_oldest_of_each(
  const store& disk, const domain::shard_set& of);
/// Those that were left behind, at or below the marks, from `from` on.
[[nodiscard]] std::vector<old_event> read_left_behind(
  const store& disk, const domain::shard_set& of, std::uint64_t from, std::size_t limit);
/// Deletes those of no open order, and moves the marks of these shards up to `low_water` (0: they
/// stay). Not fenced: each copy of a shard is trimmed by itself. Reads the feed's rows, of which
/// parts may stay. @pre at most trim_batch_max events, all of them durable
[[nodiscard]] write_set trimming(const store& disk, const std::vector<old_event>& these,
  const domain::shard_set& of, std::uint64_t low_water);
} // namespace jumun::storage
