#pragma once
#include "tests/sim/cluster/custody.hpp"
#include "tests/sim/cluster/day.hpp"
#include "tests/sim/people.hpp"

namespace jumun::sim {
/// The edges of the nodes that are up.
class doors final : public front {
public:
  doors(std::vector<std::unique_ptr<process>>& all, std::uint64_t seed) : all_(all), draw_(seed) {}
  std::optional<std::size_t> door() override {
    std::vector<std::size_t> up;
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (open(i)) up.push_back(i);
    if (up.empty()) return {};
    return up[draw_() % up.size()];
  }
  bool open(std::size_t door) const override { return all_[door] && !all_[door]->dead(); }
  void ask(std::size_t door, const command& what, answered done) override {
    if (open(door)) all_[door]->ask(what, std::move(done));
  }
  const actors::presenter& present() const override {
    for (const auto& p : all_)
      if (p) return p->inner().env().present;
    std::abort(); // nobody renders but a process
  }

private:
  std::vector<std::unique_ptr<process>>& all_;
  std::mt19937_64 draw_;
};

/// One seed's world: day.cpp lives in it, misfortune.cpp is what goes wrong.
class cluster_day {
public:
  cluster_day(std::uint64_t seed, const run_options& how);
  /// All of it, to its end.
  outcome play();

private:
  void trace(const std::string& what);
  void say(const std::string& what) { how_.trace(std::to_string(time_.now_ms()) + " ms: " + what); }

  // -- the world ----------------------------------------------------------------------------------
  std::vector<std::unique_ptr<machine>> make_machines();
  /// The shards that the shop uses are given out, or all one node's, or nobody's yet; the others
  /// belong to a node that never comes, so that they cost nothing.
  domain::shard_map first_map(std::uint64_t seed);
  void set_up(std::uint64_t seed);
  void watch(std::size_t node, disk& folder) {
    eyes_.push_back(std::make_unique<eye>(custody_, node, folder));
    folder.watch(eyes_.back().get());
  }

  struct eye final : disk_observer {
    eye(custody& c, std::size_t node, const disk& at) : of(c), number(node), folder(at) {}
    void lands(const std::vector<storage::entry>& batch, const storage::store& before) override {
      of.lands(number, folder, batch, before);
    }
    custody& of;
    std::size_t number;
    const disk& folder;
  };

  // -- processes ----------------------------------------------------------------------------------
  void start(machine& m);
  /// Only an old copy of a disk is ever refused; the platform tries again and again.
  void refused(machine& m, const cluster::refusal& why);
  /// What the product itself says is never to happen.
  void noted(const machine& m, const cluster::note& n);
  void bury(std::size_t n);
  void bury_and_start_again(std::size_t n, std::int64_t after_ms);

  // -- time ---------------------------------------------------------------------------------------
  bool step();
  bool let_time_pass();
  void live();

  // -- what goes wrong ----------------------------------------------------------------------------
  void misfortune();
  void befall_processes();
  void stale_owner();
  void befall_links();
  void befall_the_agreement();
  void let_operators_act();
  void stop_draining();
  void use_old_disk();
  bool would_be_believed(const machine& m, const disk& copy);
  void look_at_the_disk(std::size_t n);
  process* somebody();
  std::size_t victim(fault f) { return static_cast<std::size_t>(luck_.pick(f, machines_.size())); }
  std::int64_t size_of(fault f, std::int64_t below) {
    return static_cast<std::int64_t>(luck_.pick(f, static_cast<std::uint64_t>(below)));
  }

  void heal();

  // -- rest ---------------------------------------------------------------------------------------
  bool is_quiet() { return why_not_quiet().empty(); }
  std::string why_not_quiet();

  const run_options& how_;
  options options_;
  chaos luck_;
  timeline time_;
  std::mt19937_64 order_;
  provider bank_;
  network net_;
  agreement agreed_;
  shop_model model_;
  std::vector<std::unique_ptr<machine>> machines_;
  std::vector<std::unique_ptr<eye>> eyes_;
  custody custody_;
  std::vector<std::unique_ptr<process>> running_;
  doors doors_;
  people people_;
  std::optional<agreement::picture> backup_;
  std::string draining_; // the node that an operator drains; empty: none
  std::map<std::size_t, std::unique_ptr<disk>> copies_; // of folders, by node
  std::vector<std::unique_ptr<disk>> graveyard_;
  std::size_t told_ = 0;
  std::int64_t healed_at_ms_ = 0;
  outcome end_;
};
} // namespace jumun::sim
