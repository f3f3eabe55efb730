#include "http/lists.hpp"
#include "http/render.hpp"
#include "http/resources.hpp"

namespace jumun::http {
/// GET /v1/events?topic=&key=&after=&limit= → 200 oldest first; 400 invalid-cursor, 422.
void list_events(const exchange_ptr& ex) {
  const auto topic = read_choice(ex, "topic", {"orders", "payments", "inventory", "deliveries"});
  if (!topic) return;
  const auto p = read_page(ex, "after");
  if (!p) return;
  const auto key = ex->query("key").value_or("");
  send_rows(
    ex, ex->inside().feed(*topic, key, p->cursor, p->limit),
    [](const feed_item& item) { return event_json(item.fact, item.id, item.cursor); }, "after");
}
} // namespace jumun::http
