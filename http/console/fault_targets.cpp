#include "http/console/resources.hpp"
#include "http/faults.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"

namespace jumun::http {
/// GET /admin/v1/fault-targets → 200: what can be made to fail, and how; 404 without
/// --enable-faults.
void list_fault_targets(const exchange_ptr& ex) {
  auto* there = ex->at->to.faults;
  if (!there)
    return send(ex, problems::not_found, "faults can be set only on a server with --enable-faults");
  std::vector<std::string> data;
  for (const auto& target : there->targets()) {
    json_writer w;
    w.open('{');
    w.text("target", target);
    w.open("modes", '[');
    for (const auto& mode : there->modes_of(target)) w.element(mode);
    w.close(']');
    w.close('}');
    data.push_back(w.take());
  }
  send_page(ex, data, "");
}
} // namespace jumun::http
