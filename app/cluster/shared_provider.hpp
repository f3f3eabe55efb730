#pragma once
#include "actors/payment_provider.hpp"
#include "cluster/messages.hpp"

namespace jumun::app {
/// The payment simulator of a cluster. A provider is outside of us, and there is one of it: its
/// books would be wrong were they split by nodes, and would have to move with the shards. So one
/// node keeps it, and the others' calls go there, as they would to a bank. While that node is away
/// every call is `unknown`, or surely `not_asked`, and orders wait. Thread-safe.
class shared_provider final : public actors::payment_provider {
public:
  /// `own`: this node's simulator; `keeper`: the node that keeps the cluster's. All of it outlives
  /// the last call.
  struct surroundings {
    actors::payment_provider& own;
    std::string self;
    std::string keeper;
    std::function<void(const std::string& node, cluster::envelope, cluster::peers::done)> ask;
    std::function<std::int64_t()> now_ms;
    std::chrono::milliseconds patience; // of one call
  };
  explicit shared_provider(surroundings with) : with_(std::move(with)) {}

  void charge(actors::provider_charge c, actors::provider_callback said) override;
  void inquire(actors::provider_charge c, actors::provider_callback said) override;
  void cancel(actors::provider_charge c, actors::provider_callback said) override;

  /// Another node's call; false: the envelope is none. Answered once the simulator has, or never.
  [[nodiscard]] bool take(const cluster::envelope& what, const cluster::reply_once& reply);

private:
  using call = cluster::provider_ask::call;
  void run(call what, actors::provider_charge c, actors::provider_callback said);
  void run_here(call what, actors::provider_charge c, actors::provider_callback said);
  const surroundings with_;
};
} // namespace jumun::app
