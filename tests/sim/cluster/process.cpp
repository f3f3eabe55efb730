#include "tests/sim/cluster/process.hpp"
#include "storage/holdings.hpp"
#include "storage/rows.hpp"

namespace jumun::sim {
namespace {
constexpr std::int64_t forward_ms = 10'000; // what a client waits for

/// The command of an envelope that an edge sent.
std::optional<command> command_in(const cluster::envelope& e) {
  std::optional<command> out;
  const auto as = [&]<class Message>(std::type_identity<Message>) {
    if (auto m = cluster::unpack<Message>(e)) out = std::move(*m);
  };
  [&]<class... Message>(std::type_identity<std::variant<Message...>>) {
    (as(std::type_identity<Message>{}), ...);
  }(std::type_identity<command>{});
  return out;
}
} // namespace

std::unique_ptr<disk> machine::copy_folder() const {
  auto copy = std::make_unique<disk>(luck_, time_);
  std::vector<storage::entry> rows;
  for (std::size_t t = 0; t < storage::table_count; ++t) {
    const auto in = static_cast<storage::table>(t);
    const auto all = folder->truth().scan(in, "", "", storage::direction::forward);
    for (; all->valid(); all->next())
      rows.push_back({in, std::string{all->key()}, std::string{all->value()}});
  }
  (void)copy->bare().apply(rows);
  return copy;
}

process::process(machine& on, agreement& with, network& net, options o)
    : on_(on), with_(std::move(o)), chance_(mix(on.world->order(), with_.how.boot)),
      port_(net.plug(on.name, [&on] { return on.wall_us() / 1000; })) {
  const auto& disk = on.folder->truth();
  const auto row = disk.get(storage::table::meta, storage::shard_map_key);
  auto stored = row ? *storage::decode<domain::shard_map>(*row) : domain::shard_map{};
  const bool new_disk = !storage::read_holdings(disk)->of_cluster() && stored.version == 0;
  const std::string key{storage::incarnation_key};
  const auto incarnation = std::to_string(chance_());
  // A folder in memory has no place for the mark of a restore.
  (void)storage::begin_life(
    on.folder->bare(), "/dev/null", static_cast<std::uint64_t>(on.wall_us() / 1000), chance_());
  const auto life = new_disk ? storage::folder_life{} : *storage::life_of(disk);
  agreed_ = std::make_unique<simulated>(on.world->luck, on.world->time, with,
    simulated::options{on.name, incarnation, disk.get(storage::table::meta, key).value_or(""),
      life.now, life.joined, stored, with_.rules, [this] { return chance_(); },
      [&on] { return on.away_until_us; }, [&on] { return on.frozen_until_us; }});
  (void)on.folder->bare().apply(
    {storage::holdings_row("shop", on.name), {storage::table::meta, key, incarnation}});
  start_life(with_);
  core_ = std::make_unique<app::cluster_core>(around(), std::move(stored), new_disk,
    app::cluster_core::inside{
      life_->env(), life_->system(), life_->root(), [](domain::shard_id) {}});
  core_->on_ask([this](const auto&, const auto& what, const auto& reply) {
    return (shared_ && shared_->take(what, reply)) || take(what, reply);
  });
  core_->open();
  cluster::listener to;
  to.changed = [this](const cluster::view_ptr& now) {
    with_.seen(*now);
    alive([&] { core_->follow(*now); });
  };
  to.refused = with_.refused;
  to.noted = with_.noted;
  agreed_->start(std::move(to));
}

void process::start_life(options& o) {
  auto how = o.how;
  how.wired = false; // the network is between nodes
  how.wall_us = [this] { return on_.wall_us(); };
  how.recovered = [this](domain::shard_id shard) { core_->owners().serving(shard); };
  if (!o.keeper.empty()) {
    shared_ = std::make_unique<app::shared_provider>(app::shared_provider::surroundings{*on_.bank,
      on_.name, o.keeper,
      [this](const std::string& node, cluster::envelope e, cluster::peers::done then) {
        port_->ask(node, std::move(e), std::move(then));
      },
      [this] { return on_.wall_us() / 1000; }, std::chrono::milliseconds{how.payment_timeout_ms}});
    how.provider = shared_.get();
  }
  on_.folder->revive();
  life_ = std::make_unique<life>(*on_.world, how);
}

app::cluster_core::outside process::around() {
  return {on_.name, *agreed_, *port_,
    [this](std::function<void()> work) { tasks_.push_back(std::move(work)); },
    [this](std::chrono::milliseconds pause, std::function<void()> work) {
      on_.world->time.later(pause.count(), [this, alive = alive_, work = std::move(work)] {
        if (*alive) tasks_.push_back(work);
      });
    },
    [this] { return on_.wall_us() / 1000; }, [this] { return chance_(); }, with_.noted,
    [this](std::string_view step) {
      if (with_.how.trace) with_.how.trace(std::string{step});
    }};
}

process::~process() {
  if (!life_->dead()) {
    core_->quiet();
    core_->stop();
    life_->end(); // what is appended last goes out
    port_->unplug();
  }
  kill();
  tasks_.clear();
  core_->quiet();
  core_->stop();
  life_->end();
  core_.reset(); // before the actor system: it has handles
}

void process::kill() {
  *alive_ = false;
  if (!life_->dead()) life_->kill();
  agreed_->die();
  port_->unplug();
}

bool process::work() {
  if (dead() || on_.frozen()) return false;
  const bool first = !tasks_.empty() && on_.world->order() % 2 == 0;
  if (!first && life_->work()) return true;
  if (tasks_.empty()) return false;
  const auto task = std::move(tasks_.front());
  tasks_.pop_front();
  alive(task);
  return true;
}

// -- the edge -------------------------------------------------------------------------------------

void process::ask(const command& what, answered done) {
  const auto shard = shard_for(what);
  if (core_->owners().serves(shard)) return sim::ask(*life_, what, std::move(done));
  const auto owner = agreed_->now()->map.shards[shard].node;
  if (owner.empty() || owner == on_.name) return done({{}, {}, /*lost=*/true});
  forward(owner, what, std::move(done));
}

void process::forward(const std::string& owner, const command& what, answered done) {
  cluster::envelope e;
  e.shard = shard_for(what);
  e.deadline_ms = on_.wall_us() / 1000 + forward_ms;
  std::visit([&e](const auto& c) { cluster::pack(e, c); }, what);
  port_->ask(owner, std::move(e), [done = std::move(done)](const cluster::ask_result& r) {
    const auto said = r.how == cluster::asked::answered
                        ? cluster::unpack<cluster::command_answered>(r.reply)
                        : std::nullopt;
    done(said ? actors::command_result{said->reply, said->to_settle}
              : actors::command_result{{}, {}, /*lost=*/true});
  });
}

bool process::take(const cluster::envelope& what, const cluster::reply_once& reply) {
  const auto c = command_in(what);
  if (!c) return false;
  if (!core_->owners().serves(shard_for(*c))) {
    reply({}); // not here: nothing was done
    return true;
  }
  sim::ask(*life_, *c, [reply](const actors::command_result& r) {
    if (r.lost) return; // unknown
    cluster::envelope e;
    cluster::pack(e, cluster::command_answered{r.reply, r.to_settle});
    reply(std::move(e));
  });
  return true;
}
} // namespace jumun::sim
