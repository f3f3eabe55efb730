#include "http/console/inspector.hpp"
#include "http/console/resources.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"

namespace jumun::http {
namespace {
std::string found_json(const found_thing& t, std::string_view node) {
  json_writer w;
  w.open('{');
  w.text("kind", t.kind);
  w.text("id", t.id);
  t.order ? w.text("order_id", to_text(domain::id_kind::order, *t.order)) : w.null("order_id");
  w.text_or_null("actor", t.actor);
  w.text_or_null("sku", t.sku);
  t.shard < 0 ? w.null("shard") : w.number("shard", t.shard);
  w.text("node", node);
  w.text("what", t.what);
  w.close('}');
  return w.take();
}
} // namespace

/// GET /admin/v1/find?q= → 200: whatever is called exactly so; 422.
void find_anything(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  if (!inside) return send(ex, problems::not_found, "there is nothing to be found here");
  const auto q = ex->query("q").value_or("");
  if (q.empty() || q.size() > limits::text_bytes_max)
    return refuse_query(ex, "q", "must be an id of 1..256 bytes");
  std::vector<std::string> data;
  for (const auto& t : inside->find(q)) data.push_back(found_json(t, ex->at->options.node));
  send_slice(ex, std::move(data));
}
} // namespace jumun::http
