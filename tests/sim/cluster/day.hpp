#pragma once
#include "tests/sim/run.hpp"

namespace jumun::sim {
/// The same day (run.hpp) of a shop of several nodes: options::nodes of them, their network and
/// whoever agrees on their map, moves and drains included.
[[nodiscard]] outcome run_cluster(std::uint64_t seed, const run_options& how);
} // namespace jumun::sim
