#pragma once
#include "storage/holdings.hpp"
#include "tests/sim/cluster/process.hpp"
#include "tests/sim/model.hpp"

namespace jumun::sim {
/// Who may write a shard's rows, kept from outside: by what the agreement's map says the moment
/// that it says so. What the holder writes is the shop's truth, and goes to the model; whoever else
/// writes is either filling a copy that is not whole, or emptying an old one.
class custody {
public:
  custody(shop_model& model, const std::vector<std::unique_ptr<machine>>& machines);
  /// By the map that the cluster begins with.
  void begin(const domain::shard_map& map);
  void map_changed(const domain::shard_map& now);
  void lands(std::size_t node, const disk& at, const std::vector<storage::entry>& batch,
    const storage::store& before);
  /// A node was told of this.
  void seen(std::size_t node, const cluster::view& now);
  /// Another process of it begins: what its disk remembers.
  void starts(std::size_t node, const domain::shard_map& stored) { views_[node] = stored; }
  /// At the end, when all is quiet: nobody but the holder has rows of a shard.
  void inspect() const;

  struct holder {
    std::size_t node = none;
    domain::epoch_id epoch = 0;
    const disk* at = nullptr; // the folder that has the rows
  };
  static constexpr std::size_t none = SIZE_MAX;
  [[nodiscard]] const holder& of(domain::shard_id shard) const { return holders_[shard]; }
  /// The rows of each shard where its holder has them.
  [[nodiscard]] const storage::store& truth() const { return truth_; }
  /// Whether a shard's rows are in this folder.
  [[nodiscard]] bool holds(const disk& folder) const;
  [[nodiscard]] static std::string rows_of(const storage::store& disk, domain::shard_id shard);
  std::function<void(const std::string&)> trace;
  [[nodiscard]] std::size_t moves() const { return moves_; }

private:
  [[nodiscard]] bool may_be_kept(const machine& m, domain::shard_id shard) const;
  void passes(domain::shard_id shard, std::size_t to, domain::epoch_id epoch);
  void rebuild();
  [[nodiscard]] std::size_t number_of(const std::string& name) const;

  class shop final : public storage::store { // what is behind it changes with each move
  public:
    std::optional<storage::failure> apply(const std::vector<storage::entry>& all) override {
      return now->apply(all);
    }
    std::optional<std::string> get(storage::table in, std::string_view key) const override {
      return now->get(in, key);
    }
    std::unique_ptr<storage::cursor> scan(storage::table in, std::string_view from,
      std::string_view to, storage::direction way) const override {
      return now->scan(in, from, to, way);
    }
    std::unique_ptr<storage::joined_store> now;
  };

  shop_model& model_;
  const std::vector<std::unique_ptr<machine>>& machines_;
  std::array<holder, domain::shard_count> holders_;
  std::size_t moves_ = 0;
  std::vector<domain::shard_map> views_; // by node: what it was told last
  shop truth_;
};
} // namespace jumun::sim
