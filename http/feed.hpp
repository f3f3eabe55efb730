#pragma once
#include "domain/event.hpp"
#include "domain/feed_position.hpp"
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jumun::http {
/// Which events are wanted; empty: any.
struct feed_query {
  std::string topic, key;
};
struct feed_row {
  domain::event fact;
  std::uint64_t offset = 0; // its cursor, as a number
  domain::shard_id shard = 0;
};
struct feed_page {
  std::vector<feed_row> rows;  // oldest first
  std::uint64_t next = 0;      // read on behind this
  bool at_end = true;          // nothing that was durable lies behind `next`
  bool expired = false;        // retention took some of what was asked for
  domain::feed_position begin; // the feed has the offsets behind this,
  std::uint64_t last = 0;      // up to and with this
};

/// Frames of text/event-stream, rendered once and shared by all who read them.
struct live_frames {
  std::string text;
  struct mark {
    std::uint64_t offset = 0; // of a frame's event
    std::size_t end = 0;      // where the frame ends in `text`
  };
  std::vector<mark> marks;
};
/// Called on a thread of the feed's own, in the order of offsets; must not block. nullptr: some
/// were left out because nobody could keep up; follow again from the disk.
using live_sink = std::function<void(std::shared_ptr<const live_frames>)>;

/// Port to the events: what is durable, and what becomes so. Thread-safe.
class feed {
public:
  virtual ~feed() = default;
  /// Behind `after`; nullopt: from the feed's begin. Blocks. limit: 1..limits::feed_page_max.
  [[nodiscard]] virtual feed_page read(
    const feed_query& q, std::optional<std::uint64_t> after, std::size_t limit) = 0;
  /// Of `only` some shards, behind each one's own place; see storage::read_feed. Blocks.
  [[nodiscard]] virtual feed_page read(const feed_query& q, const domain::feed_position& after,
    bool from_begin, std::size_t limit, const domain::shard_set& only) = 0;
  /// The last durable offset. Blocks.
  [[nodiscard]] virtual std::uint64_t last() = 0;

  /// While it lives, its sink hears of all wanted events behind `since`, perhaps of some before it.
  class following {
  public:
    virtual ~following() = default;
    std::uint64_t since = 0;
  };
  [[nodiscard]] virtual std::unique_ptr<following> follow(const feed_query& q, live_sink sink) = 0;
};
} // namespace jumun::http
