#pragma once
#include "app/cluster/options.hpp"
#include "cluster/coordinator.hpp"
#include <memory>
#include <optional>

namespace jumun::app {
/// Why etcd can't be asked with these options; nullopt: it may be tried. Reads its files.
[[nodiscard]] std::optional<std::string> why_no_etcd(const etcd_options& how);

/// The coordinator of a node of a cluster, not started yet. `stored`: the map that its folder was
/// left with; `incarnation`: of this process, `previous`: of the last one on this folder, which is
/// over (empty: there was none). @pre why_no_etcd() says nothing
[[nodiscard]] std::unique_ptr<cluster::coordinator> agreement_by_etcd(const cluster_options& how,
  domain::shard_map stored, std::string incarnation, std::string previous);
} // namespace jumun::app
