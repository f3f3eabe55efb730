#pragma once
#include "http/exchange.hpp"

namespace jumun::http {
/// Answers with the events of `q` behind `after` or Last-Event-ID: a page, or a stream where Accept
/// prefers text/event-stream. Blocks: on a reader thread. `finite`: a history; without `limit` it
/// comes whole (up to limits::feed_page_max), and its last page has no next_cursor. Where there are
/// other nodes the feed is all nodes', see feed_parts.hpp.
void answer_events(const exchange_ptr& ex, feed_query q, bool finite);

/// A stream of one order's events is asked for, and it is the order's owner, page by page, who says
/// whether there is such an order for this asker.
[[nodiscard]] bool asks_owner_for_stream(const exchange_ptr& ex);
} // namespace jumun::http
