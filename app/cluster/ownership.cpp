#include "app/cluster/ownership.hpp"
#include "domain/planted.hpp"
#include "storage/holdings.hpp"
#include "storage/rows.hpp"

namespace jumun::app {
namespace {
domain::shard_id id_of(std::size_t i) { return static_cast<domain::shard_id>(i); }

std::string text_of(const domain::shard_set& shards) {
  std::string out;
  for (const auto n : domain::numbers_of(shards))
    out += (out.empty() ? "" : ",") + std::to_string(n);
  return out;
}
} // namespace

ownership::ownership(std::string self, domain::shard_map stored, bool new_disk, surroundings with)
    : self_(std::move(self)), stored_(std::move(stored)), new_disk_(new_disk),
      with_(std::move(with)), map_(std::make_shared<const domain::shard_map>(stored_)) {}

void ownership::follow(const cluster::view& now) {
  // What was this node's before it came is not on a disk that was made just now. Nor is anything
  // of a map that was lost in between: it may come only after this node, as the very first one did,
  // but whoever owned a shard by it had it on disk.
  const bool knew_none = stored_.version == 0 && (!seen_ || seen_->version == 0);
  if ((new_disk_ && !joined_ && !now.joined) || (knew_none && now.remade)) lose(now.map);
  if (!now.joined) return;
  if (joined_ && *seen_ == now.map) return;
  const bool first = !joined_.exchange(true);
  if (first) lacked_ = storage::read_missing(with_.journal.disk());
  seen_ = std::make_shared<const domain::shard_map>(now.map);
  auto take = to_take(*seen_);
  for (const auto& lease : take) // offsets only rise in each shard, whoever wrote them
    if (!JUMUN_PLANTED(offsets_begin_anew))
      with_.journal.raise_offset(storage::read_last_offset(with_.journal.disk(), lease.shard));
  storage::write_set set;
  set.epoch = storage::of_no_shard;
  set.entries.push_back(
    {storage::table::meta, std::string{storage::shard_map_key}, storage::encode(*seen_)});
  set.entries.push_back(storage::missing_row(missing()));
  if (const auto life = storage::life_joined_row(with_.journal.disk()); first && life)
    set.entries.push_back(*life);
  // Not ok: the journal has stopped, and the process ends.
  (void)with_.journal.append(
    std::move(set), [this, map = seen_, take = std::move(take)] { act(map, take); });
}

/// The disk is to know it, too: when this process ends before it joins, the next one's disk is not
/// new any more.
void ownership::lose(const domain::shard_map& map) {
  const auto before = lost_;
  for (const auto& lease : domain::leases_of(map, self_)) lost_.set(lease.shard);
  if (lost_ == before) return;
  storage::write_set set;
  set.epoch = storage::of_no_shard;
  set.entries.push_back(storage::missing_row(lost_));
  (void)with_.journal.append(std::move(set), {});
}

/// Shards that are ours by the map, that are not served, and whose rows are here.
std::vector<domain::shard_lease> ownership::to_take(const domain::shard_map& map) {
  std::vector<domain::shard_lease> take;
  domain::shard_set missing;
  for (const auto& lease : domain::leases_of(map, self_)) {
    {
      const std::lock_guard lock{guard_};
      if (shards_[lease.shard].epoch >= lease.epoch) continue;
    }
    const auto& was = stored_.shards[lease.shard];
    // The map alone does not say that the rows are here: it is stored where they are missing, too.
    const bool lacked = lacked_[lease.shard] && !JUMUN_PLANTED(missing_forgotten);
    const bool held = was.node == self_ && was.epoch == lease.epoch && !lacked;
    const bool fresh = lease.epoch == 1 && was.epoch == 0 && !lost_[lease.shard] && !lacked;
    if (with_.may_serve(lease, held, fresh))
      take.push_back(lease);
    else if (!with_.gave_away(lease))
      missing.set(lease.shard);
  }
  const std::lock_guard lock{guard_};
  if (missing.any() && missing != missing_)
    with_.error("shards.data_missing",
      "shards=" + text_of(missing)
        + " are this node's, and their rows are not in its data folder: start it on the folder "
          "that has them, or restore a backup of it");
  missing_ = missing;
  return take;
}

/// On the committer's thread: the map is on disk.
void ownership::act(const map_ptr& map, std::vector<domain::shard_lease> take) {
  std::vector<domain::shard_id> away, taken_from_us;
  domain::shard_set moved;
  {
    const std::lock_guard lock{guard_};
    // A map that followed before the one before it was on disk wants the same shards taken.
    std::erase_if(take, [this](const domain::shard_lease& lease) {
      return shards_[lease.shard].epoch >= lease.epoch;
    });
    for (const auto& lease : take) {
      auto& s = shards_[lease.shard];
      s.epoch = lease.epoch;
      s.at = phase::starting;
    }
    for (std::size_t i = 0; i < domain::shard_count; ++i) {
      const auto& entry = map->shards[i];
      const bool runs = shards_[i].at == phase::starting || shards_[i].at == phase::serving;
      if (entry.node == self_) continue;
      (runs ? taken_from_us : away).push_back(id_of(i));
      if (entry.node != map_->shards[i].node) moved.set(i);
    }
    map_ = map;
  }
  for (const auto shard : away) with_.elsewhere(shard);
  for (const auto& lease : take) with_.own(lease);
  for (const auto shard : taken_from_us) {
    // Nobody but us passes its epoch on, and then it is given up already.
    with_.error("shard.owned_by_another",
      "shard=" + std::to_string(shard) + " has a newer owner, though it is served here");
    give_up(shard, [] {});
  }
  with_.stored(map->version);
  if (moved.any()) with_.reachable(moved);
}

void ownership::serving(domain::shard_id shard) {
  auto expected = phase::starting;
  if (!shards_[shard].at.compare_exchange_strong(expected, phase::serving)) return;
  domain::shard_set one;
  with_.reachable(one.set(shard));
}

void ownership::give_up(domain::shard_id shard, std::function<void()> done) {
  shards_[shard].at = phase::leaving;
  with_.give_up(shard, [this, shard, done = std::move(done)] {
    auto expected = phase::leaving;
    if (shards_[shard].at.compare_exchange_strong(expected, phase::elsewhere)) {
      with_.left(shard);
      with_.elsewhere(shard);
    }
    done();
  });
}

void ownership::take_back(domain::shard_id shard) {
  domain::shard_lease lease{shard, 0};
  {
    const std::lock_guard lock{guard_};
    lease.epoch = shards_[shard].epoch;
    shards_[shard].at = phase::starting;
  }
  with_.own(lease);
}

domain::shard_set ownership::served() const {
  domain::shard_set out;
  for (std::size_t i = 0; i < domain::shard_count; ++i) out[i] = serves(id_of(i));
  return out;
}

domain::epoch_id ownership::epoch_of(domain::shard_id shard) const {
  const std::lock_guard lock{guard_};
  return serves(shard) ? shards_[shard].epoch : 0;
}

ownership::owner ownership::owner_of(domain::shard_id shard) const {
  const std::lock_guard lock{guard_};
  const auto& entry = map_->shards[shard];
  return {entry.node, entry.epoch, map_->version};
}

domain::shard_set ownership::shards_of(const std::string& node) const {
  const std::lock_guard lock{guard_};
  domain::shard_set out;
  for (std::size_t i = 0; i < domain::shard_count; ++i) out[i] = map_->shards[i].node == node;
  return out;
}

domain::shard_set ownership::missing() const {
  const std::lock_guard lock{guard_};
  return missing_;
}
} // namespace jumun::app
