#include "app/node.hpp"
#include "actors/supervisor.hpp"
#include "app/actor_threads.hpp"
#include "app/cluster/agreement.hpp"
#include "app/cluster/cluster_side.hpp"
#include "app/cluster/shared_provider.hpp"
#include "app/exit_codes.hpp"
#include "app/log.hpp"
#include "app/monitoring/log_lines.hpp"
#include "app/presenter.hpp"
#include "app/providers/stripe.hpp"
#include "app/resilience/slow_store.hpp"
#include "cluster/single.hpp"
#include "storage/customer_index.hpp"
#include "storage/holdings.hpp"
#include "storage/rocks_store.hpp"
#include "storage/rows.hpp"
#include <caf/all.hpp>
#include <random>
#include <unistd.h>

namespace jumun::app {
std::int64_t wall_clock_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::uint64_t random_bits() {
  thread_local std::mt19937_64 source{[] {
    std::random_device seed;
    return (std::uint64_t{seed()} << 32) ^ seed();
  }()};
  return source();
}

void end_after(const storage::failure& what) {
  log::error("storage.failed",
    {{"detail", what.detail}, {"exit_code", static_cast<int>(exit_code_of(what.code))},
      {"hint", "nothing that was answered is lost; the next start goes on from the disk"}});
  ::_exit(static_cast<int>(exit_code_of(what.code)));
}

namespace {
std::int64_t steady_clock_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

storage::failure not_ours(const std::string& why) { return {storage::errc::not_ours, why}; }

/// Why the folder can't be this node's. `map`: as it was left.
std::optional<storage::failure> claimed_by_another(const storage::holdings& held,
  const domain::shard_map& map, const std::optional<cluster_options>& cluster) {
  if (!cluster && held.of_cluster())
    return not_ours("the folder is of node " + held.node + " of cluster " + held.cluster
                    + "; its shards are known to others: start it with --cluster");
  if (!cluster) return {};
  if (held.of_cluster() && (held.cluster != cluster->cluster || held.node != cluster->node))
    return not_ours("the folder is of node " + held.node + " of cluster " + held.cluster
                    + ", not of node " + cluster->node + " of cluster " + cluster->cluster);
  for (const auto& s : map.shards)
    if (!held.of_cluster() && !s.node.empty() && s.node != cluster->node)
      return not_ours(
        "the folder's shards are node " + s.node + "'s: join with --node-id " + s.node);
  return {};
}
} // namespace

/// Makes the folder this node's, and remembers which process has it now: etcd may still count the
/// last one as alive, and this one holds its lock.
std::optional<storage::failure> node::take_for(const cluster_options& how, bool ours) {
  new_disk_ = !ours && stored_map_.version == 0;
  const auto key = std::string{storage::incarnation_key};
  const auto previous = disk_->get(storage::table::meta, key).value_or("");
  const auto incarnation = std::to_string(random_bits());
  auto life = storage::life_of(*disk_).value_or(storage::folder_life{});
  // A folder that was made just now says nothing of the one before it, which may be found again.
  if (new_disk_) life = {};
  coordinator_ =
    agreement_by_etcd(how, stored_map_, {incarnation, previous, life.now, life.joined});
  return disk_->apply(
    {storage::holdings_row(how.cluster, how.node), {storage::table::meta, key, incarnation}});
}

/// Before the journal: nothing else writes yet.
std::optional<storage::failure> node::choose_coordinator(const node_options& how) {
  const auto held = storage::read_holdings(*disk_);
  const auto row = disk_->get(storage::table::meta, storage::shard_map_key);
  const auto stored = row ? storage::decode<domain::shard_map>(*row) : domain::shard_map{};
  if (!held || !stored)
    return storage::failure{
      storage::errc::corrupt, "the map of shards can't be read; restore a backup"};
  if (auto why = claimed_by_another(*held, *stored, how.cluster)) return why;
  stored_map_ = *stored;
  if (how.cluster) {
    const auto unix_ms = static_cast<std::uint64_t>(wall_clock_us() / 1000);
    if (auto why = storage::begin_life(*disk_, how.data_dir, unix_ms, random_bits())) return why;
    return take_for(*how.cluster, held->of_cluster());
  }
  coordinator_ = std::make_unique<cluster::single>(how.node_id, stored_map_);
  const auto now = coordinator_->map(); // shards of another name have changed hands
  if (now == stored_map_) return {};
  return disk_->apply(
    {{storage::table::meta, std::string{storage::shard_map_key}, storage::encode(now)}});
}

std::variant<std::unique_ptr<node>, storage::failure> node::open(const node_options& how) {
  std::unique_ptr<node> n{new node};
  disk_guard::make_room(how.data_dir);
  auto disk = storage::open_rocks({how.data_dir, how.memory_bytes});
  if (auto* failed = std::get_if<storage::failure>(&disk)) return *failed;
  n->disk_ = std::get<0>(std::move(disk));
  if (auto failed = storage::build_customer_index(*n->disk_)) return std::move(*failed);
  n->outbound_ = std::make_unique<outbound_client>(
    outbound_client::options{how.outbound_ca_file, "jumun/" JUMUN_VERSION});
  if (auto failed = n->open_provider(how)) return *failed;
  if (how.enable_faults) n->faults_ = std::make_unique<fault_board>(random_bits);
  n->guard_provider(how);
  n->space_ = std::make_unique<disk_guard>(how.data_dir, how.disk_free_min_pct);
  if (auto failed = n->choose_coordinator(how)) return std::move(*failed);
  storage::journal::options journaling;
  journaling.boot_offset = storage::read_last_offset(*n->disk_);
  journaling.on_failure = end_after;
  journaling.now_us = steady_clock_us;
  n->events_ = std::make_shared<event_hub>(journaling.boot_offset);
  journaling.on_events = [hub = n->events_, inside = n.get()](
                           std::vector<storage::durable_events> all) {
    hub->became_durable(std::move(all));
    inside->webhooks_->feed_moved();
  };
  auto written = n->disk_;
  if (n->faults_) written = std::make_shared<slow_store>(n->disk_, *n->faults_);
  n->journal_ = std::make_unique<storage::journal>(std::move(written), std::move(journaling));
  n->webhooks_ = std::make_unique<webhook_dispatcher>(*n->journal_,
    webhook_dispatcher::options{how.webhooks_allow_private, how.webhooks_hurry,
      {how.outbound_ca_file, "jumun/" JUMUN_VERSION}}); // a client of its own: see the class
  n->start_actors(how);
  n->add_side(how);
  n->start_retention(how);
  return n;
}

void node::start_retention(const node_options& how) {
  if (how.events_keep.count() == 0 && how.events_keep_bytes == 0) return;
  event_retention::options keeping;
  keeping.archive_dir = how.data_dir + "/events-archive";
  keeping.keep = how.events_keep;
  keeping.keep_bytes = how.events_keep_bytes;
  keeping.now_ms = [] { return wall_clock_us() / 1000; };
  if (side_) keeping.served = [this] { return served(); };
  retention_ = std::make_unique<event_retention>(*journal_, std::move(keeping));
  retention_->start();
}

void node::guard_provider(const node_options& how) {
  actors::payment_provider* inner = provider_.get();
  if (simulator_ && how.cluster && !how.cluster->simulator_node.empty()) {
    shared_ = std::make_unique<shared_provider>(
      shared_provider::surroundings{*inner, how.cluster->node, how.cluster->simulator_node,
        [this](const std::string& node, cluster::envelope e, cluster::peers::done then) {
          side_->peers().ask(node, std::move(e), std::move(then));
        },
        [] { return wall_clock_us() / 1000; }, how.payment_timeout});
    inner = shared_.get();
  }
  if (faults_) {
    faulty_ = std::make_unique<faulty_provider>(*inner, *faults_);
    inner = faulty_.get();
  }
  auto settings = how.breaker;
  settings.call_ms = how.payment_timeout.count();
  const auto tell = [](const domain::breaker_figures& b) {
    const bool well = b.state == domain::breaker_state::closed;
    (well ? log::info : log::warn)(
      "breaker.changed", {{"name", "payment-provider"}, {"state", domain::name_of(b.state)},
                           {"in_flight", b.in_flight}, {"waiting", b.waiting}, {"opened", b.opened},
                           {"next_probe_at", b.next_probe_ms ? rfc3339(b.next_probe_ms) : ""}});
  };
  guarded_ = std::make_unique<actors::guarded_provider>(
    *inner, settings, actors::guarded_provider::surroundings{wall_clock_us, random_bits, tell});
  breakers_ = std::make_unique<breaker_view>(*guarded_);
}

std::optional<storage::failure> node::open_provider(const node_options& how) {
  if (!how.payment_url.empty()) {
    provider_ = std::make_unique<stripe::provider>(
      *outbound_, stripe::provider::options{how.payment_url, how.payment_secret_file,
                    how.payment_timeout, [] { return wall_clock_us() / 1000; }});
    return std::nullopt;
  }
  auto opened = payment_simulator::open({how.data_dir, end_after});
  if (auto* failed = std::get_if<storage::failure>(&opened)) return *failed;
  simulator_ = std::get<0>(opened).get();
  provider_ = std::get<0>(std::move(opened));
  return std::nullopt;
}

void node::start_actors(const node_options& how) {
  presenter_ = make_presenter();
  env_.reset(new actors::environment{*journal_, route_, registry_, *presenter_, *guarded_,
    wall_clock_us, random_bits,
    [this](const domain::order_step& s) {
      census_.stepped(s, wall_clock_us() / 1000);
      watches_.became_durable(s.id, s.version, s.settled);
    },
    [this](domain::shard_id shard) {
      webhooks_->take(shard);
      if (side_) side_->owners().serving(shard);
      webhooks_->feed_moved(); // what the shard brought can be read from here on
      std::lock_guard lock{guard_};
      ++shards_started_;
      started_.notify_all();
    },
    [this](std::string why) {
      log::error("node.gave_up", {{"detail", why}});
      std::lock_guard lock{guard_};
      escalation_ = std::move(why);
      started_.notify_all();
    },
    log_actor_warning, how.payment_timeout, how.delivery_countries, random_bits(),
    how.poisoned_sku});
  registry_.recorder().clock(wall_clock_us);
  env_->poison_left = how.poison_times;
  env_->order_found = [this](
                        domain::order_id id, std::string_view state) { census_.found(id, state); };
  env_->order_moved = log_saga_step;
  env_->waiting_orders_max = how.waiting_orders_max;
  env_->drain_per_s = how.breaker.drain_per_s;
  if (faults_)
    env_->delivery_fault = [this]() -> std::optional<domain::answer> {
      const auto f = faults_->hit("delivery");
      if (!f) return {};
      return f->mode == "decline" ? domain::answer::refused : domain::answer::unknown;
    };
  caf_config_.module_factories.push_back(
    actor_threads::factory(std::max<std::size_t>(1, how.threads)));
  system_ = std::make_unique<caf::actor_system>(caf_config_);
  std::vector<domain::shard_lease> held; // in a cluster: what is agreed on, later
  if (!how.cluster) held = domain::leases_of(coordinator_->map(), coordinator_->self());
  for (const auto& lease : held) journal_->raise_epoch(lease.shard, lease.epoch);
  auto root = system_->spawn(actors::node, env_.get(), held);
  actors::actor_record r;
  r.name = r.kind = "node";
  r.address = root.address();
  r.signs = actors::signs_of(root);
  registry_.enter(std::move(r));
  root_ = std::move(root);
  std::unique_lock lock{
    guard_}; // a shard that can't start escalates, and the node is up but not ready
  started_.wait(
    lock, [this, &held] { return shards_started_ >= held.size() || !escalation_.empty(); });
}

actor_threads& node::threads() { return static_cast<actor_threads&>(system_->scheduler()); }
void node::add_side(const node_options& how) {
  if (!how.cluster) return;
  const auto left = [this](domain::shard_id shard) {
    webhooks_->leave(shard); // should they have come while it was being given up
    census_.forget(shard);
    watches_.shard_left(shard);
  };
  const auto leaving = [this](domain::shard_id shard) { webhooks_->leave(shard); };
  side_ = std::make_unique<cluster_side>(*how.cluster, *coordinator_, stored_map_, new_disk_,
    cluster_side::inside{*env_, *system_, root_, left, leaving});
  if (shared_)
    side_->on_ask([this](const auto&, const auto& what, const auto& reply) {
      return shared_->take(what, reply);
    });
}

std::optional<std::string> node::open_wire() { return side_ ? side_->open() : std::nullopt; }

void node::join(const std::string& http, const std::string& ops) {
  if (side_) side_->join(http, ops);
}

node::~node() {
  retention_.reset();
  if (side_) side_->quiet();
  if (system_) {
    actors::stop_actor(root_.address(), root_.address(), caf::exit_reason::user_shutdown);
    root_ = nullptr;
    system_->await_all_actors_done();
    route_.clear(); // only now: until they are told, these handles keep a shard's actors
  }
  if (webhooks_) webhooks_->stop();
  journal_.reset();  // commits what they appended; its callbacks may still call the provider
  side_.reset();     // or the other nodes
  outbound_.reset(); // whoever waits is told, the provider first
  faulty_.reset();
  shared_.reset();
  provider_.reset(); // and the provider's callbacks still find an actor system
  system_.reset();
}

bool node::serves(domain::shard_id shard) const { return !side_ || side_->owners().serves(shard); }

domain::epoch_id node::epoch_of(domain::shard_id shard) const {
  return side_ ? side_->owners().epoch_of(shard) : journal_->epoch_of(shard);
}

domain::shard_set node::served() const {
  return side_ ? side_->owners().served() : domain::all_shards();
}

std::string node::escalation() const {
  std::lock_guard lock{guard_};
  return escalation_;
}
} // namespace jumun::app
