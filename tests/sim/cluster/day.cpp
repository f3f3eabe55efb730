#include "storage/customer_index.hpp"
#include "tests/sim/cluster/cluster_day.hpp"

namespace jumun::sim {
namespace {
constexpr std::size_t steps_max = 4'000'000;        // more: it will never come to rest
constexpr std::int64_t faults_end_ms = 40'000;      // behind the end of the day
constexpr std::int64_t rest_ms_max = 3 * 3'600'000; // for all to settle
constexpr std::int64_t glance_ms = 1'000;           // between two looks whether it has
} // namespace

cluster_day::cluster_day(std::uint64_t seed, const run_options& how)
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

outcome cluster_day::play() {
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

void cluster_day::trace(const std::string& what) {
  for (; told_ < luck_.what_fired().size(); ++told_)
    say("  ! " + to_text(luck_.what_fired()[told_]));
  say(what);
}

std::vector<std::unique_ptr<machine>> cluster_day::make_machines() {
  std::vector<std::unique_ptr<machine>> all;
  for (std::size_t i = 0; i < options_.nodes; ++i)
    all.push_back(std::make_unique<machine>(
      "n" + std::to_string(i + 1), i, luck_, time_, order_, bank_.another_line()));
  return all;
}

domain::shard_map cluster_day::first_map(std::uint64_t seed) {
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

void cluster_day::set_up(std::uint64_t seed) {
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

void cluster_day::start(machine& m) {
  process::options o;
  auto& how = o.how;
  how.boot = ++end_.lives;
  how.breaker.call_ms = how.payment_timeout_ms = options_.payment_timeout_ms;
  how.dormant_ms = options_.dormant_ms;
  how.delivery_countries = {"KR"};
  how.commit_patience = options_.commit_patience;
  how.recent_rows = options_.recent_rows;
  how.order_durable = [this](const domain::order_step& s) { people_.order_durable(s); };
  if (how_.trace)
    how.trace = [this, name = m.name](const std::string& what) { trace(name + ": " + what); };
  o.rules.rebalance_quiet = std::chrono::milliseconds{options_.rebalance_ms};
  o.rules.owners_min = machines_.size(); // as ADR 0012 asks of whoever may lose the agreement
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

void cluster_day::refused(machine& m, const cluster::refusal& why) {
  if (!m.put_aside || why.why != cluster::refusal::cause::superseded)
    model_.wrong("refused", m.name + ": " + why.detail);
  if (how_.trace) trace(m.name + " is refused: " + why.detail);
  running_[m.number]->kill();
}

void cluster_day::noted(const machine& m, const cluster::note& n) {
  if (how_.trace) trace(m.name + ": " + std::string{n.event} + " " + n.detail);
  if (n.event == "shard.owned_by_another" || n.event == "shard.move_fenced"
      || n.event == "cluster.maps_contradict" || n.event == "shard.not_emptied"
      || (n.event == "shards.data_missing" && !m.put_aside))
    model_.wrong(std::string{n.event}, m.name + ": " + n.detail);
}

void cluster_day::bury(std::size_t n) {
  if (!running_[n]) return;
  if (how_.trace) trace("-- " + machines_[n]->name + (running_[n]->dead() ? " is dead" : " stops"));
  people_.door_closes(n);
  running_[n].reset();
}

void cluster_day::bury_and_start_again(std::size_t n, std::int64_t after_ms) {
  bury(n);
  if (luck_.healed()) after_ms = std::min<std::int64_t>(after_ms, 2'000);
  time_.later(after_ms, [this, n] {
    if (!running_[n]) start(*machines_[n]);
  });
}

bool cluster_day::step() {
  if (!luck_.healed() && order_() % options_.hurry == 0 && let_time_pass()) return true;
  const auto first = order_();
  for (std::size_t i = 0; i < running_.size(); ++i) {
    const auto& p = running_[(first + i) % running_.size()];
    if (p && p->work()) return true;
  }
  return let_time_pass();
}

bool cluster_day::let_time_pass() {
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

void cluster_day::live() {
  for (std::int64_t glance_at = 0;;) {
    if (++end_.steps > steps_max) return model_.wrong("stuck", "it never comes to rest");
    if (!model_.violations().empty() && luck_.healed()) return; // it may wait for ever for them
    (void)step();
    for (std::size_t n = 0; n < running_.size(); ++n) {
      auto& p = running_[n];
      if (p && p->inner().gave_up()) p->kill(); // the platform restarts what is not ready
      if (p && p->dead()) bury_and_start_again(n, 50 + static_cast<std::int64_t>(order_() % 2'000));
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

void cluster_day::heal() {
  if (luck_.healed()) return;
  if (how_.trace) trace("-- nothing goes wrong any more");
  luck_.heal();
  bank_.come_back();
  net_.heal();
  agreed_.set_down_until(0);
  for (auto& m : machines_) m->away_until_us = 0;
  healed_at_ms_ = time_.now_ms();
}

std::string cluster_day::why_not_quiet() {
  if (people_.busy()) return "people are";
  for (const auto& m : machines_) {
    const auto& p = running_[m->number];
    if (!p || !p->agreed().now()->joined) return m->name + " is not there";
    if (m->put_aside) return m->name + " runs on an old disk";
    for (const auto& move : p->core().moves().progress())
      return m->name + " still moves shard " + std::to_string(move.shard) + " to " + move.to
             + " at epoch " + std::to_string(move.epoch) + ": " + move.step;
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

outcome run_cluster(std::uint64_t seed, const run_options& how) {
  return cluster_day{seed, how}.play();
}
} // namespace jumun::sim
