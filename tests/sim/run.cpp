#include "tests/sim/run.hpp"
#include "storage/customer_index.hpp"
#include "tests/sim/cluster/day.hpp"
#include "tests/sim/people.hpp"
#include <algorithm>

namespace jumun::sim {
namespace {
constexpr std::size_t steps_max = 2'000'000;   // more: it will never come to rest
constexpr std::int64_t faults_end_ms = 40'000; // behind the end of the day

/// One seed's world.
class day {
public:
  day(std::uint64_t seed, const run_options& how)
      : how_(how), options_(how.with ? *how.with : options{seed}), luck_(seed, options_, how.only),
        order_(mix(seed, 0x0d3)), disk_(luck_, time_),
        provider_(luck_, time_, options_.provider_ms), world_{luck_, time_, disk_, provider_,
                                                         order_},
        people_({luck_, time_, provider_, disk_.truth(), front_}, options_, model_, seed) {
    end_.seed = seed;
    if (how.trace) {
      const auto tell = [this](const std::string& what) { trace(what); };
      model_.trace = people_.trace = tell;
    }
    (void)storage::build_customer_index(disk_.bare());
    disk_.watch(&model_);
    if (how.fail_batch > 0) disk_.fail_nth(how.fail_batch, how.fail_landed);
    provider_.watch([this](std::string_view what, const actors::provider_charge& c) {
      model_.call_leaves(what, c, disk_.truth());
    });
    poisoned_ = luck_.fires(fault::poisoned);
  }

  outcome play() {
    people_.plan();
    time_.later(options_.day_ms + faults_end_ms, [this] { heal(); });
    for (bool over = false; !over;) over = one_life();
    people_.inspect();
    end_.wrong = model_.violations();
    end_.faults = luck_.what_fired();
    end_.fingerprint = model_.fingerprint();
    end_.orders = people_.orders();
    end_.events = model_.events();
    end_.batches = disk_.batches();
    return std::move(end_);
  }

private:
  void trace(const std::string& what) {
    for (; told_ < luck_.what_fired().size(); ++told_)
      say("  ! " + to_text(luck_.what_fired()[told_]));
    say(what);
  }
  void say(const std::string& what) {
    how_.trace(
      std::to_string(time_.now_ms()) + " ms, life " + std::to_string(end_.lives) + ": " + what);
  }
  void heal() {
    if (how_.trace) trace("-- nothing goes wrong any more");
    luck_.heal();
    provider_.come_back();
  }

  life_options start() {
    life_options how;
    how.boot = ++end_.lives;
    for (const auto shard : people_.shards()) how.leases.push_back({shard, /*epoch=*/2});
    how.breaker.call_ms = how.payment_timeout_ms = options_.payment_timeout_ms;
    how.dormant_ms = options_.dormant_ms;
    how.delivery_countries = {"KR"};
    if (poisoned_) how.poisoned_sku = people_.skus().front();
    how.commit_patience = options_.commit_patience;
    how.recent_rows = options_.recent_rows;
    how.hurry = options_.hurry;
    how.order_durable = [this](const domain::order_step& s) { people_.order_durable(s); };
    if (how_.trace) how.trace = [this](const std::string& what) { trace(what); };
    return how;
  }

  /// @returns true once everything has settled.
  bool one_life() {
    bool over = false;
    {
      disk_.revive();
      life now{world_, start()};
      now.env().poison_left = poisoned_ ? 3 + static_cast<int>(luck_.pick(fault::poisoned, 40)) : 0;
      front_.stands_for(&now);
      if (how_.trace) trace("-- the node starts");
      over = live(now);
      if (now.poison_spread()) model_.wrong("poison-spread", "one order took its shard along");
      front_.stands_for(nullptr);
      people_.door_closes(0);
      if (how_.trace) trace(now.dead() ? "-- the node is dead" : "-- the node stops");
    }
    time_.advance_to(time_.now_us() + 50'000 + static_cast<std::int64_t>(order_() % 2'000'000));
    return over;
  }

  bool live(life& now) {
    for (;;) {
      if (++end_.steps > steps_max) {
        model_.wrong("stuck", "it never comes to rest");
        return true;
      }
      if (now.gave_up()) now.kill(); // the platform restarts what is not ready
      if (luck_.healed()) now.env().poison_left = 0;
      if (!now.step()) {
        if (now.dead()) return false;
        if (luck_.healed() && !people_.tidy_up()) return true;
        if (!luck_.healed()) heal(); // nothing is left to go wrong with
        continue;
      }
      if (!misfortune(now)) return false;
    }
  }

  /// False: this life is over.
  bool misfortune(life& now) {
    if (luck_.healed()) return true;
    const bool may_die = end_.lives < options_.lives_max;
    if (luck_.fires(fault::killed) && may_die) {
      now.kill();
      return false;
    }
    if (luck_.fires(fault::restarted) && may_die) return false;
    if (luck_.fires(fault::frozen))
      now.freeze(static_cast<std::int64_t>(10 + luck_.pick(fault::frozen, 30'000)));
    if (luck_.fires(fault::clock_back))
      time_.skew_by(-static_cast<std::int64_t>(luck_.pick(fault::clock_back, 600'000)));
    if (luck_.fires(fault::clock_forward))
      time_.skew_by(static_cast<std::int64_t>(luck_.pick(fault::clock_forward, 600'000)));
    if (luck_.fires(fault::actor_killed))
      now.kill_an_actor(luck_.pick(fault::actor_killed, 1 << 20));
    if (luck_.fires(fault::stale_owner_writes)) stale_owner(now);
    return true;
  }

  /// A former owner of a shard, or a writer with an old row in its hands, comes back and writes.
  void stale_owner(life& now) {
    const auto rows =
      disk_.truth().scan(storage::table::orders, "", "", storage::direction::forward);
    if (!rows->valid()) return;
    for (auto n = luck_.pick(fault::stale_owner_writes, 8); n > 0; --n) {
      rows->next();
      if (!rows->valid()) return;
    }
    const auto o = storage::decode<domain::order>(rows->value());
    if (!o) return;
    const bool old_epoch = luck_.pick(fault::stale_owner_writes, 2) == 0;
    storage::write_set set;
    set.shard = domain::shard_of(o->id);
    set.epoch = old_epoch ? 1 : 2;
    const std::string key{rows->key()};
    set.replaces = {storage::table::orders, key, old_epoch ? o->version : o->version - 1};
    if (!old_epoch && o->version == 0) return;
    set.entries.push_back({storage::table::orders, key, std::string{rows->value()}});
    auto said = storage::append_result::stopped;
    try {
      said = now.journal().append(std::move(set), {});
    } catch (const std::runtime_error&) { // a failed read ends whoever reads, an actor as a rule
    }
    if (said == storage::append_result::ok)
      model_.wrong(old_epoch ? "not-fenced" : "stale-version-accepted",
        "a write of an earlier owner or version was accepted");
  }

  const run_options& how_;
  options options_;
  chaos luck_;
  timeline time_;
  std::mt19937_64 order_;
  sim::disk disk_;
  sim::provider provider_;
  outside world_;
  shop_model model_;
  one_door front_;
  people people_;
  bool poisoned_ = false;
  std::size_t told_ = 0;
  outcome end_;
};

bool same_trouble(const outcome& a, const outcome& b) {
  for (const auto& x : a.wrong)
    for (const auto& y : b.wrong)
      if (x.code == y.code) return true;
  return false;
}
} // namespace

outcome run(std::uint64_t seed, const run_options& how) {
  if (how.nodes == 1) return day{seed, how}.play();
  auto of_nodes = how;
  if (!of_nodes.with) of_nodes.with = options{seed, how.nodes};
  return run_cluster(seed, of_nodes);
}

std::vector<fired> fewest(
  std::vector<fired> all, const std::function<bool(const std::vector<fired>&)>& still_fails) {
  for (std::size_t parts = 2; !all.empty();) {
    const auto size = (all.size() + parts - 1) / parts;
    bool smaller = false;
    for (std::size_t begin = 0; begin < all.size() && !smaller; begin += size) {
      auto candidate = all;
      const auto from = candidate.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto end = std::min(begin + size, all.size());
      candidate.erase(from, candidate.begin() + static_cast<std::ptrdiff_t>(end));
      smaller = still_fails(candidate);
      if (smaller) all = std::move(candidate);
    }
    if (smaller) {
      parts = std::max<std::size_t>(2, parts - 1);
    } else {
      if (parts >= all.size()) break;
      parts = std::min(all.size(), parts * 2);
    }
  }
  return all;
}

std::vector<fired> minimise(
  const outcome& failed, std::size_t nodes, const std::function<void(const std::string&)>& said) {
  std::size_t tries = 0;
  return fewest(failed.faults, [&](const std::vector<fired>& candidate) {
    ++tries;
    run_options how;
    how.nodes = nodes;
    how.only = std::set<fired>{candidate.begin(), candidate.end()};
    if (!same_trouble(failed, run(failed.seed, how))) return false;
    said(std::to_string(candidate.size()) + " faults are enough, after " + std::to_string(tries)
         + " tries");
    return true;
  });
}
} // namespace jumun::sim
