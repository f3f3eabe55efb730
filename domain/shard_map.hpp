#pragma once
#include "domain/ids.hpp"
#include <array>
#include <string>
#include <variant>
#include <vector>

namespace jumun::domain {
/// The right to write a shard's rows: nobody else has it at this epoch.
struct shard_lease {
  shard_id shard = 0;
  epoch_id epoch = 1;
  bool operator==(const shard_lease&) const = default;
};

struct shard_owner {
  std::string node; // empty: nobody's, and never was anybody's
  epoch_id epoch = 0;
  std::string to{}; // where it is wanted; empty: it stays
  bool operator==(const shard_owner&) const = default;
};

/// Who owns which shard. Kept on disk with the shards (DESIGN §8): an epoch never falls.
struct shard_map {
  std::uint64_t version = 0; // rises with each change
  /// Random, made with a cluster's first map and never changed: two clusters that were given one
  /// name are told apart by it. Empty: made by a node alone.
  std::string lineage{};
  std::array<shard_owner, shard_count> shards;
  bool operator==(const shard_map&) const = default;
};

/// The map behind `before` in which `node` owns every shard: what changes hands gets a new epoch.
[[nodiscard]] shard_map taken_by(const std::string& node, shard_map before);
/// What `node` may write, by shard.
[[nodiscard]] std::vector<shard_lease> leases_of(const shard_map& map, const std::string& node);

/// A shard that its owner is asked to hand over.
struct wanted_move {
  shard_id shard = 0;
  epoch_id epoch = 0; // the owner's; the next one gets epoch + 1
  std::string to;
  bool operator==(const wanted_move&) const = default;
};
/// The moves that `node` is the source of, by shard.
[[nodiscard]] std::vector<wanted_move> wanted_moves(const shard_map& map, const std::string& node);

/// What an owner's passing its epoch on comes to.
enum class passing : std::uint8_t {
  due = 1, // the map says that `from` has it: it may be passed
  done,    // it has been passed already
  fenced,  // somebody else has it at that epoch: `from` never did
  early,   // the map is older than what `from` holds
};
/// Whether `from`, which has given the shard up at `epoch`, may enter its next owner. Only the
/// holder of an epoch ever passes it on, whatever `entry.to` says by now.
[[nodiscard]] passing judge_pass(const shard_owner& entry, const std::string& from, epoch_id epoch);
/// The map behind `map` in which `to` owns the shard at the next epoch. @pre the pass is due
[[nodiscard]] shard_map passed_on(shard_map map, shard_id shard, const std::string& to);

/// Whether `map` knows all that `other` does: no epoch of it, nor its version, is older.
[[nodiscard]] bool covers(const shard_map& map, const shard_map& other);
/// Why the two can't be of one cluster: lineages, or two owners at one epoch; empty: they can.
[[nodiscard]] std::string contradiction(const shard_map& a, const shard_map& b);
/// One map of what several nodes have stored: for each shard the highest epoch, at a version above
/// all. Or why they contradict each other. Of maps that agree it is a function of the set.
[[nodiscard]] std::variant<shard_map, std::string> merged(const std::vector<shard_map>& stored);
} // namespace jumun::domain
