#include "tests/sim/life.hpp"
#include "app/presenter.hpp"
#include "storage/local_log.hpp"
#include "tests/support/attentive_log.hpp"
#include <caf/all.hpp>

namespace jumun::sim {
life::life(outside& world, life_options how)
    : world_(world), how_(std::move(how)), base_us_(world.time.now_us()),
      presenter_(app::make_presenter()), random_(mix(world.order(), how_.boot)),
      wire_(world.luck, world.time),
      route_(how_.wired ? actors::router::link{[this](auto shard, const auto& real) {
        return wire_.link(shard, real);
      }}
                        : actors::router::link{}) {
  std::shared_ptr<storage::store> disk{std::shared_ptr<void>{}, &world.disk_}; // not ours to free
  storage::journal::options journaling;
  journaling.manual = true;
  journaling.recent_rows = how_.recent_rows;
  journaling.boot_offset = storage::read_last_offset(world.disk_.truth());
  journaling.on_failure = [this](const storage::failure&) { kill(); };
  journaling.log =
    std::make_shared<tests::attentive_log>(std::make_shared<storage::local_log>(disk));
  journal_ = std::make_unique<storage::journal>(std::move(disk), std::move(journaling));
  for (const auto& lease : how_.leases) journal_->raise_epoch(lease.shard, lease.epoch);
  auto now_us = how_.wall_us;
  if (!now_us) now_us = [this] { return world_.time.wall_us(); };
  const auto random = [this] { return random_(); };
  auto& money = how_.provider ? *how_.provider : world.provider_;
  guarded_ = std::make_unique<actors::guarded_provider>(
    money, how_.breaker, actors::guarded_provider::surroundings{now_us, random, {}});
  env_.reset(new actors::environment{*journal_, route_, registry_, *presenter_, *guarded_, now_us,
    random, how_.order_durable, how_.recovered, [this](const std::string&) { gave_up_ = true; },
    [this](std::string_view event, const std::string& detail, std::string_view) {
      if (how_.trace) how_.trace(std::string{event} + " " + detail);
      const auto by_poison = detail.find("failpoint saga.throw") != std::string::npos;
      poison_spread_ = poison_spread_ || (event == "supervisor.fell" && by_poison);
    },
    std::chrono::milliseconds{how_.payment_timeout_ms}, how_.delivery_countries, how_.boot,
    how_.poisoned_sku});
  env_->dormant_after = std::chrono::milliseconds{how_.dormant_ms};
  if (how_.trace)
    env_->order_moved = [this](std::string_view from, const domain::order& o) {
      how_.trace(domain::to_text(domain::id_kind::order, o.id) + " " + std::string{from} + " -> "
                 + std::string{domain::name_of(o.at)} + " version=" + std::to_string(o.version));
    };
  world.provider_.connect();
  wire_.open(system_);
  root_ = system_.spawn(actors::node, env_.get(), how_.leases);
}

life::~life() { end(); }

void life::end() {
  if (std::exchange(ended_, true)) return;
  if (!dead_) { // orderly: what was appended is committed, and its answers go out
    caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
    while (scheduler().try_run_once() || journal_->run_once()) {}
    if (!dead_) kill();
  }
  caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
  while (scheduler().try_run_once()) {}
  wire_.close(); // only now: until they were told, these handles keep a shard's actors
  route_.clear();
  root_ = nullptr;
  while (scheduler().try_run_once()) {}
  journal_.reset();
}

void life::kill() {
  dead_ = true;
  *alive_ = false;
  world_.disk_.cut();
  world_.provider_.hang_up();
}

caf::scheduler::test_coordinator& life::scheduler() {
  return static_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

bool life::run_a_job() {
  auto& ready = scheduler().jobs;
  if (ready.empty()) return false;
  const auto lucky = static_cast<std::ptrdiff_t>(world_.order() % ready.size());
  std::rotate(ready.begin(), ready.begin() + lucky, ready.begin() + lucky + 1);
  return scheduler().try_run_once();
}

bool life::commit() { return !world_.disk_.stalled() && journal_->run_once(); }

/// The clock of the scheduler begins with this life, at one nanosecond.
std::int64_t life::inner_us(caf::actor_clock::time_point t) const {
  using namespace std::chrono;
  return base_us_ + duration_cast<microseconds>(t.time_since_epoch() - nanoseconds{1}).count();
}

void life::synchronise() { world_.time.advance_to(inner_us(scheduler().clock().now())); }

std::optional<std::int64_t> life::next_due_us() {
  auto& clock = scheduler().clock();
  std::optional<std::int64_t> next;
  if (clock.has_pending_timeout())
    next = inner_us(clock.schedule().begin()->first + std::chrono::nanoseconds{999});
  if (world_.disk_.stalled())
    next = std::min(next.value_or(INT64_MAX), world_.disk_.stalled_until_us());
  return next;
}

void life::pass_to(std::int64_t us) {
  auto& clock = scheduler().clock();
  const auto by = us - inner_us(clock.now());
  if (by >= 0) clock.advance_time(std::chrono::microseconds{by});
}

bool life::let_time_pass() {
  auto next = world_.time.next_due_us();
  if (const auto inside = next_due_us()) next = std::min(next.value_or(*inside), *inside);
  if (!next) return false;
  pass_to(std::max(*next, world_.time.now_us()));
  synchronise();
  while (!dead_ && world_.time.run_one_due()) {}
  return true;
}

bool life::work() {
  if (dead_) return false;
  if (world_.order() % how_.commit_patience == 0 && commit()) return true;
  return run_a_job() || commit();
}

bool life::step() {
  if (dead_) return false;
  if (world_.order() % how_.commit_patience == 0 && commit()) return !dead_;
  // Once all has healed, a machine has the time that it needs: in a hurry, repetitions can pile up
  // faster than they are served, for days, and a key is forgotten meanwhile (seed 1305).
  const bool hurries = !world_.luck.healed() && world_.order() % how_.hurry == 0;
  if (hurries && let_time_pass()) return !dead_;
  if (run_a_job() || commit()) return !dead_;
  return !dead_ && let_time_pass();
}

void life::freeze(std::int64_t ms) {
  scheduler().clock().advance_time(std::chrono::milliseconds{ms});
  synchronise();
}

void life::kill_an_actor(std::uint64_t which) {
  const auto all = registry_.all();
  if (all.empty()) return;
  const auto& who = all[which % all.size()];
  if (how_.trace) how_.trace("an operator restarts " + who.name);
  if (who.state == "dormant") {
    const actors::respawn again{actors::role::saga, who.order};
    return caf::anon_send(route_.supervisor(domain::shard_of(who.order)), again);
  }
  actors::stop_actor(who.address, who.address,
    caf::make_error(actors::errc::restart_asked, std::string{"an operator asked for it"}));
}
} // namespace jumun::sim
