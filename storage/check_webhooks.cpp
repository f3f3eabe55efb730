#include "storage/check_pass.hpp"
#include <map>

// Outgoing webhooks: each message has its endpoint, lies where its key says, and stands on the
// right side of the endpoint's cursor.
namespace jumun::storage {
namespace {
using endpoints = std::map<domain::order_id, domain::webhook>;

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
    if (w->cursor > last && pass.one_feed())
      pass.add("webhook-cursor", where,
        "its cursor is " + std::to_string(w->cursor) + ", the feed ends with "
          + std::to_string(last));
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
    const auto where = name_of_webhook(d->endpoint) + " offset " + std::to_string(d->offset);
    if (webhook_delivery_key(d->endpoint, d->offset) != key)
      return pass.add("webhook-row", where, "it lies under another key");
    const auto to = all.find(d->endpoint);
    if (to == all.end()) {
      if (pass.saw_all(table::webhooks)) pass.add("webhook-row", where, "its endpoint isn't here");
      return;
    }
    const bool behind = d->offset <= to->second.cursor;
    if (behind == (d->state == domain::webhook_state::retrying))
      pass.add("webhook-cursor", where,
        std::string{name_of(d->state)} + ", and the endpoint's cursor is "
          + std::to_string(to->second.cursor));
  });
}
} // namespace jumun::storage
