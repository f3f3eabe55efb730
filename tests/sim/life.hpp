#pragma once
#include "actors/guarded_provider.hpp"
#include "actors/supervisor.hpp"
#include "domain/order_step.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/provider.hpp"
#include "tests/sim/wire.hpp"
#include <caf/scheduler/test_coordinator.hpp>
#include <memory>
#include <random>

namespace jumun::sim {
/// What outlives the node's process.
struct outside {
  chaos& luck;
  timeline& time;
  sim::disk& disk_;
  sim::provider& provider_;
  std::mt19937_64& order; // which of the things that could happen now happens first
};
/// How this process was started.
struct life_options {
  std::uint64_t boot = 1; // the how many-th life
  std::vector<domain::shard_lease> leases;
  domain::breaker_settings breaker;
  std::int64_t payment_timeout_ms = 1'000;
  std::int64_t dormant_ms = std::chrono::milliseconds{limits::dormant_after}.count();
  std::vector<std::string> delivery_countries;
  std::string poisoned_sku;
  std::size_t recent_rows = 2'048; // durable rows that the journal keeps in memory
  unsigned commit_patience = 8;    // one in so many steps commits, while others could go on
  unsigned hurry = 16;             // one in so many steps lets time pass while work is waiting
  std::function<void(const domain::order_step&)> order_durable = [](const domain::order_step&) {};
  std::function<void(domain::shard_id)> recovered = [](domain::shard_id) {};
  /// The clock on this machine's wall, in unix microseconds; empty: the timeline's.
  std::function<std::int64_t()> wall_us;
  actors::payment_provider* provider = nullptr; // in place of the world's own line to it
  bool wired = true; // a network that loses messages lies between its own actors, too
  std::function<void(std::string)> trace; // empty: nobody reads it
};

/// One life of the node's process in one thread: the real actors on CAF's test scheduler, the real
/// journal, breaker and decisions, on a disk and beside a provider that outlive it.
class life {
public:
  life(outside& world, life_options how);
  /// The process is gone: by an orderly shutdown, or after kill() at once.
  ~life();
  life(const life&) = delete;
  life& operator=(const life&) = delete;

  /// Does one thing that could happen now, by chance; else lets time pass to the next one. False:
  /// nothing will ever happen again, or the process has died.
  bool step();
  // Its parts, for whoever steps several processes.
  /// One thing that could happen now, and needs no time. False: nothing could.
  bool work();
  /// When something is due inside of the process, or its disk is done; nullopt: never.
  [[nodiscard]] std::optional<std::int64_t> next_due_us();
  /// Its clocks show that simulated time, and what is due inside of it is ready.
  void pass_to(std::int64_t us);
  /// Ends all but the journal's and the actor system's shells: by an orderly shutdown, or after
  /// kill() at once. What it calls back outlives it. The destructor does it, too.
  void end();
  /// SIGKILL.
  void kill();
  /// SIGSTOP for so long, then SIGCONT.
  void freeze(std::int64_t ms);
  /// Ends any actor with an error; its supervisor restarts it. `which`: taken modulo their number.
  void kill_an_actor(std::uint64_t which);

  /// The node takes a shard, or gives one up, while it serves.
  void own(domain::shard_lease lease) { caf::anon_send(root_, actors::own_shard{lease}); }
  void give_up(domain::shard_id shard, std::function<void()> done) {
    caf::anon_send(root_, actors::give_up_shard{shard, std::move(done)});
  }

  [[nodiscard]] bool dead() const { return dead_; }
  /// Supervision gave up: not ready, the platform would restart it.
  [[nodiscard]] bool gave_up() const { return gave_up_; }
  /// A poisoned order has taken its shard along.
  [[nodiscard]] bool poison_spread() const { return poison_spread_; }
  actors::environment& env() { return *env_; }
  [[nodiscard]] const actors::node_actor& root() const { return root_; }
  actors::guarded_provider& guarded() { return *guarded_; }
  storage::journal& journal() { return *journal_; }
  caf::actor_system& system() { return system_; }

  /// Sends a command as the edge does. `done` is called at most once, and only by a living process,
  /// but for `lost`, which is told of by the client's broken connection.
  template <class Command, class Handle>
  void ask(const Handle& to, Command c, std::function<void(actors::command_result)> done) {
    if (!to) return done(lost());
    caf::anon_send(to, actors::asked_by_edge<Command>{std::move(c),
                         actors::completion{[alive = alive_, done = std::move(done)](
                                              actors::command_result r) { // gone: nobody answers
                           done(*alive ? std::move(r) : lost());
                         }}});
  }

private:
  static actors::command_result lost() { return {{}, {}, /*lost=*/true}; }
  caf::scheduler::test_coordinator& scheduler();
  bool run_a_job();
  bool commit();
  /// To the next thing that is due, inside or outside. False: nothing is.
  bool let_time_pass();
  void synchronise();
  [[nodiscard]] std::int64_t inner_us(caf::actor_clock::time_point t) const;

  outside& world_;
  life_options how_;
  std::int64_t base_us_; // simulated time at this life's begin
  bool dead_ = false, ended_ = false, gave_up_ = false, poison_spread_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<actors::presenter> presenter_;
  std::unique_ptr<storage::journal> journal_;
  std::unique_ptr<actors::guarded_provider> guarded_;
  std::mt19937_64 random_; // the product's own source
  sim::wire wire_;
  actors::router route_;
  actors::actor_registry registry_;
  std::unique_ptr<actors::environment> env_;
  struct testing : caf::actor_system_config {
    testing() { set("scheduler.policy", caf::atom("testing")); }
  } config_;
  caf::actor_system system_{config_};
  actors::node_actor root_;
};
} // namespace jumun::sim
