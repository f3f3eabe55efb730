#include "storage/merge.hpp"
#include <algorithm>

namespace jumun::storage {
namespace {
constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t cursor_bytes_max = 128; // a SKU's key has 65 bytes, in base64 87

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
  std::string_view low, std::string_view high)
    : way_(way) {
  for (std::size_t s = 0; s < domain::shard_count; ++s) {
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

std::string cursor_text(char kind, std::string_view key) {
  std::string out(1, kind);
  std::uint32_t bits = 0;
  int waiting = 0;
  for (const unsigned char c : key) {
    bits = (bits << 8) | c;
    for (waiting += 8; waiting >= 6; waiting -= 6)
      out.push_back(alphabet[(bits >> (waiting - 6)) & 63]);
  }
  if (waiting > 0) out.push_back(alphabet[(bits << (6 - waiting)) & 63]);
  return out;
}

std::optional<std::string> parse_cursor(char kind, std::string_view text) {
  if (text.size() < 2 || text.size() > cursor_bytes_max || text.front() != kind) return {};
  std::string key;
  std::uint32_t bits = 0;
  int waiting = 0;
  for (const char c : text.substr(1)) {
    const auto at = alphabet.find(c);
    if (at == std::string_view::npos) return {};
    bits = (bits << 6) | static_cast<std::uint32_t>(at);
    waiting += 6;
    if (waiting < 8) continue;
    waiting -= 8;
    key.push_back(static_cast<char>(bits >> waiting));
  }
  if (cursor_text(kind, key) != text) return {}; // bits left over, or a digit too many
  return key;
}
} // namespace jumun::storage
