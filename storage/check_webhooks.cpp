#include "storage/check_pass.hpp"
#include <map>

// Outgoing webhooks: each message has its endpoint, lies where its key says, and stands on the
// right side of the endpoint's cursor.
namespace jumun::storage {
namespace {
using domain::feed_position;
using endpoints = std::map<domain::order_id, domain::webhook>;

/// Where a shard's feed has not been heard of yet, nothing is behind it or before it.
bool passed(const feed_position& cursor, const feed_position& place) {
  constexpr auto unheard = feed_position::latest;
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    if (place.of[s] > cursor.of[s] && place.of[s] != unheard) return false;
  return true;
}

std::string name_of_webhook(domain::order_id id) {
  return domain::to_text(domain::id_kind::webhook, id);
}

endpoints walk_endpoints(check_pass& pass) {
  endpoints out;
  std::uint64_t last = UINT64_MAX; // unread: no cursor is beyond it
  pass.guarded([&] { last = pass.last_offset(); });
  pass.each(table::webhooks, [&](std::string_view key, std::string_view value) {
    auto w = pass.read<domain::webhook>(table::webhooks, key, value);
    if (!w) return;
    const auto where = name_of_webhook(w->id);
    if (webhook_key(w->id) != key)
      return pass.add("webhook-row", where, "it lies under another key");
    if (!passed(feed_position{last}, w->cursor) && pass.one_feed())
      pass.add("webhook-cursor", where,
        "its cursor is " + to_text(w->cursor) + ", the feed ends with " + std::to_string(last));
    out.emplace(w->id, std::move(*w));
  });
  return out;
}
} // namespace

void check_webhooks(check_pass& pass) {
  const auto all = walk_endpoints(pass);
  pass.each(table::webhook_deliveries, [&](std::string_view key, std::string_view value) {
    const auto d = pass.read<domain::webhook_delivery>(table::webhook_deliveries, key, value);
    if (!d) return;
    const auto where = name_of_webhook(d->endpoint) + " message " + std::to_string(d->number);
    if (webhook_delivery_key(d->endpoint, d->number) != key)
      return pass.add("webhook-row", where, "it lies under another key");
    const auto to = all.find(d->endpoint);
    if (to == all.end()) {
      if (pass.saw_all(table::webhooks)) pass.add("webhook-row", where, "its endpoint isn't here");
      return;
    }
    const auto place = domain::parse_feed_position(d->cursor).value_or(feed_position{});
    if (passed(to->second.cursor, place) == (d->state == domain::webhook_state::retrying))
      pass.add("webhook-cursor", where,
        std::string{name_of(d->state)} + " at " + d->cursor + ", and the endpoint's cursor is "
          + to_text(to->second.cursor));
  });
}
} // namespace jumun::storage
