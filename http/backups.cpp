#include "http/backups.hpp"
#include "http/audited.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
std::string backup_json(const backup_info& b) {
  json_writer w;
  w.open('{');
  w.text("id", std::to_string(b.id));
  w.text("state", b.state);
  w.text("created_at", time_text(b.created_ms));
  w.count("bytes", b.bytes);
  w.count("files", b.files);
  w.text_or_null("error", b.error);
  w.close('}');
  return w.take();
}
} // namespace

/// GET /admin/v1/backups → 200, newest first.
void list_backups(const exchange_ptr& ex) {
  if (!ex->at->to.backups) return send(ex, problems::not_found);
  std::vector<std::string> data;
  for (const auto& b : ex->at->to.backups->list()) data.push_back(backup_json(b));
  send_page(ex, data, "");
}

/// POST /admin/v1/backups → 202 once it has begun; 409 backup-running.
void make_backup(const exchange_ptr& ex) {
  if (!ex->at->to.backups) return send(ex, problems::not_found);
  const auto begun = ex->at->to.backups->begin();
  if (!begun) return send(ex, problems::backup_running);
  response r;
  r.status = 202, r.location = "/admin/v1/backups", r.body = backup_json(*begun);
  reply_recorded(ex, {"backup.begin", std::to_string(begun->id)}, std::move(r));
}
} // namespace jumun::http
