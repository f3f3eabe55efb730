#pragma once
#include "http/exchange.hpp"

namespace jumun::http {
/// Answers with the events of `q` behind `after` or Last-Event-ID: a page, or a stream where Accept
/// prefers text/event-stream. Blocks: on a reader thread. `finite`: a history; without `limit` it
/// comes whole (up to limits::feed_page_max), and its last page has no next_cursor.
void answer_events(const exchange_ptr& ex, feed_query q, bool finite);
} // namespace jumun::http
