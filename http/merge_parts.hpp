#pragma once
#include "http/part.hpp"

/// Many nodes' parts made one list. Pure functions.
namespace jumun::http {
struct merged_list {
  std::vector<list_part::row> rows;
  std::string end; // read on behind this key; empty: that was all
  domain::shard_set served;
};
/// `limit` rows at most, in the order of the list; 0: all of them. A part that was short ends the
/// page where that part ended: what lies behind is not known of its shards. A row that two nodes
/// have, because its shard moved between their answers, comes once.
[[nodiscard]] merged_list merge_lists(std::vector<list_part> parts, std::size_t limit);

/// A node's part, of what it read behind `after` while it served these shards: before it read and
/// afterwards, as what left meanwhile may have been read in part only.
[[nodiscard]] feed_part part_of(
  feed_page found, const domain::feed_position& after, domain::shard_set served);

struct merged_feed {
  struct row {
    feed_row event;
    std::string cursor; // the position with this event
  };
  std::vector<row> rows;
  domain::feed_position next;
  bool at_end = true; // of all parts
  domain::shard_set served;
};
/// Behind `after`, `limit` rows at most: each node's by offset, one node's before another's by
/// their events' time. No event that lies before `after` in its shard, none twice.
[[nodiscard]] merged_feed merge_feed(
  std::vector<feed_part> parts, const domain::feed_position& after, std::size_t limit);
} // namespace jumun::http
