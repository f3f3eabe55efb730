#pragma once
#include "domain/feed_position.hpp"
#include "http/feed.hpp"
#include <chrono>

/// What one node adds to a list that many nodes have a part of.
namespace jumun::http {
/// The rows of one node's shards, in the order of the list.
struct list_part {
  enum class form : std::uint8_t {
    page = 1, // by its key, `limit` of them
    whole,    // all rows there are
    ledger,   // the same, in the ledger's form
    cluster,  // the same: what each node sees of the others
    shards,   // the same, of shards: those without a row are where the map says
    overview, // one row: what the node says of itself
  };
  struct row {
    std::string key; // one byte, then what the list is sorted by; the byte decides between equals
    std::string json;
  };
  form as = form::page;
  char kind = 0; // of the cursor, see domain/page_cursor.hpp
  bool newest_first = false;
  std::vector<row> rows;
  std::string end;          // behind this key the node has more, or may have; empty: that was all
  domain::shard_set served; // the shards that it owned, before it read and afterwards
};

/// What is asked of a node that has a part of the feed.
struct feed_ask {
  feed_query what;
  domain::feed_position after;
  bool from_begin = false; // `after` is no claim: what retention took is not missed
  std::size_t limit = 1;
  std::chrono::milliseconds wait{0}; // for the first event, where there is none yet
};
/// Its answer: rows by offset, which is not the order of events of different nodes.
struct feed_part {
  std::vector<feed_row> rows;
  std::uint64_t next = 0; // it has nothing more up to this offset, in the shards that it served
  bool at_end = true;
  bool expired = false;        // of what was asked for, retention took some
  domain::feed_position begin; // the node's feed has what lies behind this,
  std::uint64_t last = 0;      // up to this
  domain::shard_set served;
  domain::shard_set from_now; // asked for from `latest` on: behind `last`, as it is now
};
} // namespace jumun::http
