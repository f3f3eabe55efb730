#pragma once
#include "http/console/overview.hpp"
#include "http/exchange.hpp"
#include <functional>

namespace jumun::http {
/// One node's overview as JSON; its `history` is null where there is none.
[[nodiscard]] std::string overview_json(const node_overview& o);

/// Asks all nodes, and hands on {nodes, missing_nodes} as JSON; on any thread, guarded. Never
/// blocks. `ex`: whose rights they are asked with; may have been answered already.
void gather_overview(
  const exchange_ptr& ex, bool with_history, std::function<void(std::string)> then);
} // namespace jumun::http
