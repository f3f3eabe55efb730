#pragma once
#include "bench/server/child_server.hpp"
#include <memory>

namespace jumun::bench {
/// Several `jumun serve` that are one shop: n1, n2, … with mutual TLS between them, an etcd of
/// their own, and one payment simulator, n1's. All on this machine; they die with us.
class child_cluster {
public:
  struct launch {
    unsigned nodes = 1;
    std::vector<std::string> more_args; // of each node
    std::vector<int> node_cpus, etcd_cpus;
  };
  /// Returns once all shards are served, or throws std::runtime_error. `folder` is for everything.
  child_cluster(std::filesystem::path folder, const launch& how);
  ~child_cluster(); // kills what still runs
  child_cluster(const child_cluster&) = delete;
  child_cluster& operator=(const child_cluster&) = delete;

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] child_server& node(std::size_t i) { return *nodes_.at(i); }
  /// Who owns each shard: the place of its node.
  [[nodiscard]] const std::vector<std::size_t>& owners() const { return owners_; }
  /// Stops the nodes, then etcd. Throws when one does not end well.
  void stop();
  [[nodiscard]] std::vector<std::string> data_folders() const;

private:
  void make_certificates() const;
  void start_etcd(const std::vector<int>& cpus);
  void start_node(std::size_t i, const launch& how);
  void await_served();

  const std::filesystem::path folder_;
  std::string etcd_url_;
  pid_t etcd_ = -1;
  std::vector<std::unique_ptr<child_server>> nodes_;
  std::vector<std::size_t> owners_;
};
} // namespace jumun::bench
