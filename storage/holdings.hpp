#pragma once
#include "domain/feed_position.hpp"
#include "domain/shard_set.hpp"
#include "storage/store.hpp"

namespace jumun::storage {
/// Whose a folder is, and which shards' rows in it count.
struct holdings {
  std::string cluster, node; // empty: a node that is alone, and holds all shards
  domain::shard_set shards = domain::all_shards();
  domain::feed_position trimmed = {}; // up to where retention has trimmed each shard's events
  [[nodiscard]] bool of_cluster() const { return !cluster.empty(); }
};
/// By the map of shards that the folder was left with. nullopt: what says so can't be read.
[[nodiscard]] std::optional<holdings> read_holdings(const store& disk);
/// In meta, beside the map: shards that are the node's by it, and whose rows are not in this
/// folder.
[[nodiscard]] entry missing_row(const domain::shard_set& shards);
/// All of them, when what says so can't be read.
[[nodiscard]] domain::shard_set read_missing(const store& disk);
/// In meta: which process has the folder, or had it last (cluster/coordinator.hpp).
inline constexpr std::string_view incarnation_key = "cluster_incarnation";
/// A folder lives from the start that joins its cluster to the next one that does, by numbers that
/// only rise, so that a copy of an earlier life can be told (ADR 0021). 0: none.
struct folder_life {
  static constexpr std::uint64_t none_yet = 1;
  std::uint64_t joined = 0; // the newest that has, as far as the folder knows. 0: it is a backup's,
                            // whose age is known
  std::uint64_t now = 0;    // the same, or that of the starts that have not joined yet
  bool operator==(const folder_life&) const = default;
};
/// Begins the next one, unless one is begun that has not joined. Numbered by the time, and by
/// `chance`: no two copies of a folder begin the same. Takes a restore's mark away.
[[nodiscard]] std::optional<failure> begin_life(
  store& disk, const std::string& data_dir, std::uint64_t now_ms, std::uint64_t chance);
/// As it was begun last. nullopt: it can't be read.
[[nodiscard]] std::optional<folder_life> life_of(const store& disk);
/// In meta: the cluster has taken the folder's life of now. nullopt: there is none.
[[nodiscard]] std::optional<entry> life_joined_row(const store& disk);
/// Whose presence in a folder says that it is a backup's, and has not been started yet.
inline constexpr const char* restored_mark = "restored";
inline constexpr std::string_view life_key = "cluster_life";
/// The row that makes a folder that of a cluster's node.
[[nodiscard]] entry holdings_row(std::string_view cluster, std::string_view node);

/// Several folders of one cluster as one store, to read: each shard's rows from the folder that
/// holds it, `meta` from the first one.
class joined_store final : public store {
public:
  struct part {
    std::shared_ptr<const store> disk;
    domain::shard_set shards; // no two parts have one in common
  };
  explicit joined_store(std::vector<part> parts) : parts_(std::move(parts)) {}
  std::optional<failure> apply(const std::vector<entry>&) override {
    return failure{errc::io_failed, "several folders at once are only read"};
  }
  std::optional<std::string> get(table in, std::string_view key) const override;
  std::unique_ptr<cursor> scan(
    table in, std::string_view from, std::string_view to, direction way) const override;

private:
  [[nodiscard]] const store* holder(std::size_t shard) const;
  std::vector<part> parts_;
};
} // namespace jumun::storage
