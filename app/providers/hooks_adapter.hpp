#pragma once
#include "app/node.hpp"
#include "app/providers/secret_file.hpp"
#include "http/payment_hooks.hpp"

namespace jumun::app {
/// The edge's port for hooks, plugged into a node: proves them, then hands them to the supervisor
/// of their order's shard, which makes them durable.
class hooks_adapter final : public http::payment_hooks {
public:
  /// `provider`: the only one whose hooks are taken. `inside` outlives this.
  hooks_adapter(node& inside, std::string provider, const std::string& secret_path)
      : node_(inside), provider_(std::move(provider)), secrets_(secret_path) {}
  std::optional<domain::shard_id> shard_of(std::string_view body) const override;
  [[nodiscard]] std::optional<http::hook_fault> take(
    const call& c, http::done<http::outcome> reply) override;

private:
  node& node_;
  std::string provider_;
  secret_file secrets_;
};
} // namespace jumun::app
