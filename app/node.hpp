#pragma once
#include "actors/environment.hpp"
#include "app/cluster/options.hpp"
#include "app/disk_guard.hpp"
#include "app/event_hub.hpp"
#include "app/event_retention.hpp"
#include "app/monitoring/census.hpp"
#include "app/outbound/http_client.hpp"
#include "app/payment_simulator.hpp"
#include "app/resilience/breaker_view.hpp"
#include "app/resilience/faulty_provider.hpp"
#include "app/watch_hub.hpp"
#include "app/webhooks/dispatcher.hpp"
#include "cluster/coordinator.hpp"
#include "domain/shard_set.hpp"
#include "storage/journal.hpp"
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <memory>
#include <variant>

namespace jumun::app {
class actor_threads;
class cluster_side;
class shared_provider;

struct node_options {
  std::string data_dir;
  std::string node_id = "n1";
  std::uint64_t memory_bytes = 256ULL << 20;
  std::size_t threads = 1; // of the actors; 0: those of the edge, and one while there is none
  std::chrono::milliseconds payment_timeout{1000};
  std::string payment_url; // of a provider over HTTP; empty: the embedded simulator
  std::string payment_secret_file;
  std::vector<std::string> delivery_countries;
  unsigned disk_free_min_pct = 5;
  std::string outbound_ca_file;
  std::chrono::milliseconds events_keep{0}; // 0: for ever
  std::uint64_t events_keep_bytes = 0;      // 0: all
  std::string poisoned_sku; // --failpoints saga.throw:<sku>, or saga.throw:<sku>*<times>
  int poison_times = std::numeric_limits<int>::max();
  domain::breaker_settings breaker;
  std::size_t waiting_orders_max = limits::waiting_orders_max;
  bool enable_faults = false;
  bool webhooks_allow_private = false;
  std::int64_t webhooks_hurry = 1;
  std::optional<cluster_options> cluster; // nullopt: it is alone
};

/// One node, whole: store, journal, payment provider, actors; everything but HTTP. Opened alone, it
/// has recovered: each open saga has an actor again. In a cluster it serves nothing until it has
/// joined, and then what is agreed on. A disk failure later on ends the process (see
/// exit_codes.hpp).
class node {
public:
  /// Blocks: opens the folder, replays its log, spawns the actors. Depends on the orders in flight,
  /// not on history.
  [[nodiscard]] static std::variant<std::unique_ptr<node>, storage::failure> open(
    const node_options& how);
  /// Ends the actors, commits what they appended, closes the folder. Blocks.
  ~node();

  [[nodiscard]] actors::environment& env() { return *env_; }
  [[nodiscard]] const storage::store& disk() const { return *disk_; }
  [[nodiscard]] const std::shared_ptr<storage::store>& shared_disk() const { return disk_; }
  [[nodiscard]] const storage::journal& journal() const { return *journal_; }
  [[nodiscard]] cluster::coordinator& coordinator() const { return *coordinator_; }
  /// There are no other nodes, now and for as long as this process lives.
  [[nodiscard]] bool alone() const { return side_ == nullptr; }
  [[nodiscard]] cluster_side* side() const { return side_.get(); } // null: alone
  /// Whether this node serves the shard now; all that it serves. Any thread, never blocks.
  [[nodiscard]] bool serves(domain::shard_id shard) const;
  [[nodiscard]] domain::shard_set served() const;
  /// At which it serves the shard; 0: it does not. Never the journal's once that has been given up.
  [[nodiscard]] domain::epoch_id epoch_of(domain::shard_id shard) const;
  /// In a cluster: opens the wire to the other nodes. @returns why it can't.
  [[nodiscard]] std::optional<std::string> open_wire();
  /// The other nodes see this one from here on. `http`, `ops`: host:port of its listeners.
  void join(const std::string& http, const std::string& ops);
  /// Null where a real provider takes the money.
  [[nodiscard]] const payment_simulator* simulator() const { return simulator_; }
  [[nodiscard]] breaker_view& breakers() { return *breakers_; }
  [[nodiscard]] fault_board* faults() { return faults_.get(); } // null without --enable-faults
  [[nodiscard]] disk_guard& space() const { return *space_; }
  [[nodiscard]] outbound_client& outbound() { return *outbound_; }
  [[nodiscard]] webhook_dispatcher& webhooks() { return *webhooks_; }
  [[nodiscard]] watch_hub& watches() { return watches_; }
  [[nodiscard]] census& orders() { return census_; }
  [[nodiscard]] const std::shared_ptr<event_hub>& events() const { return events_; }
  /// Where the actors run.
  [[nodiscard]] actor_threads& threads();
  /// Why supervision gave up; empty: it has not.
  [[nodiscard]] std::string escalation() const;

private:
  node() = default;
  [[nodiscard]] std::optional<storage::failure> open_provider(const node_options& how);
  [[nodiscard]] std::optional<storage::failure> choose_coordinator(const node_options& how);
  [[nodiscard]] std::optional<storage::failure> take_for(const cluster_options& how, bool ours);
  void add_side(const node_options& how);
  void start_actors(const node_options& how);
  void start_retention(const node_options& how);
  void guard_provider(const node_options& how);

  std::unique_ptr<fault_board> faults_; // journal and provider look at it to their ends
  std::shared_ptr<storage::store> disk_;
  domain::shard_map stored_map_; // as the folder was left
  bool new_disk_ = false;        // the folder was nobody's before this start
  std::unique_ptr<cluster::coordinator> coordinator_;
  std::shared_ptr<event_hub> events_;
  std::unique_ptr<storage::journal> journal_;
  std::unique_ptr<webhook_dispatcher> webhooks_;
  std::unique_ptr<outbound_client> outbound_;
  std::unique_ptr<event_retention> retention_;        // null: everything is kept
  std::unique_ptr<actors::guarded_provider> guarded_; // around faulty_, around provider_
  std::unique_ptr<breaker_view> breakers_;
  std::unique_ptr<actors::payment_provider> provider_;
  const payment_simulator* simulator_ = nullptr; // provider_, where it is that
  std::unique_ptr<faulty_provider> faulty_;      // null without --enable-faults
  std::unique_ptr<disk_guard> space_;
  std::unique_ptr<actors::presenter> presenter_;
  actors::router route_;
  actors::actor_registry registry_;
  watch_hub watches_;
  census census_;
  std::unique_ptr<actors::environment> env_;
  caf::actor_system_config caf_config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<cluster_side> side_;      // null: alone
  std::unique_ptr<shared_provider> shared_; // null: alone, or this node's calls stay here
  actors::node_actor root_;                 // held: CAF ends an actor that nobody holds
  mutable std::mutex guard_;
  std::condition_variable started_;
  std::size_t shards_started_ = 0; // of the first start
  std::string escalation_;
};

/// Unix microseconds, and 64 random bits: what actors are given for time and chance. Thread-safe.
[[nodiscard]] std::int64_t wall_clock_us();
[[nodiscard]] std::uint64_t random_bits();
/// Ends the process after a disk failure: one line to the log, the exit code of its kind, no
/// destructors, so that nothing more is written.
[[noreturn]] void end_after(const storage::failure& what);
} // namespace jumun::app
