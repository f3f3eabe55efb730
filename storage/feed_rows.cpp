#include "storage/feed_rows.hpp"
#include "domain/invariant.hpp"
#include "rows.pb.h"
#include "storage/row_codec.hpp"
#include <algorithm>

namespace jumun::storage {
namespace {
/// Of a release before 0.2: the value is the key in history, whose second byte says whose it is. A
/// run has a row's header there.
bool is_pointer(std::string_view value) {
  return value.size() >= 2 && (value[1] == 'o' || value[1] == 's');
}
} // namespace

entry feed_row(std::string key, const std::vector<to_feed>& run) {
  JUMUN_INVARIANT(!run.empty(), "a row of the feed has events");
  auto& m = codec::scratch<rows::FeedRun>();
  const auto last = number_of_key(key).value_or(0);
  for (const auto& e : run) {
    m.add_below(last - e.offset);
    m.add_in_history(e.in_history.data(), e.in_history.size());
  }
  return {table::feed, std::move(key), codec::seal(0, m)};
}

std::optional<std::vector<fed>> read_feed_row(std::string_view key, std::string_view value) {
  const auto last = number_of_key(key);
  if (key.size() != feed_key(0, 0).size() || !last) return {};
  if (is_pointer(value)) return std::vector<fed>{{*last, std::string{value}}};
  auto& m = codec::scratch<rows::FeedRun>();
  if (!codec::open(value, m) || m.below_size() != m.in_history_size() || m.below_size() == 0)
    return {};
  std::vector<fed> run(static_cast<std::size_t>(m.below_size()));
  for (int i = 0; i < m.below_size(); ++i) {
    auto& e = run[static_cast<std::size_t>(i)];
    if (m.below(i) >= *last || m.in_history(i).empty()) return {};
    e = {*last - m.below(i), codec::take(m.in_history(i))};
    if (i > 0 && e.offset <= run[static_cast<std::size_t>(i) - 1].offset) return {};
  }
  return run;
}

namespace {
constexpr auto later = [](const auto& a, const auto& b) {
  return a.run[a.next].offset > b.run[b.next].offset;
};
} // namespace

feed_cursor::feed_cursor(const store& disk, std::uint64_t first, std::uint64_t last)
    : feed_cursor(
      disk, [first](domain::shard_id) { return std::optional{first}; }, last) {}

feed_cursor::feed_cursor(const store& disk, const first_of_shard& first_of, std::uint64_t last)
    : last_(last == 0 ? UINT64_MAX : last) {
  for (std::size_t s = 0; s < domain::shard_count; ++s) {
    const auto shard = static_cast<domain::shard_id>(s);
    const auto first = first_of(shard);
    if (!first) continue;
    // A run that goes on behind `last` has it in a row behind it.
    part p{disk.scan(table::feed, feed_key(shard, *first), after_prefix(std::string(1, shard)),
             direction::forward),
      {}, 0, *first};
    if (settle(p)) heap_.push_back(std::move(p));
  }
  std::make_heap(heap_.begin(), heap_.end(), later);
}

/// Goes on to the next event in bounds. False: the shard has none.
bool feed_cursor::settle(part& p) const {
  for (;;) {
    while (p.next < p.run.size() && p.run[p.next].offset < p.first) ++p.next;
    if (p.next < p.run.size()) return p.run[p.next].offset <= last_;
    if (!p.run.empty()) p.rows->next();
    p.run.clear();
    p.next = 0;
    for (; p.rows->valid(); p.rows->next())
      if (auto run = read_feed_row(p.rows->key(), p.rows->value())) {
        p.run = *std::move(run);
        break;
      }
    if (p.run.empty()) return false;
  }
}

void feed_cursor::next() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  auto& p = heap_.back();
  ++p.next;
  if (settle(p))
    std::push_heap(heap_.begin(), heap_.end(), later);
  else
    heap_.pop_back();
}
} // namespace jumun::storage
