#pragma once
#include "app/node.hpp"
#include "http/audit.hpp"

namespace jumun::app {
/// The audit log on the node's journal. Sagas write theirs themselves, with the effect. `inside`
/// outlives this.
class audit_adapter final : public http::audit_log {
public:
  explicit audit_adapter(node& inside) : node_(inside) {}
  /// A node without shards has no log of its own: `elsewhere` writes it into another's.
  using recorder = std::function<void(domain::audit_entry, http::done<bool>)>;
  void when_without_shards(recorder elsewhere) { elsewhere_ = std::move(elsewhere); }
  void record(domain::audit_entry entry, http::done<bool> then) override;
  /// False where this node has no shards.
  void record_here(domain::audit_entry entry, http::done<bool> then);
  std::optional<http::listed<domain::audit_entry>> list(
    const http::audit_query& q, std::size_t limit, const std::string& cursor) override;

private:
  node& node_;
  recorder elsewhere_;
};
} // namespace jumun::app
