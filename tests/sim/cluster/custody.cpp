#include "tests/sim/cluster/custody.hpp"
#include "storage/shard_copy.hpp"
#include <algorithm>

namespace jumun::sim {
namespace {
using storage::table;

domain::shard_id id_of(std::size_t i) { return static_cast<domain::shard_id>(i); }

std::optional<storage::shard_copy> copy_at(const storage::store& disk, domain::shard_id shard) {
  const auto row = disk.get(table::meta, storage::shard_copy_key(shard));
  return row ? storage::decode_copy(*row) : std::nullopt;
}

bool is_whole(const std::optional<storage::shard_copy>& copy, domain::epoch_id epoch) {
  return copy && copy->complete && copy->epoch == epoch;
}

/// Not by domain::covers, which is on trial.
bool falls(const domain::shard_map& before, const domain::shard_map& now) {
  bool lower = now.version < before.version;
  for (std::size_t i = 0; i < domain::shard_count; ++i)
    lower = lower || now.shards[i].epoch < before.shards[i].epoch;
  return lower;
}
} // namespace

custody::custody(shop_model& model, const std::vector<std::unique_ptr<machine>>& machines)
    : model_(model), machines_(machines), views_(machines.size()) {
  rebuild();
}

std::size_t custody::number_of(const std::string& name) const {
  for (const auto& m : machines_)
    if (m->name == name) return m->number;
  return none;
}

void custody::rebuild() {
  std::vector<storage::joined_store::part> parts;
  const auto add = [&](const disk& folder) {
    domain::shard_set held;
    for (std::size_t i = 0; i < domain::shard_count; ++i) held[i] = holders_[i].at == &folder;
    parts.push_back(
      {std::shared_ptr<const storage::store>{std::shared_ptr<void>{}, &folder.truth()}, held});
  };
  for (const auto& m : machines_) {
    add(*m->folder);
    if (m->put_aside) add(*m->put_aside);
  }
  truth_.now = std::make_unique<storage::joined_store>(std::move(parts));
}

std::string custody::rows_of(const storage::store& disk, domain::shard_id shard) {
  std::string all;
  storage::shard_reader from{disk, shard};
  for (auto piece = from.next(1 << 20); !piece.empty(); piece = from.next(1 << 20))
    for (const auto& e : piece) {
      all.append(name_of(e.in)).append(1, '\0').append(e.key).append(1, '\0');
      all.append(std::to_string(e.value->size())).append(1, '\0').append(*e.value);
    }
  return all;
}

void custody::begin(const domain::shard_map& map) {
  for (std::size_t i = 0; i < domain::shard_count; ++i)
    if (const auto& s = map.shards[i]; s.epoch > 0) {
      const auto node = number_of(s.node);
      holders_[i] = {node, s.epoch, node == none ? nullptr : machines_[node]->folder.get()};
    }
  rebuild();
}

/// The map in the agreement may have been put back, and be older than what is known here; then it
/// is made again of what the nodes know. What is in it at a holder's epoch must be the holder's.
void custody::map_changed(const domain::shard_map& now) {
  for (std::size_t i = 0; i < domain::shard_count; ++i) {
    const auto& entry = now.shards[i];
    const auto node = number_of(entry.node);
    auto& h = holders_[i];
    if (entry.epoch < h.epoch || entry.epoch == 0) continue;
    if (entry.epoch == h.epoch) {
      if (node != h.node)
        model_.wrong("two-owners", "shard " + std::to_string(i) + " is given to " + entry.node
                                     + " at an epoch that is " + machines_[h.node]->name + "'s");
      continue;
    }
    if (entry.epoch != h.epoch + 1)
      model_.wrong("epoch-gap", "shard " + std::to_string(i) + " went from epoch "
                                  + std::to_string(h.epoch) + " to " + std::to_string(entry.epoch));
    passes(id_of(i), node, entry.epoch);
  }
}

/// The data was given up before the epoch passed on, and all of it is at the next owner's.
void custody::passes(domain::shard_id shard, std::size_t to, domain::epoch_id epoch) {
  const auto was = holders_[shard];
  const auto& m = *machines_[to];
  // Copied to the right folder, before its node was started on an old one.
  const bool aside = m.put_aside && is_whole(copy_at(m.put_aside->truth(), shard), epoch);
  const auto& at = aside ? *m.put_aside : *m.folder;
  holders_[shard] = {to, epoch, &at};
  const auto name = "shard " + std::to_string(shard);
  if (trace)
    trace(name + " passes to " + machines_[to]->name + " at epoch " + std::to_string(epoch));
  if (was.node != none) {
    ++moves_;
    const auto& giver = was.at->truth();
    const auto& taker = at.truth();
    const auto given_row = giver.get(table::meta, storage::shard_given_key(shard));
    const auto given = given_row ? storage::decode_given(*given_row) : std::nullopt;
    if (!given || given->epoch != was.epoch)
      model_.wrong("passed-early",
        name + " has a next owner, and " + machines_[was.node]->name + " did not give it up");
    const auto copy = copy_at(taker, shard);
    if (!is_whole(copy, epoch))
      model_.wrong("copy-not-whole",
        name + " is given to " + machines_[to]->name + ", whose copy is not whole");
    if (rows_of(giver, shard) != rows_of(taker, shard))
      model_.wrong("copy-differs", name + ": the rows at " + machines_[to]->name
                                     + " are not those of " + machines_[was.node]->name);
  }
  rebuild();
}

bool custody::holds(const disk& folder) const {
  return std::any_of(
    holders_.begin(), holders_.end(), [&](const holder& h) { return h.at == &folder; });
}

void custody::lands(std::size_t node, const disk& at, const std::vector<storage::entry>& batch,
  const storage::store& before) {
  std::vector<storage::entry> held;
  for (const auto& e : batch) {
    if (!storage::sharded(e.in) || e.key.empty()) continue;
    const auto shard = static_cast<domain::shard_id>(e.key.front());
    if (holders_[shard].at == &at) {
      held.push_back(e);
      continue;
    }
    const auto copy = copy_at(before, shard);
    if (e.value && (!copy || copy->complete))
      model_.wrong("two-owners", machines_[node]->name + " writes a row of shard "
                                   + std::to_string(shard) + ", and does not hold it");
  }
  model_.mark(std::string{static_cast<char>(node)});
  for (const auto& e : batch) model_.mark(e.key), model_.mark(e.value.value_or(""));
  model_.lands(held, before);
}

void custody::seen(std::size_t node, const cluster::view& now) {
  if (falls(views_[node], now.map))
    model_.wrong("map-falls", machines_[node]->name + " was shown an older map than before");
  views_[node] = now.map;
}

/// A copy that is whole may be given to its node yet (mover::want); any other is to be gone.
bool custody::may_be_kept(const machine& m, domain::shard_id shard) const {
  const auto copy = copy_at(m.folder->truth(), shard);
  return copy && copy->complete && copy->epoch > holders_[shard].epoch;
}

void custody::inspect() const {
  for (std::size_t i = 0; i < domain::shard_count; ++i)
    for (const auto& m : machines_) {
      const auto& h = holders_[i];
      if (h.node == none || m->number == h.node || may_be_kept(*m, id_of(i))) continue;
      if (!rows_of(m->folder->truth(), id_of(i)).empty())
        model_.wrong("copy-kept", m->name + " still has rows of shard " + std::to_string(i)
                                    + ", which is " + machines_[h.node]->name + "'s");
    }
}
} // namespace jumun::sim
