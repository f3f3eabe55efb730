#pragma once
#include "cluster/coordinator.hpp"
#include <mutex>

namespace jumun::cluster {
/// The embedded default: one node, which owns every shard for as long as it lives.
class single final : public coordinator {
public:
  /// `stored`: the map that the data folder was left with; shards of another name change hands, at
  /// a new epoch. The caller stores map() before anything is written under it.
  single(std::string node, domain::shard_map stored);

  std::string kind() const override { return "single"; }
  const std::string& self() const override { return node_; }
  view_ptr now() const override;
  contact link() const override { return {true, {}, {}, {}, 0}; }
  void start(listener to) override; // tells the view, on the caller's thread
  void stop(bool leave) override;
  void publish(self_record what) override;
  void durable(std::uint64_t map_version) override;
  change move(domain::shard_id shard, const std::string& to) override;
  change drain(const std::string& node) override;
  change resume(const std::string& node) override;
  void pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
    std::function<void(passed)> done) override; // fenced, on the caller's thread

private:
  template <class Change> void show(Change change);

  const std::string node_;
  mutable std::mutex guard_; // of what is behind it
  view_ptr view_;
};
} // namespace jumun::cluster
