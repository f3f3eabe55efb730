#pragma once
#include "domain/event.hpp"
#include "domain/feed_position.hpp"
#include "domain/ids.hpp"
#include "domain/stock.hpp"
#include "storage/commit_log.hpp"
#include "storage/rows.hpp"
#include "storage/store.hpp"
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace jumun::storage {
/// The epoch of write sets of no shard: rows that only this node has to know. Never fenced.
inline constexpr domain::epoch_id of_no_shard = UINT64_MAX;

/// Rows that become durable together or not at all: one transition of one actor.
struct write_set {
  domain::shard_id shard = 0;
  domain::epoch_id epoch = 1; // of the shard's owner, a stale one is fenced; or of_no_shard
  std::vector<entry> entries;
  std::vector<domain::event> events; // each becomes a row of `history`, and lies in one of `feed`
  /// The fence: the row that this set replaces must have this version (0: must not exist).
  struct replaced {
    table in = table::orders;
    std::string key;
    std::uint64_t version = 0;
  };
  std::optional<replaced> replaces;
  /// Nobody outside waits for it yet: it need not be the reason for a commit of its own (ADR 0011).
  bool patient = false;
};

enum class append_result : std::uint8_t { ok, stale_version, fenced, stopped };

/// Events of one write set that became durable: their offsets in the feed are first, first + 1, …
struct durable_events {
  std::uint64_t first = 0;
  std::vector<domain::event> events;
};

/// Runs once what it was given with is durable. On the committer's thread, in the order of append;
/// must not block.
using durable_callback = std::function<void()>;

struct journal_stats {
  std::uint64_t write_sets = 0, commits = 0, entries = 0, bytes = 0;
  std::uint64_t commit_us_sum = 0;                      // batch write + fsync
  std::uint64_t largest_batch = 0;                      // write sets in one commit
  std::array<std::uint64_t, 20> commit_us_histogram{};  // bucket i: < 2^(i+1) µs
  std::array<std::uint64_t, 14> batch_size_histogram{}; // bucket i: < 2^(i+1) write sets
  std::uint64_t waiting = 0;                            // write sets appended and not yet durable
  std::array<std::uint64_t, domain::event_type_last + 1> events{}; // appended, by type
};

/// Group commit over all shards (DESIGN §4): write sets that come in while the last fsync runs
/// become the next batch, one fsync. Order of append is order on disk, so an actor may act *inside
/// the process* on what it appended (a crash that loses it loses all that followed); whatever
/// leaves the process waits for `durable`. A failed write is never retried: on_failure is called
/// once, and nothing is written after; so it is when a commit is fenced, because what was appended
/// has been acted on. A set that nobody waits for (patient, or without a callback)
/// rides with the next commit that somebody waits for, or goes alone after `patience`.
///
/// Thread-safe. A committer thread runs unless `manual`; then run_once() is the simulator's.
class journal {
public:
  struct options {
    bool manual = false;
    std::uint64_t boot_offset = 0; // last feed offset on disk: read_last_offset(store)
    std::function<void(const failure&)> on_failure;
    /// All events of one commit, in the order of their offsets, never empty. On the committer's
    /// thread, after the sync and after the commit's callbacks; must not block.
    std::function<void(std::vector<durable_events>)> on_events = {};
    /// Microseconds of a clock that never goes back, to measure commits by; empty: they are taken
    /// to last no time. Called on the committer's thread, and on that of lag_us()'s caller.
    std::function<std::int64_t()> now_us = {};
    /// For how long a set that nobody waits for stays in memory, at most.
    std::chrono::milliseconds patience{1};
    /// How many durable rows stay in memory, at least: some 1 MB, so in the processor's caches.
    std::size_t recent_rows = 2'048;
    /// Where commits go; empty: to the store alone (local_log).
    std::shared_ptr<commit_log> log = {};
  };
  journal(std::shared_ptr<store> disk, options how);
  ~journal(); // commits what was appended, then stops the thread
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  /// Puts `set` behind all that was appended before. Never waits for the disk.
  /// Not ok: nothing was appended and `then` will not run. May read the disk, to compare versions.
  [[nodiscard]] append_result append(write_set set, durable_callback then = {});
  /// Runs `then` once all that has been appended so far is durable: at once, on the caller's
  /// thread, when nothing waits.
  void when_durable(durable_callback then);
  /// The newest appended value, durable or not. For actors; everyone else reads the store.
  [[nodiscard]] std::optional<std::string> latest(table in, std::string_view key) const;
  /// The newest durable value of a table that actors read back: what a reader of the store sees,
  /// without the store where the row was written lately. Any thread; may block on a cold read.
  [[nodiscard]] std::optional<std::string> durable(table in, std::string_view key) const;
  /// The same from memory alone; nullopt: it has no such row, or not the durable one. Never blocks.
  [[nodiscard]] std::optional<std::string> recent(table in, std::string_view key) const;
  /// Rows of one shard, as one commit wrote them, in order.
  using row_sink = std::function<void(std::vector<entry>)>;
  /// From the next commit on `sink` gets the shard's rows of each, after its sync and before the
  /// callbacks of what it made durable: whoever reads the disk in a when_durable() callback that is
  /// asked for now, and writes what `sink` gets behind that, misses nothing. nullptr: no more. One
  /// sink a shard; on the committer's thread, must not block.
  void tap(domain::shard_id shard, row_sink sink);
  /// A shard's owner changed: sets with a lower epoch are fenced from now on.
  void raise_epoch(domain::shard_id shard, domain::epoch_id epoch);
  /// Lets sets of this epoch in again, of a shard that was fenced, and not given away after all.
  void reopen(domain::shard_id shard, domain::epoch_id epoch);
  /// The epoch below which a set of this shard is fenced: what writers use that are no actors of a
  /// shard.
  [[nodiscard]] domain::epoch_id epoch_of(domain::shard_id shard) const;

  /// The feed's next offset is above this: offsets only rise in each shard, whoever wrote them.
  /// Durable with what is appended next.
  void raise_offset(std::uint64_t above);

  /// manual only: commits one batch. False: nothing waits, or the journal has stopped.
  bool run_once();
  /// Blocks until all that was appended is durable and its callbacks have run, or the journal has
  /// stopped. Not from a callback. manual: does it itself.
  void flush();
  [[nodiscard]] journal_stats stats() const;
  /// Of each shard: 0: all that was appended for it is durable; else for how many µs the commit
  /// that it waits for, or the one before that, has been under way by now (at least 1).
  [[nodiscard]] std::array<std::uint64_t, domain::shard_count> lag_us() const;
  [[nodiscard]] const store& disk() const { return *disk_; }

private:
  // The newest value of what was appended and is not yet durable, and of what became durable
  // lately; the position is its write set's.
  struct newest {
    std::optional<std::string> value;
    std::uint64_t position = 0;
    std::uint64_t born = 0; // an order's first set, if it was appended here; 0: any other row
  };
  using overlay = std::unordered_map<std::string, newest>; // by table and key; nodes stay put
  /// One of a waiting set's entries, by number, and its row in the overlay.
  struct shown {
    std::size_t entry = 0;
    overlay::value_type* row = nullptr; // null: an earlier entry of the same set has it
    bool superseded = false;            // a later set of the same batch writes it, too
  };
  /// A write set, or a callback alone (then without entries and with the position of the set before
  /// it).
  struct waiting {
    std::vector<entry> entries;
    durable_callback then;
    std::uint64_t position = 0, offset = 0; // the journal's, as they were behind this one
    bool is_set = false;
    std::vector<domain::event> events; // for on_events; the last one's offset is `offset`
    std::vector<shown> rows;
    std::size_t own_entries = 0; // what follows them are the events' rows
    domain::shard_id shard = 0;
    domain::epoch_id epoch = of_no_shard;
  };
  void work();
  std::vector<waiting> take_batch();
  void commit(std::vector<waiting> batch);
  std::optional<failure> write(std::vector<waiting>& batch, journal_stats& done);
  std::uint16_t part_of(log_batch& batch, domain::shard_id shard, domain::epoch_id epoch);
  std::optional<failure> append_to_log(const log_batch& batch);
  static void run_callbacks(std::vector<waiting>& batch);
  void mark_superseded(std::vector<waiting>& batch);
  void tell_taps(std::vector<entry>& written);
  void landed(std::vector<waiting>& batch, const journal_stats& done);
  void forget_older();
  void tell(std::vector<waiting>& batch) const;
  void broken(const failure& why);
  std::optional<append_result> refusal_of(const write_set& set) const;
  std::optional<std::uint64_t> pending_version(const write_set::replaced& row) const;
  bool surely_absent(table in, std::string_view key) const;

  std::shared_ptr<store> disk_;
  options how_;
  std::shared_ptr<commit_log> log_;
  mutable std::mutex guard_;
  std::condition_variable wake_, idle_;
  std::vector<waiting> queue_;
  overlay overlay_;
  // Durable rows that the overlay still has, oldest first: an order is read again within
  // milliseconds. A row that was written since is forgotten by its later place here.
  std::deque<std::pair<overlay::value_type*, std::uint64_t>> recent_;
  std::uint64_t forgotten_ = 0; // the newest position whose row has left the overlay
  std::array<domain::epoch_id, domain::shard_count> epochs_;
  // Write sets are counted from 1: appended; on disk; on disk and their callbacks have run.
  std::uint64_t position_ = 0, durable_ = 0, told_ = 0;
  std::uint64_t offset_ = 0;
  std::array<std::uint64_t, domain::shard_count> position_of_{}; // of each shard's last set
  std::int64_t committing_since_us_ = 0;                         // 0: nothing is being written
  std::map<domain::shard_id, row_sink> taps_; // of shards that are on their way to another node
  bool stopping_ = false, failed_ = false;
  bool urgent_ = false; // somebody waits for what is in the queue
  journal_stats stats_;
  // Of the committer's thread:
  struct log_end {
    domain::epoch_id epoch = 0; // at which the log was opened
    std::uint64_t seq = 0;      // of the last part
    std::uint16_t part = 0;     // the shard's last one in the batch that is being put together
  };
  std::array<log_end, domain::shard_count> ends_;
  std::uint64_t written_offset_ = 0; // the store's last offset
  std::thread worker_;
};

/// The last feed offset that is on disk; 0 in an empty store.
[[nodiscard]] std::uint64_t read_last_offset(const store& disk);
/// The last one of this shard that is on disk; 0: it has no events.
[[nodiscard]] std::uint64_t read_last_offset(const store& disk, domain::shard_id shard);
/// Up to these offsets retention has trimmed the feed of each shard; 0: never. A shard that came
/// from another node has a mark of its own; the others share one.
[[nodiscard]] domain::feed_position read_low_water(const store& disk);
[[nodiscard]] std::uint64_t read_low_water(const store& disk, domain::shard_id shard);
/// The rows that say so.
[[nodiscard]] entry last_offset_row(std::uint64_t offset);
[[nodiscard]] entry low_water_row(std::uint64_t offset); // of all that have none of their own
[[nodiscard]] entry low_water_row(domain::shard_id shard, std::uint64_t offset);
} // namespace jumun::storage
