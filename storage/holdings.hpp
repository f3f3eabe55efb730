#pragma once
#include "domain/shard_set.hpp"
#include "storage/store.hpp"

namespace jumun::storage {
/// Whose a folder is, and which shards' rows in it count.
struct holdings {
  std::string cluster, node; // empty: a node that is alone, and holds all shards
  domain::shard_set shards = domain::all_shards();
  [[nodiscard]] bool of_cluster() const { return !cluster.empty(); }
};
/// By the map of shards that the folder was left with. nullopt: what says so can't be read.
[[nodiscard]] std::optional<holdings> read_holdings(const store& disk);
/// In meta: which process has the folder, or had it last (cluster/coordinator.hpp).
inline constexpr std::string_view incarnation_key = "cluster_incarnation";
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
