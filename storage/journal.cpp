#include "storage/journal.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"
#include "storage/feed_rows.hpp"
#include "storage/local_log.hpp"
#include "storage/shard_copy.hpp"
#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <utility>

namespace jumun::storage {
namespace {
constexpr std::size_t patient_sets_max = 256;
// In meta, eight bytes, big endian.
constexpr std::string_view last_offset_key = "last_offset", low_water_key = "events_low_water";

std::string offset_text(std::uint64_t offset) { return feed_key(0, offset).substr(1); }

/// 0: damaged.
std::uint64_t offset_in(std::string_view row) {
  return row.size() == 8 ? number_of_key(row).value_or(0) : 0;
}
std::uint64_t read_offset(const store& disk, std::string_view key) {
  const auto row = disk.get(table::meta, key);
  return row ? offset_in(*row) : 0;
}
std::string low_water_key_of(domain::shard_id shard) {
  return std::string{low_water_key}.append(1, '/').append(1, static_cast<char>(shard));
}

/// What actors read back between its append and its fsync.
bool read_back(table t) {
  switch (t) {
    case table::orders:
    case table::stock:
    case table::reservations:
    case table::payments:
    case table::deliveries:
    case table::products:
    case table::idempotency:
    case table::hooks: return true;
    default: return false;
  }
}

std::string overlay_key(table in, std::string_view key) {
  std::string out;
  out.reserve(1 + key.size());
  out.push_back(static_cast<char>(in));
  out.append(key);
  return out;
}

/// Whose row it is, of the tables in which an order has no row before its own; empty: nobody's.
std::string_view order_in(table in, std::string_view key) {
  constexpr std::size_t id_bytes = 16, line_bytes = 2;
  if (in == table::payments || in == table::deliveries) return key;
  if (in != table::reservations || key.size() <= id_bytes + line_bytes) return {};
  return key.substr(key.size() - id_bytes - line_bytes, id_bytes);
}

/// 0 for no row. What is no row at all matches no version that a caller could have read.
std::uint64_t version_in(const std::optional<std::string>& row) {
  return row ? version_of(*row).value_or(UINT64_MAX) : 0;
}

/// The rows of `set`'s events in history, behind its own. They wait for their offsets.
void add_event_rows(write_set& set) {
  set.entries.reserve(set.entries.size() + set.events.size());
  for (const auto& e : set.events)
    set.entries.push_back({table::history, history_key(e), encode(e)});
}

/// The feed's rows for the events among the batch's rows, behind them: one for each shard that has
/// some, in its part.
void add_feed_rows(log_batch& batch, const std::vector<std::size_t>& events) {
  struct run {
    std::vector<to_feed> events;
    std::uint16_t part = log_batch::own;
  };
  std::array<run, domain::shard_count> by_shard;
  std::vector<domain::shard_id> touched;
  for (const auto at : events) {
    const auto& e = batch.rows[at];
    const auto shard = static_cast<domain::shard_id>(e.key.front());
    auto& of = by_shard[shard];
    if (of.events.empty()) touched.push_back(shard);
    of.events.push_back({version_of(*e.value).value_or(0), e.key});
    of.part = batch.part_of[at];
  }
  std::vector<entry> feed; // all of it first: what it is made of are keys in the batch's rows
  for (const auto shard : touched) {
    const auto& of = by_shard[shard].events;
    feed.push_back(feed_row(feed_key(shard, of.back().offset), of));
  }
  for (std::size_t i = 0; i < feed.size(); ++i)
    batch.add(std::move(feed[i]), by_shard[touched[i]].part);
}

template <std::size_t n>
void count_in(std::array<std::uint64_t, n>& histogram, std::uint64_t value) {
  const auto bucket = value < 2 ? 0 : static_cast<std::size_t>(std::bit_width(value) - 1);
  ++histogram[std::min(bucket, n - 1)];
}

void add(journal_stats& to, const journal_stats& more) {
  to.write_sets += more.write_sets;
  to.commits += more.commits;
  to.entries += more.entries;
  to.bytes += more.bytes;
  to.commit_us_sum += more.commit_us_sum;
  to.largest_batch = std::max(to.largest_batch, more.largest_batch);
  if (more.commits == 0) return;
  count_in(to.commit_us_histogram, more.commit_us_sum);
  count_in(to.batch_size_histogram, more.write_sets);
}
} // namespace

journal::journal(std::shared_ptr<store> disk, options how)
    : disk_(std::move(disk)), how_(std::move(how)),
      log_(how_.log ? how_.log : std::make_shared<local_log>(disk_)),
      offset_(JUMUN_PLANTED(feed_offset_reused) ? 0 : how_.boot_offset),
      written_offset_(how_.boot_offset) {
  JUMUN_INVARIANT(disk_ != nullptr, "a journal writes to a store");
  epochs_.fill(1);
  if (!how_.manual) worker_ = std::thread{[this] { work(); }};
}

journal::~journal() {
  {
    const std::lock_guard lock{guard_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (worker_.joinable()) worker_.join();
  while (how_.manual && run_once()) {}
}

append_result journal::append(write_set set, durable_callback then) {
  const auto own_entries = set.entries.size();
  JUMUN_INVARIANT(own_entries + set.events.size() <= limits::write_set_entries_max,
    "a write set is one transition of one actor");
  add_event_rows(set); // encoding and copying are the dear part, so they are done before the lock
  std::vector<std::pair<std::string, std::optional<std::string>>> visible;
  std::vector<shown> rows;
  visible.reserve(own_entries);
  rows.reserve(own_entries);
  for (std::size_t i = 0; i < own_entries; ++i) {
    const auto& e = set.entries[i];
    if (!read_back(e.in)) continue;
    visible.push_back({overlay_key(e.in, e.key), e.value});
    rows.push_back({i});
  }
  std::unique_lock lock{guard_};
  if (const auto no = refusal_of(set)) return *no;
  if (set.replaces) {
    auto version = pending_version(*set.replaces);
    while (!version) {
      // A cold read must not hold up the others. It counts unless the row was appended and became
      // durable meanwhile: then it is in the overlay no more, and the read may have missed it.
      const auto appended = position_;
      lock.unlock();
      const auto on_disk = version_in(disk_->get(set.replaces->in, set.replaces->key));
      lock.lock();
      version = pending_version(*set.replaces);
      if (!version && durable_ <= appended) version = on_disk;
    }
    if (const auto no = refusal_of(set)) return *no;
    if (*version != set.replaces->version && !JUMUN_PLANTED(version_check_dropped))
      return append_result::stale_version;
  }
  ++position_;
  const bool is_birth =
    set.replaces && set.replaces->in == table::orders && set.replaces->version == 0;
  if (set.epoch != of_no_shard) position_of_[set.shard] = position_;
  for (const auto& e : set.events) ++stats_.events[static_cast<std::size_t>(e.type)];
  for (std::size_t i = own_entries; i < set.entries.size(); ++i)
    set_version(*set.entries[i].value, ++offset_);
  if (!how_.on_events) set.events.clear();
  for (std::size_t i = 0; i < visible.size(); ++i) {
    auto& [key, value] = visible[i];
    auto& row = *overlay_.try_emplace(std::move(key)).first;
    if (row.second.position != position_) rows[i].row = &row; // else: twice in one set
    row.second.value = std::move(value);
    row.second.position = position_;
    const auto& e = set.entries[rows[i].entry];
    if (is_birth && e.in == table::orders && e.key == set.replaces->key)
      row.second.born = position_;
  }
  const bool waited_for = then && !set.patient;
  const bool wakes =
    (waited_for && !urgent_) || queue_.empty() || queue_.size() == patient_sets_max;
  urgent_ = urgent_ || waited_for;
  queue_.push_back({std::move(set.entries), std::move(then), position_, offset_, true,
    std::move(set.events), std::move(rows), own_entries, set.shard, set.epoch});
  lock.unlock();
  if (wakes) wake_.notify_one();
  return append_result::ok;
}

std::optional<append_result> journal::refusal_of(const write_set& set) const {
  if (failed_ || stopping_) return append_result::stopped;
  if (set.epoch < epochs_[set.shard] && !JUMUN_PLANTED(epoch_check_dropped))
    return append_result::fenced;
  return {};
}

/// nullopt: the overlay doesn't know, the disk does.
std::optional<std::uint64_t> journal::pending_version(const write_set::replaced& row) const {
  const auto found = overlay_.find(overlay_key(row.in, row.key));
  if (found != overlay_.end()) return version_in(found->second.value);
  return surely_absent(row.in, row.key) ? std::optional<std::uint64_t>{0} : std::nullopt;
}

/// Does the disk lack this row for sure, when the overlay does? It belongs to an order whose first
/// row was appended here, so all rows it has were; and none so young has left the overlay. Spares
/// look-ups that find nothing, the dearest in a long history (ADR 0024).
bool journal::surely_absent(table in, std::string_view key) const {
  const auto order = order_in(in, key);
  if (order.empty()) return false;
  const auto own = overlay_.find(overlay_key(table::orders, order));
  return own != overlay_.end() && own->second.born > forgotten_;
}

void journal::when_durable(durable_callback then) {
  {
    const std::lock_guard lock{guard_};
    if (failed_) return;
    if (durable_ != position_) {
      // Something waits or is being written, so the committer comes by again; wake it all the same.
      queue_.push_back({{}, std::move(then), position_, offset_, false, {}, {}, 0});
      urgent_ = true;
      then = nullptr;
    }
  }
  if (then)
    then();
  else
    wake_.notify_one();
}

std::optional<std::string> journal::latest(table in, std::string_view key) const {
  JUMUN_INVARIANT(read_back(in), "the overlay keeps only the tables that actors read back");
  {
    const std::lock_guard lock{guard_};
    const auto found = overlay_.find(overlay_key(in, key));
    const bool known =
      found != overlay_.end() && !(JUMUN_PLANTED(overlay_erased_early) && disk_->get(in, key));
    if (known) return found->second.value;
    if (found == overlay_.end() && surely_absent(in, key)) return {};
  }
  return disk_->get(in, key);
}

std::optional<std::string> journal::durable(table in, std::string_view key) const {
  auto row = recent(in, key);
  return row ? row : disk_->get(in, key);
}

std::optional<std::string> journal::recent(table in, std::string_view key) const {
  JUMUN_INVARIANT(read_back(in), "the overlay keeps only the tables that actors read back");
  const std::lock_guard lock{guard_};
  const auto found = overlay_.find(overlay_key(in, key));
  if (found == overlay_.end() || found->second.position > durable_) return {};
  return found->second.value;
}

domain::epoch_id journal::epoch_of(domain::shard_id shard) const {
  std::lock_guard lock{guard_};
  return epochs_[shard];
}

void journal::raise_epoch(domain::shard_id shard, domain::epoch_id epoch) {
  const std::lock_guard lock{guard_};
  epochs_[shard] = std::max(epochs_[shard], epoch);
}

void journal::reopen(domain::shard_id shard, domain::epoch_id epoch) {
  const std::lock_guard lock{guard_};
  epochs_[shard] = epoch;
}

void journal::raise_offset(std::uint64_t above) {
  const std::lock_guard lock{guard_};
  offset_ = std::max(offset_, above);
}

void journal::work() {
  for (;;) {
    std::vector<waiting> batch;
    {
      std::unique_lock lock{guard_};
      wake_.wait(lock, [this] { return stopping_ || failed_ || !queue_.empty(); });
      wake_.wait_for(lock, how_.patience,
        [this] { return urgent_ || stopping_ || failed_ || queue_.size() > patient_sets_max; });
      if (queue_.empty()) return;
      batch = take_batch();
      urgent_ = !queue_.empty();
    }
    commit(std::move(batch));
  }
}

/// All that waits, up to batch_sets_max.
std::vector<journal::waiting> journal::take_batch() {
  if (queue_.size() <= limits::batch_sets_max) return std::exchange(queue_, {});
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(limits::batch_sets_max);
  std::vector<waiting> batch{std::make_move_iterator(queue_.begin()), std::make_move_iterator(end)};
  queue_.erase(queue_.begin(), end);
  return batch;
}

bool journal::run_once() {
  JUMUN_INVARIANT(how_.manual, "the committer thread is the only one that commits");
  std::vector<waiting> batch;
  {
    const std::lock_guard lock{guard_};
    if (failed_ || queue_.empty()) return false;
    batch = take_batch();
  }
  commit(std::move(batch));
  const std::lock_guard lock{guard_};
  return !failed_;
}

void journal::commit(std::vector<waiting> batch) {
  if (!JUMUN_PLANTED(batch_reordered)) mark_superseded(batch);
  journal_stats done;
  if (JUMUN_PLANTED(answer_before_sync)) run_callbacks(batch);
  if (const auto why = write(batch, done)) {
    if (JUMUN_PLANTED(durable_though_failed)) run_callbacks(batch);
    if (!JUMUN_PLANTED(failed_write_ignored)) return broken(*why);
  }
  landed(batch, done);
}

/// A batch is durable as a whole, so of a row that it writes several times only the last counts: an
/// order goes through several states in one batch, a hot SKU through hundreds (ADR 0011).
void journal::mark_superseded(std::vector<waiting>& batch) {
  const auto last = batch.back().position;
  const std::lock_guard lock{guard_};
  for (auto& w : batch)
    for (auto& r : w.rows) {
      if (!r.row) continue;
      const auto newest_at = r.row->second.position;
      r.superseded = newest_at > w.position && newest_at <= last;
    }
}

void journal::run_callbacks(std::vector<waiting>& batch) {
  for (auto& w : batch)
    if (w.then) std::exchange(w.then, {})();
}

/// The part of this shard's rows; a new one, where it has none in this batch yet.
std::uint16_t journal::part_of(log_batch& batch, domain::shard_id shard, domain::epoch_id epoch) {
  if (epoch == of_no_shard) return log_batch::own;
  auto& end = ends_[shard];
  if (end.part < batch.parts.size() && batch.parts[end.part].shard == shard
      && batch.parts[end.part].epoch == epoch)
    return end.part;
  if (end.epoch != epoch) end = {epoch, log_->open(shard, epoch).value_or(0)};
  end.part = static_cast<std::uint16_t>(batch.parts.size());
  batch.parts.push_back({shard, epoch, ++end.seq});
  return end.part;
}

/// One batch, one fsync. Moves the entries out of `batch`.
std::optional<failure> journal::write(std::vector<waiting>& batch, journal_stats& done) {
  log_batch out;
  std::vector<std::size_t> events; // where their rows are in `out`; not those of a copied shard
  if (JUMUN_PLANTED(batch_reordered)) std::reverse(batch.begin(), batch.end() - 1);
  for (auto& w : batch) {
    if (!w.is_set) continue;
    ++done.write_sets;
    const auto part = part_of(out, w.shard, w.epoch);
    auto row = w.rows.begin();
    for (std::size_t i = 0; i < w.entries.size(); ++i) {
      auto& e = w.entries[i];
      // A row that was made before it was appended would be older than the events in between.
      JUMUN_INVARIANT(e.in != table::meta || e.key != last_offset_key,
        "the last offset is the committer's alone to write, so it never falls");
      const bool is_shown = row != w.rows.end() && row->entry == i;
      if (is_shown && (row++)->superseded) continue;
      if (i >= w.own_entries) events.push_back(out.rows.size());
      out.add(std::move(e), part);
    }
  }
  if (out.rows.empty()) return {}; // callbacks alone: what they wait for is on disk
  if (!events.empty()) add_feed_rows(out, events);
  if (!events.empty() || batch.back().offset > written_offset_) { // by events, or raised
    written_offset_ = batch.back().offset;
    out.add(last_offset_row(written_offset_), log_batch::own);
  }
  for (const auto& e : out.rows) done.bytes += e.key.size() + (e.value ? e.value->size() : 0);
  done.entries = out.rows.size();
  done.commits = 1;
  done.largest_batch = done.write_sets;
  if (JUMUN_PLANTED(batch_in_two_writes))
    if (auto failed = disk_->apply({out.rows.begin(), out.rows.end() - out.rows.size() / 2}))
      return failed;
  if (JUMUN_PLANTED(key_in_a_write_of_its_own)) {
    auto rows = out.rows;
    const auto keys = std::stable_partition(
      rows.begin(), rows.end(), [](const entry& e) { return e.in != table::idempotency; });
    if (auto failed = disk_->apply({rows.begin(), keys})) return failed;
  }
  const auto start = how_.now_us ? how_.now_us() : 0;
  {
    const std::lock_guard lock{guard_};
    committing_since_us_ = start;
  }
  auto failed = append_to_log(out);
  if (how_.now_us) done.commit_us_sum = static_cast<std::uint64_t>(how_.now_us() - start);
  if (!failed) tell_taps(out.rows);
  return failed;
}

/// Until it is known to be durable, or can't be. What is unknown is the same part again.
std::optional<failure> journal::append_to_log(const log_batch& batch) {
  for (;;) {
    const auto came_to = log_->append(batch);
    if (came_to.broken) return came_to.broken;
    bool unknown = false;
    for (std::size_t i = 0; i < came_to.parts.size(); ++i) {
      const auto said = came_to.parts[i];
      JUMUN_INVARIANT(said != appended::gap, "the committer counts what it appends");
      unknown = unknown || said == appended::unknown;
      if (said == appended::fenced)
        return failure{errc::fenced, "shard " + std::to_string(batch.parts[i].shard)
                                       + " has a newer owner than the one of epoch "
                                       + std::to_string(batch.parts[i].epoch)};
    }
    if (!unknown) return {};
  }
}

void journal::tap(domain::shard_id shard, row_sink sink) {
  const std::lock_guard lock{guard_};
  if (sink)
    taps_[shard] = std::move(sink);
  else
    taps_.erase(shard);
}

void journal::tell_taps(std::vector<entry>& written) {
  std::map<domain::shard_id, row_sink> taps;
  {
    const std::lock_guard lock{guard_};
    if (taps_.empty()) return;
    taps = taps_;
  }
  std::map<domain::shard_id, std::vector<entry>> of;
  for (auto& e : written)
    if (sharded(e.in) && !e.key.empty())
      if (const auto shard = static_cast<domain::shard_id>(e.key.front()); taps.count(shard) > 0)
        of[shard].push_back(std::move(e));
  for (auto& [shard, rows] : of) taps.at(shard)(std::move(rows));
}

void journal::landed(std::vector<waiting>& batch, const journal_stats& done) {
  const auto position = batch.back().position;
  {
    const std::lock_guard lock{guard_};
    durable_ = position;
    committing_since_us_ = 0;
    for (const auto& w : batch)
      for (const auto& r : w.rows)
        if (r.row && r.row->second.position == w.position) recent_.emplace_back(r.row, w.position);
    forget_older();
    add(stats_, done);
  }
  run_callbacks(batch);
  tell(batch);
  {
    const std::lock_guard lock{guard_};
    told_ = position;
  }
  idle_.notify_all();
}

/// Keeps the newest recent_rows of what is durable. A row that was written again since is still
/// somebody's: of a later batch, or of its later place in `recent_`.
void journal::forget_older() {
  for (; recent_.size() > how_.recent_rows; recent_.pop_front()) {
    const auto [row, position] = recent_.front();
    if (row->second.position != position) continue;
    if (!JUMUN_PLANTED(eviction_not_counted)) forgotten_ = position;
    overlay_.erase(overlay_.find(row->first));
  }
}

void journal::tell(std::vector<waiting>& batch) const {
  std::vector<durable_events> all;
  for (auto& w : batch)
    if (!w.events.empty()) all.push_back({w.offset - w.events.size() + 1, std::move(w.events)});
  if (!all.empty()) how_.on_events(std::move(all));
}

void journal::broken(const failure& why) {
  std::vector<waiting> forgotten; // their callbacks never run; they are destroyed without the lock
  {
    const std::lock_guard lock{guard_};
    failed_ = true;
    forgotten.swap(queue_);
  }
  idle_.notify_all();
  if (how_.on_failure) how_.on_failure(why);
}

void journal::flush() {
  if (how_.manual) {
    while (run_once()) {}
    return;
  }
  std::unique_lock lock{guard_};
  const auto target = position_;
  urgent_ = true;
  wake_.notify_one();
  idle_.wait(lock, [&] { return failed_ || told_ >= target; });
}

journal_stats journal::stats() const {
  const std::lock_guard lock{guard_};
  auto now = stats_;
  now.waiting = position_ - durable_;
  return now;
}

std::array<std::uint64_t, domain::shard_count> journal::lag_us() const {
  const auto now = how_.now_us ? how_.now_us() : 0;
  std::array<std::uint64_t, domain::shard_count> out{};
  const std::lock_guard lock{guard_};
  const auto since = committing_since_us_ > 0 ? now - committing_since_us_ : 0;
  for (std::size_t s = 0; s < domain::shard_count; ++s)
    if (position_of_[s] > durable_)
      out[s] = static_cast<std::uint64_t>(std::max<std::int64_t>(1, since));
  return out;
}

std::uint64_t read_last_offset(const store& disk) { return read_offset(disk, last_offset_key); }
std::uint64_t read_last_offset(const store& disk, domain::shard_id shard) {
  const std::string prefix(1, static_cast<char>(shard));
  const auto last = disk.scan(table::feed, prefix, after_prefix(prefix), direction::backward);
  return last->valid() ? number_of_key(last->key()).value_or(0) : 0;
}
domain::feed_position read_low_water(const store& disk) {
  domain::feed_position low{read_offset(disk, low_water_key)};
  const auto own = std::string{low_water_key} + '/';
  const auto at = disk.scan(table::meta, own, after_prefix(own), direction::forward);
  for (; at->valid(); at->next()) {
    const auto shard = static_cast<unsigned char>(at->key().back());
    low.of[shard] = offset_in(at->value());
  }
  return low;
}
std::uint64_t read_low_water(const store& disk, domain::shard_id shard) {
  const auto own = disk.get(table::meta, low_water_key_of(shard));
  return own ? offset_in(*own) : read_offset(disk, low_water_key);
}
entry last_offset_row(std::uint64_t offset) {
  return {table::meta, std::string{last_offset_key}, offset_text(offset)};
}
entry low_water_row(std::uint64_t offset) {
  return {table::meta, std::string{low_water_key}, offset_text(offset)};
}
entry low_water_row(domain::shard_id shard, std::uint64_t offset) {
  return {table::meta, low_water_key_of(shard), offset_text(offset)};
}
} // namespace jumun::storage
