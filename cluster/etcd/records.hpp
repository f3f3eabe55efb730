#pragma once
#include "cluster/coordinator.hpp"
#include "cluster/etcd/client.hpp"
#include "domain/assignment.hpp"
#include <map>
#include <set>

/// What lies in etcd under `/jumun/<cluster>/`, and its JSON. Fields that are not known are passed
/// over, so that two releases can share it. Pure.
namespace jumun::cluster::etcd {
/// The keys. Leased ones (*) are gone soon after the process that made them.
struct keys {
  explicit keys(const std::string& cluster);
  std::string all;      // the prefix of the others
  std::string config;   // what all nodes must have in common
  std::string map;      // who owns what
  std::string assigner; // * the node that may write new moves into the map
  [[nodiscard]] std::string node(const std::string& id) const;     // * its record
  [[nodiscard]] std::string stored(const std::string& id) const;   // * the map on its disk, while
                                                                   //   `map` knows less
  [[nodiscard]] std::string draining(const std::string& id) const; // it is to hand over all
  [[nodiscard]] std::string wish(domain::shard_id shard) const;    // where a shard is to go
  [[nodiscard]] std::string life(const std::string& id) const;     // the newest of its folder
};

struct node_row {
  member says;
  std::int64_t modified = 0, lease = 0;
};
struct assigner_row {
  std::string node;
  std::int64_t created = 0, lease = 0;
};
/// All of it at one moment.
struct agreed {
  moment at;
  std::optional<std::string> config;
  std::optional<domain::shard_map> map;
  std::int64_t map_modified = 0; // 0: there is none
  /// It has not been in etcd from its first version on: each write raises that by one, but the one
  /// that makes it again of what nodes have stored.
  bool map_remade = false;
  std::optional<assigner_row> assigner;
  std::map<std::string, node_row> nodes; // limits::members_max at most
  std::map<std::string, domain::shard_map> stored;
  std::set<std::string> draining;
  std::vector<domain::move_wish> wishes;
  std::map<std::string, std::uint64_t> lives;
  std::vector<std::string> unread; // keys that were passed over
};
/// `garbled` when the map or the assigner's key is there and can't be read: never taken for absent.
[[nodiscard]] result<agreed> read_agreed(const keys& at, const range& from);

/// Everybody who is there, with `draining` as it was asked; and away, as `before` has them (or with
/// no more than a name), those who own shards in `map`.
[[nodiscard]] std::vector<member> members_of(
  const agreed& now, const domain::shard_map& map, const std::vector<member>& before);

[[nodiscard]] std::string encode(const domain::shard_map& map);
[[nodiscard]] std::optional<domain::shard_map> decode_map(std::string_view json);
[[nodiscard]] std::string encode(const member& record); // without its name and state
[[nodiscard]] std::optional<member> decode_member(std::string_view json);
/// What this release wants all nodes to have in common: how shards are counted and keys are hashed.
[[nodiscard]] std::string own_config();
/// Why a cluster of that config is none for this release; empty: it is one.
[[nodiscard]] std::string misfit(std::string_view config);

/// 1..63 of a-z, 0-9 and -: the form of a node's and of a cluster's name.
[[nodiscard]] bool is_name(std::string_view text);

/// What the assigner is to write into `map` now. Pure.
struct next_map {
  std::optional<domain::shard_map> write; // nullopt: nothing
  std::vector<domain::move_wish> answered;
  bool rebuilt = false; // out of the maps that nodes have stored
  std::string trouble;  // why it can do nothing; for the log
};
/// Without a map, or with one that knows less than some node has stored (etcd was wiped, or put
/// back from a backup), first the map is made again of all that is known; never of nothing while a
/// node that is there says it has one. `quiet_for`: since the members last changed. `lineage`: for
/// a cluster's first map.
[[nodiscard]] next_map decide(const agreed& now, std::chrono::milliseconds quiet_for,
  const domain::assignment_rules& rules, const std::string& lineage);
} // namespace jumun::cluster::etcd
