#include "http/events.hpp"
#include "http/event_stream.hpp"
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
/// a fixed field.) nullopt: the 400 is sent.
struct position {
  std::optional<std::uint64_t> after; // nullopt: from the begin
};
std::optional<position> read_position(const exchange_ptr& ex) {
  position at;
  const std::string given[] = {ex->query(cursor_name).value_or(""),
    ex->query("cursor").value_or(""), std::string{ex->head.find("last-event-id").value_or("")}};
  for (const auto& text : given) {
    if (text.empty()) continue;
    const auto offset = text == latest ? ex->at->to.events->last() : parse_offset(text);
    if (!offset) {
      send(ex, problems::invalid_cursor);
      return {};
    }
    at.after = std::max(at.after.value_or(0), *offset);
  }
  return at;
}

/// False: 400 or 410 is sent.
bool check_position(const exchange_ptr& ex, const position& at, const feed_page& found) {
  if (at.after.value_or(0) > found.last) {
    send(ex, problems::invalid_cursor, "it lies behind the last event");
    return false;
  }
  if (!found.expired) return true;
  const auto begin = std::to_string(found.begins_after);
  send(ex,
    problem{&problems::cursor_expired,
      "events behind this cursor are gone; the feed now begins behind cursor " + begin, {}},
    "Link: <" + std::string{ex->head.path} + "?after=" + begin + ">; rel=\"first\"\r\n");
  return false;
}

void send_stream(const exchange_ptr& ex, feed_query q, feed_page first) {
  response head;
  head.content_type = "text/event-stream";
  head.more = "X-Accel-Buffering: no\r\n"; // nginx would gather frames
  if (ex->head.method == "HEAD") return ex->stream(std::move(head), nullptr);
  admission::permit seat;
  using verdict = admission::verdict;
  const auto said = ex->at->readers_of_events.admit(ex->who.principal, false, seat);
  if (said != verdict::admitted) {
    ++ex->at->counts.event_readers_turned_away;
    return send(ex, said == verdict::full ? problems::overloaded : problems::too_many_requests,
      "too many event streams are open");
  }
  auto body = std::make_shared<event_stream>(ex, std::move(q), std::move(first), std::move(seat));
  ex->stream(std::move(head), std::move(body));
}
} // namespace

void answer_events(const exchange_ptr& ex, feed_query q, bool finite) {
  if (!ex->at->to.events) return send(ex, problems::not_found, "no resource has this path");
  auto p = read_page(ex);
  if (!p) return;
  const bool streams = prefers_event_stream(ex->head);
  if (streams || (finite && !ex->query("limit"))) p->limit = limits::feed_page_max;
  const auto at = read_position(ex);
  if (!at) return;
  auto found = ex->at->to.events->read(q, at->after, p->limit);
  if (!check_position(ex, *at, found)) return;
  if (streams) return send_stream(ex, std::move(q), std::move(found));
  std::vector<std::string> data;
  data.reserve(found.rows.size());
  for (const auto& row : found.rows) data.push_back(event_json(row.fact, row.offset));
  send_page(ex, data, finite && found.at_end ? "" : std::to_string(found.next), cursor_name);
}

/// GET /v1/events?topic=&key=&after=&limit= → 200 oldest first, or a stream; 400 invalid-cursor,
/// 406, 410 cursor-expired, 422; a stream too many: 429, 503.
void list_events(const exchange_ptr& ex) {
  const auto topic = read_choice(ex, "topic", {"orders", "payments", "inventory", "deliveries"});
  if (topic) answer_events(ex, {*topic, ex->query("key").value_or("")}, /*finite=*/false);
}
} // namespace jumun::http
