#include "http/events.hpp"
#include "http/event_stream.hpp"
#include "http/feed_parts.hpp"
#include "http/fields.hpp"
#include "http/lists.hpp"
#include "http/resources.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
constexpr std::string_view cursor_name = "after";
constexpr std::string_view latest = "latest"; // in place of a cursor: from now on

/// Where to read from: the latest of `after`, `cursor` (by which other lists go on) and
/// Last-Event-ID. (An EventSource comes again with the address that it began with; a pager may send
/// a fixed field.) `latest` is for who names no place: it would skip what came while an EventSource
/// was away. nullopt: the 400 is sent.
struct position {
  std::optional<domain::feed_position> after; // nullopt: from the begin
};
std::optional<position> read_position(const exchange_ptr& ex) {
  position at;
  const std::string given[] = {ex->query(cursor_name).value_or(""),
    ex->query("cursor").value_or(""), std::string{ex->head.find("last-event-id").value_or("")}};
  constexpr auto end = domain::feed_position::latest;
  bool from_now_on = false;
  for (const auto& text : given) {
    from_now_on = from_now_on || text == latest;
    if (text.empty() || text == latest) continue;
    const auto p = domain::parse_feed_position(text);
    if (!p || p->one() == end) {
      send(ex, problems::invalid_cursor);
      return {};
    }
    if (!at.after) at.after.emplace();
    for (std::size_t s = 0; s < domain::shard_count; ++s)
      at.after->of[s] = std::max(at.after->of[s], p->of[s]);
  }
  if (from_now_on && !at.after) at.after = domain::feed_position{end};
  return at;
}

/// The same as one number, where all of the feed, or all that is asked for, has one.
std::optional<std::uint64_t> number_of(const exchange_ptr& ex, const domain::feed_position& p) {
  const auto n = p.one();
  return n == domain::feed_position::latest ? ex->at->to.events->last() : n;
}

/// False: 400 or 410 is sent.
bool check_position(
  const exchange_ptr& ex, std::optional<std::uint64_t> after, const feed_page& found) {
  if (after.value_or(0) > found.last) {
    send(ex, problems::invalid_cursor, "it lies behind the last event");
    return false;
  }
  if (!found.expired) return true;
  const auto begin = to_text(found.begin);
  send(ex,
    problem{&problems::cursor_expired,
      "events behind this cursor are gone; the feed now begins behind cursor " + begin, {}},
    "Link: <" + std::string{ex->head.path} + "?after=" + begin + ">; rel=\"first\"\r\n");
  return false;
}

void send_stream(const exchange_ptr& ex, feed_query q, feed_page first) {
  open_stream(ex, [&](admission::permit seat) {
    return std::make_shared<event_stream>(ex, std::move(q), std::move(first), std::move(seat));
  });
}

/// A history's cursor. Where there are many nodes it is a place in one shard and in no other, so
/// that it is right in the feed, too: nothing of the other shards is skipped.
std::string cursor_of(const exchange_ptr& ex, const feed_query& q, std::uint64_t offset) {
  if (!ex->at->to.others) return std::to_string(offset);
  domain::feed_position p;
  p.of[shard_of_key(q.key)] = offset;
  return to_text(p);
}
} // namespace

bool asks_owner_for_stream(const exchange_ptr& ex) {
  return ex->at->to.others && !ex->wants_events && prefers_event_stream(ex->head);
}

void answer_events(const exchange_ptr& ex, feed_query q, bool finite) {
  if (!ex->at->to.events) return send(ex, problems::not_found, "no resource has this path");
  if (ex->wants_events) return send_feed_part(ex, q);
  auto p = read_page(ex);
  if (!p) return;
  const bool streams = prefers_event_stream(ex->head);
  if (streams || (finite && !ex->query("limit"))) p->limit = limits::feed_page_max;
  const auto at = read_position(ex);
  if (!at) return;
  const bool elsewhere = ex->at->to.others && (!finite || streams); // a history is one node's
  if (elsewhere || (at->after && !at->after->one() && !finite))
    return answer_merged_events(ex, std::move(q), at->after, p->limit, finite);
  std::optional<std::uint64_t> after;
  if (finite && at->after && !at->after->one()) {
    const auto n = at->after->of[shard_of_key(q.key)];
    if (n > 0) after = n == domain::feed_position::latest ? ex->at->to.events->last() : n;
  } else if (at->after) {
    after = number_of(ex, *at->after);
  }
  auto found = ex->at->to.events->read(q, after, p->limit);
  if (!check_position(ex, after, found)) return;
  if (streams) return send_stream(ex, std::move(q), std::move(found));
  const auto cursor = [&](std::uint64_t offset) { return cursor_of(ex, q, offset); };
  std::vector<std::string> data;
  data.reserve(found.rows.size());
  for (const auto& row : found.rows) data.push_back(event_json(row.fact, cursor(row.offset)));
  send_page(ex, data, finite && found.at_end ? "" : cursor(found.next), cursor_name);
}

/// GET /v1/events?topic=&key=&after=&limit= → 200 oldest first, or a stream; 400 invalid-cursor,
/// 406, 410 cursor-expired, 422; a stream too many: 429, 503.
void list_events(const exchange_ptr& ex) {
  const auto topic = read_choice(ex, "topic", {"orders", "payments", "inventory", "deliveries"});
  if (topic) answer_events(ex, {*topic, ex->query("key").value_or("")}, /*finite=*/false);
}
} // namespace jumun::http
