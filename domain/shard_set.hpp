#pragma once
#include "domain/ids.hpp"
#include <bitset>
#include <vector>

namespace jumun::domain {
using shard_set = std::bitset<shard_count>;

[[nodiscard]] inline shard_set all_shards() { return shard_set{}.set(); }
/// Their numbers, ascending.
[[nodiscard]] inline std::vector<int> numbers_of(const shard_set& s) {
  std::vector<int> out;
  for (std::size_t i = 0; i < s.size(); ++i)
    if (s.test(i)) out.push_back(static_cast<int>(i));
  return out;
}
} // namespace jumun::domain
