#pragma once
#include "domain/limits.hpp"
#include "domain/shard_map.hpp"

namespace jumun::domain {
/// A node that is there, as far as shards are concerned.
struct candidate {
  std::string node, release;
  bool owns = true;      // false: a gateway
  bool draining = false; // hands over what it has, gets nothing
  bool operator==(const candidate&) const = default;
};

/// Somebody asked for a shard to be elsewhere.
struct move_wish {
  shard_id shard = 0;
  std::string to;
  bool operator==(const move_wish&) const = default;
};

struct assignment_rules {
  std::size_t moves_per_node = limits::moves_per_node_max; // at once, from and to it together
  std::size_t owners_min = 1; // that are there before shards are given out for the first time
  std::chrono::milliseconds first_quiet = limits::first_assignment_quiet;
  std::chrono::milliseconds rebalance_quiet = limits::rebalance_quiet;
  bool mixed_releases = false; // true: rebalances while two releases are there, too
};

struct assignment {
  shard_map next;                  // at the same version: nothing is to change
  std::vector<move_wish> answered; // wishes that need no keeping: now in `next`, or impossible
};

/// What the one assigner wants next. Pure; the same arguments give the same plan. It never changes
/// an owner or an epoch, but gives out shards that never had an owner, at epoch 1; everything else
/// is a move that it asks a shard's owner for, by `to`.
///
/// - Never owned: each goes to the node with the highest affinity (rendezvous hashing) among those
///   that are not full; full is so that at the end no two loads differ by more than one.
/// - A move whose source or target is away, or whose target gets no shards (any more), is off.
/// - Wishes first, then drains; both at any time.
/// - Rebalancing, `rebalance_quiet` after the last change of members: from the fullest to the
///   emptiest, the shards that have the highest affinity to it first, until loads differ by no more
///   than 1 + mean / balance_slack. So a node that joins gets about its share, and nobody else
///   anything; and a few shards that people have moved stay there.
/// - Owners that are away keep their shards, and count for nothing here.
/// `quiet_for`: since `present` last changed. @pre `present` has no node twice
[[nodiscard]] assignment assign(const shard_map& map, const std::vector<candidate>& present,
  const std::vector<move_wish>& wishes, std::chrono::milliseconds quiet_for,
  const assignment_rules& rules);

/// How much a shard would like to be on a node: rendezvous hashing (Thaler, Ravishankar 1998).
[[nodiscard]] std::uint64_t affinity(std::string_view node, shard_id shard);
/// How far apart two nodes' loads may be at rest, with `shards` on `nodes` of them.
[[nodiscard]] std::size_t imbalance_max(std::size_t shards, std::size_t nodes);
} // namespace jumun::domain
