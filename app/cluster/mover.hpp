#pragma once
#include "cluster/coordinator.hpp"
#include "cluster/messages.hpp"
#include "cluster/peers.hpp"
#include "domain/shard_set.hpp"
#include "http/histogram.hpp"
#include "storage/journal.hpp"
#include "storage/shard_copy.hpp"
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

namespace jumun::app {
/// How far the move of one shard is, as its source or its target sees it.
struct move_progress {
  domain::shard_id shard = 0;
  domain::epoch_id epoch = 0; // at which the target will own it
  std::string from, to, step; // step: one of mover's step names
  std::uint64_t rows = 0, bytes = 0;
};

/// Moves shards between nodes (DESIGN §8, ADR 0019). The source copies the rows while it serves,
/// then what changed meanwhile, then stops serving, copies the rest, and hears from the target that
/// all of it is durable there. Only then it says on its own disk that the shard is given, and
/// enters the next owner in the map. Before that line on its disk it takes the shard back when
/// anything fails; behind it, it never serves it again, and enters the next owner also after a
/// restart. The target serves what the map gives it and what is complete on its disk.
///
/// One task at a time, on the executor that `run` stands for; public calls from any thread. Nothing
/// is sent to a caller who is gone: surroundings outlive the last task.
class mover : public std::enable_shared_from_this<mover> {
public:
  struct surroundings {
    std::string self;
    storage::journal& journal;
    cluster::peers& peers;
    /// One after the other, in order, on a thread that may wait for the disk.
    std::function<void(std::function<void()>)> run;
    std::function<void(std::chrono::milliseconds, std::function<void()>)> later; // then `run`
    /// ownership::give_up and take_back.
    std::function<void(domain::shard_id, std::function<void()> done)> give_up;
    std::function<void(domain::shard_id)> take_back;
    /// The map's owner of a shard and its epoch, as far as this node knows.
    std::function<std::pair<std::string, domain::epoch_id>(domain::shard_id)> owner_of;
    /// coordinator::pass
    std::function<void(domain::shard_id, domain::epoch_id, const std::string& to,
      std::function<void(cluster::passed)>)>
      pass;
    std::function<std::int64_t()> now_ms;
    std::function<std::uint64_t()> random;
    /// A line for the log: event name, fields without secrets.
    std::function<void(std::string_view event, std::string detail)> say;
    /// Each step as it is reached, for the tests that end a process there.
    std::function<void(std::string_view step)> reached = [](std::string_view) {};
    /// Whether the map could be changed just now. Without that no shard is taken out of service:
    /// nobody would serve it until its next owner can be entered.
    std::function<bool()> in_contact = [] { return true; };
    /// False: the shard is this node's by the map, and its rows are not in this folder, so there is
    /// nothing to give (ownership::missing).
    std::function<bool(domain::shard_id)> has_rows = [](domain::shard_id) { return true; };
  };
  explicit mover(surroundings with) : with_(std::move(with)) {}

  /// Once, before anything is served: what this folder gave away and did not yet enter in the map
  /// is entered.
  void start();
  /// From here on nothing is begun or gone on with. What runs on the executor runs to its end.
  void stop() { stopped_ = true; }
  /// The moves that this node is now the source of, and the shards that are wanted here. What is
  /// under way and not wanted any more is given up, unless it is given already.
  void want(std::vector<domain::wanted_move> moves, domain::shard_set coming);
  /// Whether an ask is of one of its kinds.
  [[nodiscard]] static bool takes(const cluster::envelope& what);
  void take(const std::string& from, cluster::envelope what, cluster::reply_once reply);
  /// ownership::surroundings::may_serve and gave_away. Any thread; they read the disk.
  [[nodiscard]] bool may_serve(domain::shard_lease lease, bool held, bool fresh) const;
  [[nodiscard]] bool gave_away(domain::shard_lease lease) const;
  [[nodiscard]] std::vector<move_progress> progress() const;

  /// Counted since the start; a move's rows and bytes by both of its ends.
  struct counts {
    std::atomic<std::uint64_t> done{0}, failed{0}; // as source; one that failed is tried again
    std::atomic<std::uint64_t> taken{0};           // as target: its copy was whole
    std::atomic<std::uint64_t> rows_out{0}, bytes_out{0}, rows_in{0}, bytes_in{0};
    /// 1 ms of an empty shard up to minutes of a large one.
    static constexpr std::array<std::uint64_t, 12> upper_us{5'000, 10'000, 25'000, 50'000, 100'000,
      300'000, 1'000'000, 3'000'000, 10'000'000, 30'000'000, 60'000'000, 300'000'000};
    http::histogram<upper_us.size()> took{upper_us};       // from the offer to the next owner
    http::histogram<upper_us.size()> not_served{upper_us}; // of that, until the map had it
  };
  [[nodiscard]] const counts& counted() const { return counts_; }

private:
  struct outgoing;
  struct incoming { // a shard that this node is given
    storage::shard_copy copy;
    std::uint64_t next = 0; // piece
    std::uint64_t rows = 0, bytes = 0;
  };
  struct early_offer { // of a move that the map does not show here yet
    std::string from;
    cluster::move_offer what;
    cluster::reply_once reply;
  };
  using outgoing_ptr = std::shared_ptr<outgoing>;

  void begin_wanted();
  void offer(const outgoing_ptr& o);
  void copy(const outgoing_ptr& o);
  void send_next(const outgoing_ptr& o);
  void send(const outgoing_ptr& o, std::vector<storage::entry> rows);
  void pause(const outgoing_ptr& o);
  void complete(const outgoing_ptr& o);
  void give(const outgoing_ptr& o);
  void pass(domain::shard_id shard, domain::epoch_id epoch, const std::string& to);
  void forget_given(domain::shard_id shard, const storage::shard_given& given);
  void empty(domain::shard_id shard, domain::epoch_id epoch, std::function<void()> then);
  void empty_rest(domain::shard_id shard, domain::epoch_id epoch, std::function<void()> then);
  void put(std::string key, std::optional<std::string> row, storage::durable_callback then = {});
  void write_meta(std::vector<storage::entry> rows, storage::durable_callback then);
  void discard(domain::shard_id shard, domain::epoch_id epoch);
  void count_move(const outgoing& o);
  void fail(const outgoing_ptr& o, const std::string& why);
  void take_back(const outgoing_ptr& o);
  void step(const outgoing_ptr& o, std::string_view name);
  template <class Message>
  void ask(const outgoing_ptr& o, const Message& m, std::function<void()> then);

  void take_offer(const std::string& from, domain::shard_id shard, const cluster::move_offer& m,
    cluster::reply_once reply);
  void hold(domain::shard_id shard, early_offer offer);
  void take_rows(domain::shard_id shard, const cluster::move_rows& m, cluster::reply_once reply);
  void take_complete(
    domain::shard_id shard, const cluster::move_complete& m, cluster::reply_once reply);
  storage::append_result write(std::vector<storage::entry> rows, domain::shard_id shard,
    domain::epoch_id epoch, storage::durable_callback then);
  void note(domain::shard_id shard, std::optional<move_progress> now);
  /// `work` on the executor, unless this is gone by then.
  std::function<void()> task(std::function<void()> work);

  const surroundings with_;
  std::atomic<bool> stopped_{false};
  counts counts_;
  // Of the executor:
  std::map<domain::shard_id, domain::wanted_move> wanted_;
  std::map<domain::shard_id, outgoing_ptr> out_;
  std::map<domain::shard_id, incoming> in_;
  std::map<domain::shard_id, early_offer> early_;
  // At these epochs this folder gave them away, which this node's map does not say yet.
  std::map<domain::shard_id, domain::epoch_id> given_;
  domain::shard_set coming_;   // wanted here, by the newest map
  domain::shard_set emptying_; // their old rows are being deleted: nothing is taken for them
  mutable std::mutex guard_;   // of what follows
  std::map<domain::shard_id, move_progress> progress_;
};
} // namespace jumun::app
