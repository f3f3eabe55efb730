#pragma once
#include "app/monitoring/families.hpp"
#include "app/node.hpp"

namespace jumun::app {
/// What a node of a cluster counts: owners and their agreement, the tunnel, the links in it, stock
/// asked for between nodes, moves. A node that is alone has the families, and no series in them.
/// `peer` in a label is a node's id: there are as many as the cluster has members.
void add_cluster_figures(families& to, const node& inside);
} // namespace jumun::app
