#pragma once
#include "actors/environment.hpp"
#include "http/audit.hpp"

namespace jumun::app {
/// The audit log on the node's journal. Sagas write theirs themselves, with the effect. `env`
/// outlives this.
class audit_adapter final : public http::audit_log {
public:
  explicit audit_adapter(actors::environment& env) : env_(env) {}
  void record(domain::audit_entry entry, http::done<bool> then) override;
  std::optional<http::listed<domain::audit_entry>> list(
    const http::audit_query& q, std::size_t limit, const std::string& cursor) override;

private:
  actors::environment& env_;
};
} // namespace jumun::app
