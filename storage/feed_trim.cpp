#include "storage/feed_trim.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include "storage/feed_rows.hpp"
#include <algorithm>
#include <map>

namespace jumun::storage {
namespace {
static_assert(2 * limits::retention_batch + 1 <= limits::write_set_entries_max);

bool belongs_to_open_order(const store& disk, std::string_view in_history) {
  constexpr std::size_t id_bytes = 16;
  if (in_history.size() < 2 + id_bytes || in_history[1] != 'o') return false;
  return disk.get(table::open_sagas, in_history.substr(2, id_bytes)).has_value();
}

/// Offsets in [first, last]; last 0: to the end.
std::vector<old_event> read_between(
  const store& disk, std::uint64_t first, std::uint64_t last, std::size_t limit) {
  std::vector<old_event> out;
  for (feed_cursor at{disk, first, last}; at.valid() && out.size() < limit; at.next()) {
    old_event e;
    e.feed_key = at.row_key(), e.history_key = at.at().in_history;
    e.offset = at.at().offset;
    const auto row = disk.get(table::history, e.history_key);
    auto fact = row ? decode<domain::event>(*row) : std::nullopt;
    if (!fact) break; // damage is for `jumun check` to find, not for us to delete
    e.fact = std::move(*fact);
    e.bytes = 2 * e.history_key.size() + (row ? row->size() : 0);
    e.order_open = belongs_to_open_order(disk, e.history_key);
    out.push_back(std::move(e));
  }
  return out;
}
} // namespace

std::vector<old_event> read_oldest(const store& disk, std::uint64_t after, std::size_t limit) {
  const auto last = read_last_offset(disk);
  if (last <= after) return {};
  return read_between(disk, after + 1, last, limit);
}

std::vector<old_event> read_left_behind(
  const store& disk, std::uint64_t from, std::uint64_t low_water, std::size_t limit) {
  if (from > low_water) return {};
  return read_between(disk, from, low_water, limit);
}

write_set trimming(
  const store& disk, const std::vector<old_event>& these, std::uint64_t low_water) {
  JUMUN_INVARIANT(these.size() <= limits::retention_batch, "a batch of retention is bounded");
  write_set set;
  set.epoch = of_no_shard; // each copy of a shard is trimmed by itself
  std::map<std::string, std::vector<std::uint64_t>> taken; // offsets, by the feed's row
  for (const auto& e : these) {
    if (e.order_open) continue;
    taken[e.feed_key].push_back(e.offset);
    set.entries.push_back({table::history, e.history_key, {}});
  }
  for (const auto& [key, offsets] : taken) {
    auto run = read_feed_row(key, disk.get(table::feed, key).value_or(""));
    if (!run) continue; // it was readable a moment ago; `jumun check` finds what it is now
    std::vector<to_feed> rest;
    for (const auto& e : *run)
      if (std::find(offsets.begin(), offsets.end(), e.offset) == offsets.end())
        rest.push_back({e.offset, e.in_history});
    set.entries.push_back(rest.empty() ? entry{table::feed, key, {}} : feed_row(key, rest));
  }
  set.entries.push_back(low_water_row(low_water));
  return set;
}
} // namespace jumun::storage
