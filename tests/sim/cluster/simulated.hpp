#pragma once
#include "tests/sim/chaos.hpp"
#include "tests/sim/cluster/agreement.hpp"
#include <deque>

namespace jumun::sim {
/// The coordinator's third adapter (DESIGN §8): the steps of etcd_coordinator over an agreement
/// whose answers come late, get lost, or are old, by chance. One life of one node.
class simulated final : public cluster::coordinator {
public:
  struct options {
    std::string node, incarnation, previous; // previous: of the process that had the disk before
    std::uint64_t life = 0, life_before = 0; // of the folder (ADR 0021)
    domain::shard_map stored;
    domain::assignment_rules rules;
    std::function<std::uint64_t()> random;
    /// Until when this process reaches nobody, and until when it does nothing at all; in
    /// microseconds.
    std::function<std::int64_t()> away_until_us, frozen_until_us;
  };
  simulated(chaos& luck, timeline& time, agreement& with, options how);
  ~simulated() override { die(); }
  /// The process is dead: nothing of it is said any more, to nobody.
  void die();

  std::string kind() const override { return "simulated"; }
  const std::string& self() const override { return how_.node; }
  cluster::view_ptr now() const override { return view_; }
  cluster::contact link() const override;
  void start(cluster::listener to) override;
  void stop(bool leave) override;
  void publish(cluster::self_record what) override { self_ = std::move(what); }
  void durable(std::uint64_t map_version) override { durable_ = std::max(durable_, map_version); }
  cluster::change move(domain::shard_id shard, const std::string& to) override;
  cluster::change drain(const std::string& node) override;
  cluster::change resume(const std::string& node) override;
  void pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
    std::function<void(cluster::passed)> done) override;

private:
  using picture = agreement::picture;
  using condition = std::function<bool(const picture&)>;
  using change_of = std::function<void(picture&, std::int64_t revision)>;
  struct pending_pass {
    domain::shard_id shard;
    domain::epoch_id epoch;
    std::string to;
    std::function<void(cluster::passed)> done;
  };

  void later(std::int64_t ms, std::function<void()> what);
  void look_within(std::int64_t ms);
  void look();
  void act();
  [[nodiscard]] bool reaches() const;
  bool hold_lease();
  void absorb();
  void show();
  // Each step writes at most one thing. False: it had nothing to write.
  bool enter();
  bool is_older_copy();
  bool show_stored();
  bool pass_on();
  bool make_known();
  bool stand_for_election();
  bool assign();
  bool write(condition if_all, change_of then);
  [[nodiscard]] cluster::member record() const;
  [[nodiscard]] bool is_assigner() const;

  chaos& luck_;
  timeline& time_;
  agreement& with_;
  const options how_;
  cluster::listener to_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool started_ = false, joined_ = false, ever_joined_ = false, ever_served_ = false;
  std::int64_t version_at_us_ = 0; // until then a newer version alone is not worth a write
  std::int64_t lease_ = 0, look_at_us_ = INT64_MAX, heard_us_ = 0, members_since_us_ = 0;
  picture picture_;
  domain::shard_map known_; // never falls
  cluster::self_record self_;
  std::uint64_t durable_;
  std::vector<std::string> signature_;
  std::deque<change_of> wishes_;
  std::vector<pending_pass> passes_;
  cluster::view_ptr view_;
};
} // namespace jumun::sim
