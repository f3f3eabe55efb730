#include "tests/sim/cluster/day.hpp"
#include "storage/customer_index.hpp"
#include "tests/sim/cluster/custody.hpp"
#include "tests/sim/people.hpp"
#include <algorithm>

namespace jumun::sim {
namespace {
constexpr std::size_t steps_max = 4'000'000;        // more: it will never come to rest
constexpr std::int64_t faults_end_ms = 40'000;      // behind the end of the day
constexpr std::int64_t rest_ms_max = 3 * 3'600'000; // for all to settle
constexpr std::int64_t glance_ms = 1'000;           // between two looks whether it has

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

/// One seed's world.
class cluster_day {
public:
  cluster_day(std::uint64_t seed, const run_options& how)
      : how_(how), options_(*how.with), luck_(seed, options_, how.only), order_(mix(seed, 0x0d3)),
        bank_(luck_, time_, options_.provider_ms), net_(luck_, time_, options_.link_ms),
        agreed_(time_, std::chrono::milliseconds{limits::member_lease}.count()),
        machines_(make_machines()), custody_(model_, machines_), running_(options_.nodes),
        doors_(running_, mix(seed, 0xd00)),
        people_({luck_, time_, bank_, custody_.truth(), doors_}, options_, model_, seed) {
    end_.seed = seed;
    model_.several_feeds();
    if (how.trace) {
      const auto tell = [this](const std::string& what) { trace(what); };
      model_.trace = people_.trace = tell;
      net_.trace = custody_.trace = tell;
    }
    bank_.watch([this](std::string_view what, const actors::provider_charge& c) {
      model_.call_leaves(what, c, custody_.truth());
    });
    set_up(seed);
    agreed_.map_changed = [this](const auto&, const auto& now) { custody_.map_changed(now); };
  }

  outcome play() {
    people_.plan();
    time_.later(options_.day_ms + faults_end_ms, [this] { heal(); });
    for (auto& m : machines_) start(*m);
    live();
    for (std::size_t n = 0; n < running_.size(); ++n) bury(n);
    people_.inspect(storage::holdings{"shop", "", domain::all_shards()});
    custody_.inspect();
    end_.wrong = model_.violations();
    end_.faults = luck_.what_fired();
    end_.fingerprint = model_.fingerprint();
    end_.orders = people_.orders();
    end_.moves = custody_.moves();
    end_.events = model_.events();
    for (const auto& m : machines_) end_.batches += m->folder->batches();
    return std::move(end_);
  }

private:
  void trace(const std::string& what) {
    for (; told_ < luck_.what_fired().size(); ++told_)
      say("  ! " + to_text(luck_.what_fired()[told_]));
    say(what);
  }
  void say(const std::string& what) { how_.trace(std::to_string(time_.now_ms()) + " ms: " + what); }

  // -- the world ----------------------------------------------------------------------------------
  std::vector<std::unique_ptr<machine>> make_machines() {
    std::vector<std::unique_ptr<machine>> all;
    for (std::size_t i = 0; i < options_.nodes; ++i)
      all.push_back(std::make_unique<machine>(
        "n" + std::to_string(i + 1), i, luck_, time_, order_, bank_.another_line()));
    return all;
  }

  /// The shards that the shop uses are given out, or all one node's, or nobody's yet; the others
  /// belong to a node that never comes, so that they cost nothing.
  domain::shard_map first_map(std::uint64_t seed) {
    domain::shard_map map;
    map.version = 1;
    map.lineage = "lineage";
    for (auto& s : map.shards) s = {"nobody", 1};
    const auto how = mix(seed, 0x3a9) % 4;
    std::size_t turn = 0;
    for (const auto shard : people_.shards()) {
      const auto node = how == 0 ? 0 : turn++ % machines_.size();
      map.shards[shard] =
        how == 1 ? domain::shard_owner{} : domain::shard_owner{machines_[node]->name, 1};
    }
    return map;
  }

  void set_up(std::uint64_t seed) {
    const auto map = first_map(seed);
    agreed_.commit(
      [](const auto&) { return true; }, [&](agreement::picture& p, std::int64_t) { p.map = map; });
    custody_.begin(map);
    for (auto& m : machines_) {
      m->skew_us = options_.skew_ms * 1000 * static_cast<std::int64_t>(m->number) / 2;
      auto& disk = m->folder->bare();
      (void)storage::build_customer_index(disk);
      (void)disk.apply(
        {{storage::table::meta, std::string{storage::shard_map_key}, storage::encode(map)},
          storage::holdings_row("shop", m->name)});
      watch(m->number, *m->folder);
    }
  }
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
  void start(machine& m) {
    process::options o;
    auto& how = o.how;
    how.boot = ++end_.lives;
    how.breaker.call_ms = how.payment_timeout_ms = options_.payment_timeout_ms;
    how.dormant_ms = options_.dormant_ms;
    how.delivery_countries = {"KR"};
    how.commit_patience = options_.commit_patience;
    how.order_durable = [this](const domain::order_step& s) { people_.order_durable(s); };
    if (how_.trace)
      how.trace = [this, name = m.name](const std::string& what) { trace(name + ": " + what); };
    o.rules.rebalance_quiet = std::chrono::milliseconds{options_.rebalance_ms};
    if (options_.one_bank_line) o.keeper = machines_.front()->name;
    o.refused = [this, &m](const cluster::refusal& r) { refused(m, r); };
    o.noted = [this, &m](const cluster::note& n) { noted(m, n); };
    o.seen = [this, &m](const cluster::view& v) { custody_.seen(m.number, v); };
    if (how_.trace) trace("-- " + m.name + " starts");
    m.frozen_until_us = 0;
    const auto row = m.folder->truth().get(storage::table::meta, storage::shard_map_key);
    custody_.starts(m.number, *storage::decode<domain::shard_map>(*row));
    running_[m.number] = std::make_unique<process>(m, agreed_, net_, std::move(o));
  }

  /// Only an old copy of a disk is ever refused; the platform tries again and again.
  void refused(machine& m, const cluster::refusal& why) {
    if (!m.put_aside || why.why != cluster::refusal::cause::superseded)
      model_.wrong("refused", m.name + ": " + why.detail);
    if (how_.trace) trace(m.name + " is refused: " + why.detail);
    running_[m.number]->kill();
  }

  /// What the product itself says is never to happen.
  void noted(const machine& m, const cluster::note& n) {
    if (how_.trace) trace(m.name + ": " + std::string{n.event} + " " + n.detail);
    if (n.event == "shard.owned_by_another" || n.event == "shard.move_fenced"
        || n.event == "cluster.maps_contradict" || n.event == "shard.not_emptied"
        || (n.event == "shards.data_missing" && !m.put_aside))
      model_.wrong(std::string{n.event}, m.name + ": " + n.detail);
  }

  void bury(std::size_t n) {
    if (!running_[n]) return;
    if (how_.trace)
      trace("-- " + machines_[n]->name + (running_[n]->dead() ? " is dead" : " stops"));
    people_.door_closes(n);
    running_[n].reset();
  }
  void bury_and_start_again(std::size_t n, std::int64_t after_ms) {
    bury(n);
    if (luck_.healed()) after_ms = std::min<std::int64_t>(after_ms, 2'000);
    time_.later(after_ms, [this, n] {
      if (!running_[n]) start(*machines_[n]);
    });
  }

  // -- time ---------------------------------------------------------------------------------------
  bool step() {
    if (!luck_.healed() && order_() % options_.hurry == 0 && let_time_pass()) return true;
    const auto first = order_();
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const auto& p = running_[(first + i) % running_.size()];
      if (p && p->work()) return true;
    }
    return let_time_pass();
  }

  bool let_time_pass() {
    auto next = time_.next_due_us();
    const auto sooner = [&next](std::int64_t us) { next = std::min(next.value_or(us), us); };
    for (const auto& p : running_) {
      if (!p) continue;
      if (p->on().frozen())
        sooner(p->on().frozen_until_us);
      else if (const auto due = p->inner().next_due_us())
        sooner(*due);
    }
    if (!next) return false;
    time_.advance_to(*next);
    for (const auto& p : running_)
      if (p && !p->on().frozen()) p->inner().pass_to(time_.now_us());
    while (time_.run_one_due()) {}
    return true;
  }

  void live() {
    for (std::int64_t glance_at = 0;;) {
      if (++end_.steps > steps_max) return model_.wrong("stuck", "it never comes to rest");
      if (!model_.violations().empty() && luck_.healed()) return; // it may wait for ever for them
      (void)step();
      for (std::size_t n = 0; n < running_.size(); ++n) {
        auto& p = running_[n];
        if (p && p->inner().gave_up()) p->kill(); // the platform restarts what is not ready
        if (p && p->dead())
          bury_and_start_again(n, 50 + static_cast<std::int64_t>(order_() % 2'000));
      }
      if (!luck_.healed()) {
        misfortune();
      } else if (time_.now_ms() >= glance_at) {
        glance_at = time_.now_ms() + glance_ms;
        if (is_quiet() && !people_.tidy_up()) return;
        if (time_.now_ms() > healed_at_ms_ + rest_ms_max)
          return model_.wrong("restless", why_not_quiet());
      }
    }
  }

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

  void heal() {
    if (luck_.healed()) return;
    if (how_.trace) trace("-- nothing goes wrong any more");
    luck_.heal();
    bank_.come_back();
    net_.heal();
    agreed_.set_down_until(0);
    for (auto& m : machines_) m->away_until_us = 0;
    healed_at_ms_ = time_.now_ms();
  }

  // -- rest ---------------------------------------------------------------------------------------
  bool is_quiet() { return why_not_quiet().empty(); }
  std::string why_not_quiet() {
    if (people_.busy()) return "people are";
    for (const auto& m : machines_) {
      const auto& p = running_[m->number];
      if (!p || !p->agreed().now()->joined) return m->name + " is not there";
      if (m->put_aside) return m->name + " runs on an old disk";
      if (!p->idle()) return m->name + " still moves shards";
      if (p->agreed().now()->map != running_.front()->agreed().now()->map)
        return m->name + " sees another map than " + machines_.front()->name;
    }
    const auto draining = agreed_.backup().draining;
    for (const auto shard : people_.shards()) {
      const auto& entry = running_.front()->agreed().now()->map.shards[shard];
      const auto name = "shard " + std::to_string(shard);
      if (!entry.to.empty()) return name + " is to move to " + entry.to;
      if (draining.contains(entry.node) && draining.size() < machines_.size())
        return name + " is on a node that is to be empty";
      for (const auto& m : machines_) {
        const auto& owners = running_[m->number]->core().owners();
        if (owners.serves(shard) != (entry.node == m->name))
          return name + " is " + entry.node + "'s, and "
                 + (owners.serves(shard) ? "served by " : "not served by ") + m->name;
      }
    }
    return {};
  }

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

void cluster_day::misfortune() {
  befall_processes();
  befall_links();
  befall_the_agreement();
  let_operators_act();
}

void cluster_day::befall_processes() {
  const auto may_die = end_.lives < options_.lives_max + machines_.size();
  if (luck_.fires(fault::killed) && may_die)
    if (const auto n = victim(fault::killed); running_[n]) {
      running_[n]->kill();
      bury_and_start_again(n, 50 + size_of(fault::killed, 20'000));
    }
  if (luck_.fires(fault::restarted) && may_die)
    if (const auto n = victim(fault::restarted); running_[n])
      bury_and_start_again(n, 50 + size_of(fault::restarted, 5'000));
  if (luck_.fires(fault::frozen)) {
    auto& m = *machines_[victim(fault::frozen)];
    m.frozen_until_us = time_.now_us() + (10 + size_of(fault::frozen, 15'000)) * 1000;
    net_.block_all(m.name, m.frozen_until_us);
  }
  if (luck_.fires(fault::clock_back))
    machines_[victim(fault::clock_back)]->skew_us -= size_of(fault::clock_back, 600'000) * 1000;
  if (luck_.fires(fault::clock_forward))
    machines_[victim(fault::clock_forward)]->skew_us +=
      size_of(fault::clock_forward, 600'000) * 1000;
  if (luck_.fires(fault::actor_killed))
    if (const auto n = victim(fault::actor_killed); running_[n])
      running_[n]->inner().kill_an_actor(luck_.pick(fault::actor_killed, 1 << 20));
  if (luck_.fires(fault::stale_owner_writes)) stale_owner();
  if (luck_.fires(fault::old_disk)) use_old_disk();
}

/// Who gave a shard up, in this life or an earlier epoch of it, comes back and writes.
void cluster_day::stale_owner() {
  const auto n = victim(fault::stale_owner_writes);
  if (!running_[n]) return;
  auto& p = *running_[n];
  const auto& shards = people_.shards();
  const auto shard = shards[luck_.pick(fault::stale_owner_writes, shards.size())];
  const auto fence = p.inner().journal().epoch_of(shard);
  if (fence < 2) return; // it has had no part in it
  storage::write_set set;
  set.shard = shard;
  set.epoch = fence - 1;
  set.entries.push_back({storage::table::orders,
    std::string(1, static_cast<char>(shard)) + "written by nobody who may", "x"});
  if (p.inner().journal().append(std::move(set), {}) == storage::append_result::ok)
    model_.wrong("not-fenced", "a write of an earlier epoch was accepted");
}

void cluster_day::befall_links() {
  const auto two = [this](fault f) {
    const auto a = victim(f);
    const auto b = (a + 1 + luck_.pick(f, machines_.size() - 1)) % machines_.size();
    return std::pair{machines_[a]->name, machines_[b]->name};
  };
  const auto until = [this](fault f) {
    return time_.now_us() + (100 + size_of(f, size_of(f, 3) == 0 ? 30'000 : 5'000)) * 1000;
  };
  if (luck_.fires(fault::session_ends)) {
    const auto [a, b] = two(fault::session_ends);
    net_.break_session(a, b);
  }
  if (luck_.fires(fault::blocked_one_way)) {
    const auto [a, b] = two(fault::blocked_one_way);
    net_.block(a, b, until(fault::blocked_one_way));
  }
  if (luck_.fires(fault::cut_off)) {
    auto& m = *machines_[victim(fault::cut_off)];
    const auto end = until(fault::cut_off);
    net_.block_all(m.name, end);
    if (size_of(fault::cut_off, 2) == 0) m.away_until_us = end;
  }
}

void cluster_day::befall_the_agreement() {
  const auto until = [this](fault f) { return time_.now_us() + (500 + size_of(f, 20'000)) * 1000; };
  if (luck_.fires(fault::agreement_away))
    machines_[victim(fault::agreement_away)]->away_until_us = until(fault::agreement_away);
  if (luck_.fires(fault::agreement_down)) agreed_.set_down_until(until(fault::agreement_down));
  // What is forgotten can't refuse an old copy: that has its limits, see use_old_disk().
  const auto on_old_disk = std::any_of(
    machines_.begin(), machines_.end(), [](const auto& m) { return m->put_aside != nullptr; });
  if (luck_.fires(fault::agreement_wiped) && !on_old_disk) agreed_.wipe();
  if (luck_.fires(fault::agreement_restored) && !on_old_disk) {
    if (backup_)
      agreed_.restore(*std::exchange(backup_, std::nullopt));
    else
      backup_ = agreed_.backup();
  }
  if (luck_.fires(fault::lease_lost)) {
    const auto now = agreed_.backup();
    const auto known = now.nodes.find(machines_[victim(fault::lease_lost)]->name);
    if (known != now.nodes.end()) agreed_.revoke(known->second.lease);
  }
}

void cluster_day::let_operators_act() {
  if (luck_.fires(fault::shard_wished)) {
    const auto& shards = people_.shards();
    const auto shard = shards[luck_.pick(fault::shard_wished, shards.size())];
    const auto& to = machines_[victim(fault::shard_wished)]->name;
    if (auto* at = somebody()) (void)at->agreed().move(shard, to);
  }
  if (luck_.fires(fault::drained) && draining_.empty())
    if (auto* at = somebody()) {
      draining_ = machines_[victim(fault::drained)]->name;
      if (how_.trace) trace("an operator drains " + draining_);
      (void)at->agreed().drain(draining_);
      time_.later(1'000 + size_of(fault::drained, 60'000), [this] { stop_draining(); });
    }
}

void cluster_day::stop_draining() {
  auto* at = somebody();
  if (!at) return time_.later(1'000, [this] { stop_draining(); });
  (void)at->agreed().resume(std::exchange(draining_, {}));
}

/// Somebody puts a copy aside, and by mistake the node is started on it later. While the agreement
/// knows a later life of the folder it is refused. If it is let in, what it held at an older epoch
/// it must not believe; at an epoch that is still its own it would, and what came since would be
/// lost: nothing can see that (ADR 0021), so it is not tried.
void cluster_day::use_old_disk() {
  auto& m = *machines_[victim(fault::old_disk)];
  auto& copy = copies_[m.number];
  if (m.put_aside) return;
  if (!copy) return void(copy = m.copy_folder());
  const auto lives = agreed_.backup().lives;
  const auto newest = lives.find(m.name);
  const bool will_be_refused =
    newest != lives.end() && newest->second > storage::life_of(copy->truth())->now;
  if (!will_be_refused && would_be_believed(m, *copy)) return;
  if (how_.trace) trace(m.name + " will run on an old copy of its disk");
  if (running_[m.number]) running_[m.number]->kill();
  bury(m.number);
  watch(m.number, *copy);
  m.put_aside = m.use(std::move(copy));
  start(m);
  time_.later(
    5'000 + size_of(fault::old_disk, 60'000), [this, n = m.number] { look_at_the_disk(n); });
}

bool cluster_day::would_be_believed(const machine& m, const disk& copy) {
  const auto row = copy.truth().get(storage::table::meta, storage::shard_map_key);
  const auto map = *storage::decode<domain::shard_map>(*row);
  return std::any_of(
    people_.shards().begin(), people_.shards().end(), [&](const domain::shard_id shard) {
      const auto& h = custody_.of(shard);
      const auto& then = map.shards[shard];
      const bool same = then.node == m.name && then.epoch == h.epoch;
      const bool never_given = then.epoch == 0 && h.epoch == 1;
      return h.node == m.number && (same || never_given);
    });
}

/// The right folder is put back, as soon as no shard has come to the wrong one.
void cluster_day::look_at_the_disk(std::size_t n) {
  auto& m = *machines_[n];
  if (custody_.holds(*m.folder)) {
    if (auto* at = somebody()) (void)at->agreed().drain(m.name);
    return time_.later(5'000, [this, n] { look_at_the_disk(n); });
  }
  if (how_.trace) trace(m.name + " has its own disk again");
  if (running_[n]) running_[n]->kill();
  bury(n);
  graveyard_.push_back(m.use(std::move(m.put_aside))); // what is under way may still name it
  m.put_aside = nullptr;
  // What the refusal tells people to do.
  agreed_.commit([](const auto&) { return true; },
    [&m](agreement::picture& p, std::int64_t) { p.lives.erase(m.name); });
  if (auto* at = somebody()) (void)at->agreed().resume(m.name);
  start(m);
}

process* cluster_day::somebody() {
  for (const auto& p : running_)
    if (p && !p->dead()) return p.get();
  return nullptr;
}
} // namespace

outcome run_cluster(std::uint64_t seed, const run_options& how) {
  return cluster_day{seed, how}.play();
}
} // namespace jumun::sim
