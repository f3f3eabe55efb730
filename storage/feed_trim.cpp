#include "storage/feed_trim.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include "storage/feed_rows.hpp"
#include "storage/queries.hpp"
#include <algorithm>
#include <map>

namespace jumun::storage {
namespace {

bool belongs_to_open_order(const store& disk, std::string_view in_history) {
  constexpr std::size_t id_bytes = 16;
  if (in_history.size() < 2 + id_bytes || in_history[1] != 'o') return false;
  return disk.get(table::open_sagas, in_history.substr(2, id_bytes)).has_value();
}

/// Of all shards the mark that they share is moved, and those that some have of their own; of some
/// shards theirs alone.
void raise_marks(
  const store& disk, const domain::shard_set& of, std::uint64_t to, std::vector<entry>& out) {
  auto shared = low_water_row(to);
  const auto now = disk.get(table::meta, shared.key);
  if (of.all() && (!now || *now < *shared.value)) out.push_back(std::move(shared)); // big-endian
  const auto low = read_low_water(disk);
  for (const auto s : domain::numbers_of(of)) {
    const auto shard = static_cast<domain::shard_id>(s);
    auto own = low_water_row(shard, to);
    if (low.of[shard] >= to || (of.all() && !disk.get(table::meta, own.key))) continue;
    out.push_back(std::move(own));
  }
}

std::vector<old_event> read_events(
  const store& disk, feed_cursor at, const domain::feed_position* most, std::size_t limit) {
  std::vector<old_event> out;
  for (; at.valid() && out.size() < limit; at.next()) {
    if (most && at.at().offset > most->of[at.shard()]) continue;
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
/// Up to the bounds' last: all of that was durable before the cursors are opened.
std::vector<old_event> read_behind(
  const store& disk, const feed_bounds& bounds, const domain::shard_set& of, std::size_t limit) {
  if (bounds.last == 0) return {};
  const auto first = [&](domain::shard_id s) {
    return of[s] ? std::optional{bounds.low.of[s] + 1} : std::nullopt;
  };
  return read_events(disk, feed_cursor{disk, first, bounds.last}, nullptr, limit);
}
} // namespace

std::vector<old_event> read_oldest(
  const store& disk, const domain::shard_set& of, std::size_t limit) {
  return read_behind(disk, read_feed_bounds(disk), of, limit);
}

std::vector<old_event> read_oldest_of_each(const store& disk, const domain::shard_set& of) {
  std::vector<old_event> out;
  const auto bounds = read_feed_bounds(disk);
  for (const auto s : domain::numbers_of(of))
    for (auto& e :
      read_behind(disk, bounds, domain::shard_set{}.set(static_cast<std::size_t>(s)), 1))
      out.push_back(std::move(e));
  return out;
}

std::vector<old_event> read_left_behind(
  const store& disk, const domain::shard_set& of, std::uint64_t from, std::size_t limit) {
  const auto low = read_low_water(disk);
  const auto first = [&](domain::shard_id s) {
    return of[s] && from <= low.of[s] ? std::optional{from} : std::nullopt;
  };
  const auto most = low.greatest();
  if (from > most) return {};
  return read_events(disk, feed_cursor{disk, first, most}, &low, limit);
}

write_set trimming(const store& disk, const std::vector<old_event>& these,
  const domain::shard_set& of, std::uint64_t low_water) {
  JUMUN_INVARIANT(these.size() <= trim_batch_max, "a batch of retention is bounded");
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
  if (low_water > 0) raise_marks(disk, of, low_water, set.entries);
  return set;
}
} // namespace jumun::storage
