#include "http/merge_parts.hpp"
#include <algorithm>

namespace jumun::http {
using domain::feed_position;

namespace {
/// Whether `a` comes before `b` in a list that is oldest first; as storage::merged_cursor has it.
bool before(std::string_view a, std::string_view b) {
  const auto order = a.substr(1).compare(b.substr(1));
  if (order != 0) return order < 0;
  return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front());
}

/// One part of the feed, while its rows are taken.
struct taking {
  feed_part part;
  std::size_t at = 0;
  [[nodiscard]] bool more() const { return at < part.rows.size(); }
  [[nodiscard]] const feed_row& head() const { return part.rows[at]; }
  void skip_known(const domain::feed_position& p) {
    while (more() && head().offset <= p.of[head().shard]) ++at;
  }
  /// Up to here all that it has is taken. (A shard that moved brought its offsets: the next row may
  /// have the same one as the last.)
  [[nodiscard]] std::uint64_t reached() const {
    if (!more()) return part.next;
    if (at == 0) return 0;
    const auto last = part.rows[at - 1].offset;
    return head().offset > last ? last : last - 1;
  }
};
} // namespace

merged_list merge_lists(std::vector<list_part> parts, std::size_t limit) {
  merged_list out;
  const bool backward = !parts.empty() && parts.front().newest_first;
  const auto earlier = [backward](std::string_view a, std::string_view b) {
    return backward ? before(b, a) : before(a, b);
  };
  for (auto& p : parts) {
    out.served |= p.served;
    if (!p.end.empty() && (out.end.empty() || earlier(p.end, out.end))) out.end = p.end;
    std::move(p.rows.begin(), p.rows.end(), std::back_inserter(out.rows));
  }
  std::stable_sort(out.rows.begin(), out.rows.end(),
    [&](const auto& a, const auto& b) { return earlier(a.key, b.key); });
  out.rows.erase(std::unique(out.rows.begin(), out.rows.end(),
                   [](const auto& a, const auto& b) { return a.key == b.key; }),
    out.rows.end());
  if (!out.end.empty()) {
    const auto unknown = std::upper_bound(out.rows.begin(), out.rows.end(), out.end,
      [&](const std::string& end, const auto& row) { return earlier(end, row.key); });
    out.rows.erase(unknown, out.rows.end());
  }
  if (limit > 0 && out.rows.size() > limit) {
    out.rows.resize(limit);
    out.end = out.rows.back().key;
  }
  return out;
}

feed_part part_of(feed_page found, const feed_position& after, domain::shard_set served) {
  std::erase_if(found.rows, [&](const feed_row& r) { return !served.test(r.shard); });
  domain::shard_set from_now;
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    from_now.set(s, served.test(s) && after.of[s] == feed_position::latest);
  return {std::move(found.rows), found.next, found.at_end, found.expired, found.begin, found.last,
    served & ~from_now, from_now};
}

merged_feed merge_feed(
  std::vector<feed_part> parts, const domain::feed_position& after, std::size_t limit) {
  merged_feed out;
  out.next = after;
  std::vector<taking> from;
  for (auto& p : parts) {
    out.served |= p.served | p.from_now;
    for (const auto s : domain::numbers_of(p.from_now))
      if (auto& place = out.next.of[static_cast<std::size_t>(s)]; place == feed_position::latest)
        place = p.last;
    from.push_back({std::move(p)});
  }
  for (;;) {
    taking* next = nullptr;
    for (auto& f : from) {
      f.skip_known(out.next);
      if (f.more() && (!next || f.head().fact.time_ms < next->head().fact.time_ms)) next = &f;
    }
    if (!next || out.rows.size() == limit) break;
    auto& row = next->part.rows[next->at++];
    out.next.advance(next->part.served, next->reached());
    out.next.of[row.shard] = std::max(out.next.of[row.shard], row.offset);
    out.rows.push_back({std::move(row), to_text(out.next)});
  }
  for (const auto& f : from) {
    out.next.advance(f.part.served, f.reached());
    out.at_end = out.at_end && !f.more() && f.part.at_end;
  }
  return out;
}
} // namespace jumun::http
