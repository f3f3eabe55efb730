#pragma once
#include "tests/history/linearize.hpp"

/// What a version number tells before any search: whoever saw a lower one came before whoever saw a
/// higher one.
namespace jumun::tests::history {
struct sighting {
  std::uint32_t call;  // index
  std::int64_t moment; // 2 × version for who made it, and one more for who saw it
};

/// Narrows the times of calls to those that their versions leave, which makes the search short:
/// what was seen of higher versions ends a call, what was seen of lower ones begins it.
/// @returns two calls that contradict each other, the lower version first; or nothing.
[[nodiscard]] std::optional<std::pair<std::uint32_t, std::uint32_t>> narrow(
  std::vector<call>& calls, std::vector<sighting> seen);
} // namespace jumun::tests::history
