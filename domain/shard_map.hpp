#pragma once
#include "domain/ids.hpp"
#include <array>
#include <string>
#include <vector>

namespace jumun::domain {
/// The right to write a shard's rows: nobody else has it at this epoch.
struct shard_lease {
  shard_id shard = 0;
  epoch_id epoch = 1;
  bool operator==(const shard_lease&) const = default;
};

struct shard_owner {
  std::string node; // empty: nobody's
  epoch_id epoch = 0;
  bool operator==(const shard_owner&) const = default;
};

/// Who owns which shard. Kept on disk with the shards (DESIGN §8): an epoch never falls.
struct shard_map {
  std::uint64_t version = 0; // rises with each change
  std::array<shard_owner, shard_count> shards;
  bool operator==(const shard_map&) const = default;
};

/// The map behind `before` in which `node` owns every shard: what changes hands gets a new epoch.
[[nodiscard]] shard_map taken_by(const std::string& node, shard_map before);
/// What `node` may write, by shard.
[[nodiscard]] std::vector<shard_lease> leases_of(const shard_map& map, const std::string& node);
} // namespace jumun::domain
