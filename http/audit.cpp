#include "http/audit.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
std::string audit_json(const domain::audit_entry& e) {
  json_writer w;
  w.open('{');
  w.text("time", time_text(e.time_ms));
  w.text("principal", e.principal);
  w.text("roles", e.roles);
  w.text("action", e.action);
  w.text_or_null("target", e.target);
  w.text_or_null("reason", e.reason);
  w.text("outcome", e.outcome);
  w.text("trace_id", e.trace_id);
  w.close('}');
  return w.take();
}
} // namespace

/// GET /admin/v1/audit?principal=&action=&target= → 200 newest first; 400 invalid-cursor, 422.
void list_audit(const exchange_ptr& ex) {
  auto* log = ex->at->to.audit;
  if (!log) return send(ex, problems::not_found, "this server keeps no audit log");
  const auto p = read_page(ex);
  if (!p) return;
  const audit_query q{ex->query("principal").value_or(""), ex->query("action").value_or(""),
    ex->query("target").value_or("")};
  send_rows(ex, log->list(q, p->limit, p->cursor), audit_json, order_of::newest_first);
}
} // namespace jumun::http
