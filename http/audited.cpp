#include "http/audited.hpp"

namespace jumun::http {
std::string role_names(unsigned roles) {
  constexpr std::pair<role, std::string_view> names[] = {{customer, "customer"},
    {inventory, "inventory"}, {courier, "courier"}, {viewer, "viewer"}, {operator_, "operator"}};
  if ((roles & admin) != 0) return "admin";
  std::string out;
  for (const auto& [bit, name] : names)
    if ((roles & bit) != 0) out.append(out.empty() ? "" : ",").append(name);
  return out;
}

void reply_recorded(const exchange_ptr& ex, deed what, response r) {
  auto* log = ex->at->to.audit;
  if (!log) return ex->reply(std::move(r));
  domain::audit_entry entry{0, ex->who.principal, role_names(ex->who.roles), std::move(what.action),
    std::move(what.target), std::move(what.reason), std::move(what.outcome), ex->from.trace_id};
  log->record(std::move(entry), [ex, r = std::move(r)](bool durable) {
    guarded(ex, [&] {
      if (durable) return ex->reply(r);
      send(ex, problems::shard_unavailable, "it was done, and could not be written down");
    });
  });
}
} // namespace jumun::http
