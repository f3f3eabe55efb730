#include "storage/rows.hpp"
#include "tests/sim/cluster/cluster_day.hpp"
#include <algorithm>

// What befalls a cluster, its nodes and whoever agrees for them; and what its operators do.
namespace jumun::sim {
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
  const auto life = *storage::life_of(copy->truth());
  const bool will_be_refused =
    newest != lives.end() && newest->second > life.joined && newest->second != life.now;
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
  // What its refusal would tell people to do, where the wrong one has been let in.
  const auto own = *storage::life_of(m.folder->truth());
  agreed_.commit([](const auto&) { return true; },
    [&m, own](agreement::picture& p, std::int64_t) {
      const auto newest = p.lives.find(m.name);
      if (newest != p.lives.end() && newest->second != own.joined && newest->second != own.now)
        p.lives.erase(newest);
    });
  if (auto* at = somebody()) (void)at->agreed().resume(m.name);
  start(m);
}

process* cluster_day::somebody() {
  for (const auto& p : running_)
    if (p && !p->dead()) return p.get();
  return nullptr;
}
} // namespace jumun::sim
