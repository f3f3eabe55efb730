#pragma once
#include "app/cluster/cluster_core.hpp"
#include "app/cluster/shared_provider.hpp"
#include "tests/sim/cluster/network.hpp"
#include "tests/sim/cluster/simulated.hpp"
#include "tests/sim/front.hpp"

namespace jumun::sim {
/// A machine: what outlives the processes of one node.
struct machine {
  machine(std::string its_name, std::size_t its_number, chaos& luck, timeline& time,
    std::mt19937_64& order, std::unique_ptr<provider> to_the_bank)
      : name(std::move(its_name)), number(its_number), bank(std::move(to_the_bank)), luck_(luck),
        time_(time), order_(order) {
    use(std::make_unique<disk>(luck, time));
  }
  /// Its processes to come have this folder. @returns the one that they had.
  std::unique_ptr<disk> use(std::unique_ptr<disk> other) {
    std::swap(folder, other);
    world = std::make_unique<outside>(outside{luck_, time_, *folder, *bank, order_});
    return other;
  }
  /// A copy of its folder, as it is now.
  [[nodiscard]] std::unique_ptr<disk> copy_folder() const;

  const std::string name;
  const std::size_t number;
  std::unique_ptr<disk> folder;
  std::unique_ptr<disk> put_aside; // while it runs on an old copy: the right one
  std::unique_ptr<provider> bank;  // its line to it
  std::unique_ptr<outside> world;
  std::int64_t skew_us = 0;                            // of its clock
  std::int64_t frozen_until_us = 0, away_until_us = 0; // away: from the agreement
  [[nodiscard]] bool frozen() const { return world->time.now_us() < frozen_until_us; }
  [[nodiscard]] std::int64_t wall_us() const { return world->time.wall_us() + skew_us; }

private:
  chaos& luck_;
  timeline& time_;
  std::mt19937_64& order_;
};

/// One life of one node of a cluster: the actors, the journal and all of app/cluster that has no
/// socket, thread or clock of its own. What stands in for the HTTP edge is a few lines: a command
/// goes to the node that owns its shard, by the codecs of cluster/messages.hpp.
class process {
public:
  struct options {
    life_options how;
    domain::assignment_rules rules;
    std::string keeper; // of the one line to the payment provider; empty: each has its own
    std::function<void(const cluster::refusal&)> refused;
    std::function<void(const cluster::note&)> noted;
    std::function<void(const cluster::view&)> seen;
  };
  process(machine& on, agreement& with, network& net, options o);
  /// By an orderly shutdown, or after kill() at once.
  ~process();

  void kill();
  [[nodiscard]] bool dead() const { return life_->dead(); }
  /// One thing that could happen now, and needs no time. False: nothing could.
  bool work();
  /// What a client asks of this node's edge.
  void ask(const command& what, answered done);

  [[nodiscard]] life& inner() { return *life_; }
  [[nodiscard]] machine& on() { return on_; }
  [[nodiscard]] simulated& agreed() { return *agreed_; }
  [[nodiscard]] app::cluster_core& core() { return *core_; }
  [[nodiscard]] bool idle() const { return tasks_.empty() && core_->moves().progress().empty(); }

private:
  void start_life(options& o);
  /// Outside of actors a read that fails ends the process.
  template <class Work> void alive(Work work) {
    try {
      work();
    } catch (const std::runtime_error&) {
      kill();
    }
  }
  [[nodiscard]] app::cluster_core::outside around();
  void forward(const std::string& owner, const command& what, answered done);
  bool take(const cluster::envelope& what, const cluster::reply_once& reply);

  machine& on_;
  options with_;
  std::mt19937_64 chance_; // of what is no actor
  std::unique_ptr<network::port> port_;
  std::unique_ptr<simulated> agreed_;
  std::unique_ptr<app::shared_provider> shared_;
  std::unique_ptr<life> life_;
  std::unique_ptr<app::cluster_core> core_;
  std::deque<std::function<void()>> tasks_; // of the mover
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};
} // namespace jumun::sim
