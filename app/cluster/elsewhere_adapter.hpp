#pragma once
#include "app/cluster/ownership.hpp"
#include "cluster/peers.hpp"
#include "domain/audit.hpp"
#include "http/elsewhere.hpp"

namespace jumun::app {
/// The edge's port to the other nodes, plugged into the wire between them and the agreement on who
/// owns what. Thread-safe.
class elsewhere_adapter final : public http::elsewhere {
public:
  /// All of it outlives this.
  struct surroundings {
    cluster::peers& net;
    cluster::coordinator& agreed;
    const ownership& owners;
    const storage::store& disk;
    std::function<std::int64_t()> now_ms;           // wall clock, for the deadlines of envelopes
    std::function<void(std::function<void()>)> run; // somewhere where reading a disk may block
  };
  explicit elsewhere_adapter(surroundings with) : with_{std::move(with)} {}

  http::place owner_of(domain::shard_id shard) override;
  http::place any_owner() override;
  http::place place_of(std::string_view node) override;
  std::vector<http::member> members() override;
  domain::shard_set served() override { return with_.owners.served(); }
  void forward(const std::string& node, http::forwarded_request r, ms within,
    http::done<http::forwarded_answer> reply) override;
  void find_products(const std::string& node, std::vector<std::string> skus, ms within,
    http::done<products> reply) override;

  /// Has an owner of shards write it into its audit log; false: it is not known to be there.
  void record(domain::audit_entry entry, http::done<bool> then);

  /// Where requests of other nodes go: http::server::take; and what they have to write down.
  /// Before the first of them comes.
  using taker = std::function<void(http::forwarded_request, http::done<http::forwarded_answer>)>;
  using recorder = std::function<void(domain::audit_entry, http::done<bool>)>;
  void serve(taker requests, recorder audit) {
    requests_ = std::move(requests), audit_ = std::move(audit);
  }
  /// For cluster_side::on_ask: whether it was one of the edge's.
  [[nodiscard]] bool take(const cluster::envelope& what, const cluster::reply_once& reply);

private:
  [[nodiscard]] cluster::envelope packed(std::uint16_t kind, std::string bytes, ms within) const;
  [[nodiscard]] products own_products(const std::vector<std::string>& skus) const;

  const surroundings with_;
  taker requests_;
  recorder audit_;
  std::atomic<std::size_t> turn_{0}; // of the owners, for what any of them may do
};
} // namespace jumun::app
