#pragma once
#include "http/routes.hpp"

namespace jumun::http {
/// A list of all nodes: each that owns shards is asked for its part (lists.hpp), and the parts are
/// merged into the one page that a node alone would give. The shards of which nobody answered in
/// time are named by `missing_shards`. A refusal of one node is the answer: all would say the same.
void gather_list(const exchange_ptr& ex, const route& r);
} // namespace jumun::http
