#pragma once
#include "cluster/coordinator.hpp"
#include "cluster/etcd/client.hpp"
#include "domain/assignment.hpp"

namespace jumun::cluster {
/// One of several nodes, which agree by etcd (DESIGN §8, ADR 0012). It lives on a thread of its
/// own: there it keeps this node's record alive, looks at what the others have written (at once
/// when etcd says that something changed, each second anyway), and, while it is the elected
/// assigner, writes the moves that domain::assign() wants.
///
/// Without etcd the last view stays; what was asked for meanwhile is done when etcd is back.
class etcd_coordinator final : public coordinator {
public:
  struct options {
    etcd::options at; // etcd::fault_of() has found no fault with it
    std::string cluster, node;
    self_record self;
    domain::shard_map stored;      // the map that the data folder was left with
    std::string incarnation;       // of this process, and of no other: random
    std::string previous{};        // that of the last process on this same folder, whose lock this
                                   // one holds now; empty: not known, and its lease is waited out
    std::uint64_t life = 0;        // of the folder: a number that rises (ADR 0021). 0: not told
    std::uint64_t life_before = 0; // that joined last, as the folder knows. 0: it is not compared
    bool resumes = false; // a start ends a drain of this node; false: only one that has come to its
                          // end, so that a drain outlives a crash
    domain::assignment_rules rules{};
    std::chrono::seconds lease = limits::member_lease;
    std::chrono::milliseconds period = limits::etcd_period;
    std::function<std::uint64_t()> random; // 64 bits; for a cluster's lineage, and for pauses
  };
  explicit etcd_coordinator(options how);
  ~etcd_coordinator() override;

  std::string kind() const override { return "etcd"; }
  const std::string& self() const override;
  view_ptr now() const override;
  contact link() const override;
  void start(listener to) override;
  void stop(bool leave = true) override;
  void publish(self_record what) override;
  void durable(std::uint64_t map_version) override;
  change move(domain::shard_id shard, const std::string& to) override;
  change drain(const std::string& node) override;
  change resume(const std::string& node) override;
  void pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
    std::function<void(passed)> done) override;

private:
  class engine;
  std::unique_ptr<engine> engine_;
};
} // namespace jumun::cluster
