#include "storage/merge.hpp"
#include <algorithm>

namespace jumun::storage {
namespace {
struct bounds {
  std::string from, to;
};

/// The part of one shard that lies behind `after`, in [low, high).
bounds part_of(domain::shard_id shard, direction way, std::string_view after, std::string_view low,
  std::string_view high) {
  const std::string start(1, static_cast<char>(shard));
  bounds b{
    start + std::string{low}, high.empty() ? after_prefix(start) : start + std::string{high}};
  if (after.empty()) return b;
  // Equal tails are told apart by their shards, as later() does.
  const auto last = static_cast<domain::shard_id>(after.front());
  auto edge = start + std::string{after.substr(1)};
  if (way == direction::forward) {
    if (shard <= last) edge.push_back('\0'); // this key is behind us
    b.from = std::max(b.from, edge);
  } else {
    if (shard < last) edge.push_back('\0'); // this key is still to come
    b.to = b.to.empty() ? edge : std::min(b.to, edge);
  }
  return b;
}
} // namespace

merged_cursor::merged_cursor(const store& disk, table in, direction way, std::string_view after,
  std::string_view low, std::string_view high, const domain::shard_set& only)
    : way_(way) {
  for (std::size_t s = 0; s < domain::shard_count; ++s) {
    if (!only.test(s)) continue;
    const auto part = part_of(static_cast<domain::shard_id>(s), way, after, low, high);
    if (!part.to.empty() && part.from >= part.to) continue;
    auto one = disk.scan(in, part.from, part.to, way);
    if (one->valid()) heap_.push_back(std::move(one));
  }
  std::make_heap(
    heap_.begin(), heap_.end(), [this](const auto& a, const auto& b) { return later(*a, *b); });
}

bool merged_cursor::later(const cursor& a, const cursor& b) const {
  const auto x = a.key(), y = b.key();
  const auto order = x.substr(1).compare(y.substr(1));
  const bool greater =
    order != 0 ? order > 0
               : static_cast<unsigned char>(x.front()) > static_cast<unsigned char>(y.front());
  return way_ == direction::forward ? greater : !greater; // no two keys are equal
}

void merged_cursor::next() {
  const auto later_first = [this](const auto& a, const auto& b) { return later(*a, *b); };
  std::pop_heap(heap_.begin(), heap_.end(), later_first);
  heap_.back()->next();
  if (heap_.back()->valid())
    std::push_heap(heap_.begin(), heap_.end(), later_first);
  else
    heap_.pop_back();
}
} // namespace jumun::storage
