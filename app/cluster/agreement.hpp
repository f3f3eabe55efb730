#pragma once
#include "app/cluster/options.hpp"
#include "cluster/coordinator.hpp"
#include <memory>
#include <optional>

namespace jumun::app {
/// Why etcd can't be asked with these options; nullopt: it may be tried. Reads its files.
[[nodiscard]] std::optional<std::string> why_no_etcd(const etcd_options& how);

/// What tells this process and its data folder from others; see etcd_coordinator::options.
struct self_of_folder {
  std::string incarnation, previous;
  std::uint64_t life = 0, life_before = 0;
};
/// The coordinator of a node of a cluster, not started yet. `stored`: the map that its folder was
/// left with. @pre why_no_etcd() says nothing
[[nodiscard]] std::unique_ptr<cluster::coordinator> agreement_by_etcd(
  const cluster_options& how, domain::shard_map stored, self_of_folder self);
} // namespace jumun::app
