#pragma once
#include "domain/webhook.hpp"
#include "http/part.hpp"
#include "storage/store.hpp"
#include <deque>
#include <map>

namespace jumun::app {
/// One endpoint's queue: which event goes next, when, and what is to be remembered of it. Holds
/// ids of events, never their contents, and a bounded number of them: the feed is the queue. One
/// message is under way at a time, so that events arrive in their order; the next one goes when
/// the one before is delivered or given up. No clock, no disk, no network; not thread-safe.
class webhook_lane {
public:
  /// `kept`: its rows in webhook_deliveries, by number.
  webhook_lane(domain::webhook row, std::vector<domain::webhook_delivery> kept);

  [[nodiscard]] const domain::webhook& row() const { return row_; }
  [[nodiscard]] bool on() const { return row_.off == domain::webhook_off::none; }

  // -- from the feed
  /// Whether to read on behind read(). False: enough is here, or it is off.
  [[nodiscard]] bool reads() const { return on() && window_.empty(); }
  [[nodiscard]] const domain::feed_position& read() const { return read_; }
  /// What a node's feed holds behind `after`. Ignored where it is off, where the part begins behind
  /// read(), and where much waits already. @returns how many offsets retention had taken
  std::uint64_t take_in(const domain::feed_position& after, const http::feed_part& part);

  // -- to the receiver
  struct job {
    domain::webhook_delivery what;
    bool by_hand = false;
    std::uint64_t serial = 0; // no other job's, in no life of any lane
  };
  /// When begin() will have something; nullopt: nothing waits, or something is under way.
  [[nodiscard]] std::optional<std::int64_t> due_ms() const;
  [[nodiscard]] std::optional<job> begin(std::int64_t now_ms);
  // The end of a job. One that is not under way here (an earlier life of this lane, before its
  // shard went away and came back, may have begun it) is ignored.
  void answered(const job& done, const domain::webhook_answer& got, std::int64_t now_ms,
    std::uint64_t random, std::int64_t hurry);
  /// It can never be sent (retention has removed the event, or it is too long): given up.
  void impossible(const job& which, std::string why, std::int64_t now_ms);
  /// Its event can't be had now (its node is away, or its shard on the move): no try is used up,
  /// and nothing of its kind (by hand, or from the feed) begins before `again_ms`. What was never
  /// tried does not keep the other nodes' events waiting: it is read again. What is asked for by
  /// hand goes behind the others that are.
  void put_back(const job& which, std::int64_t again_ms);

  // -- over HTTP
  /// Between the two nothing begins: what was changed is not durable yet.
  void hold() { ++held_; }
  void release() { --held_; }
  /// Settings and secrets; progress stays. Switched on again, it starts its schedule afresh.
  void change(domain::webhook to);
  enum class asked : std::uint8_t { queued, is_next, off, full };
  /// `what`: a settled message of this endpoint, or the one that is being tried.
  [[nodiscard]] asked redeliver(domain::webhook_delivery what);
  /// What is newer than its row on disk: the message that is being tried, and what was settled
  /// since the last take_changes().
  [[nodiscard]] std::vector<domain::webhook_delivery> unwritten() const;

  // -- to the disk
  /// Something happened that a restart should know of.
  [[nodiscard]] bool dirty() const { return row_dirty_ || !changed_.empty(); }
  [[nodiscard]] std::size_t rows_changed() const { return changed_.size(); }
  /// The rows as they are now. Afterwards it is not dirty.
  [[nodiscard]] std::vector<storage::entry> take_changes();
  /// Deletes all that there is of it.
  [[nodiscard]] std::vector<storage::entry> farewell() const;

private:
  void begin_where(const http::feed_part& part);
  [[nodiscard]] std::uint64_t count_lost(const http::feed_part& part);
  void read_again();
  /// When the next one of either kind may begin; nullopt: none waits.
  [[nodiscard]] std::optional<std::int64_t> by_hand_due_ms() const;
  [[nodiscard]] std::optional<std::int64_t> fed_due_ms() const;
  [[nodiscard]] bool awaits(const job& which) const { return under_way_ == which.serial; }
  void settle();
  void keep(const domain::webhook_delivery& settled);
  void keep_head();
  void trim(std::deque<std::uint64_t>& kept);
  [[nodiscard]] bool waits_by_hand(std::uint64_t number) const;
  void advance_to(const domain::feed_position& place);

  domain::webhook row_;
  domain::feed_position read_;                   // the feed is known up to here
  domain::feed_position written_cursor_;         // as it is on disk
  std::uint64_t numbered_ = 0;                   // the last message's number
  std::optional<domain::webhook_delivery> head_; // being tried; on disk once it was
  std::deque<domain::webhook_delivery> window_;  // behind it, in order; numbered by their offsets
  std::deque<domain::webhook_delivery> by_hand_; // asked for
  std::deque<std::uint64_t> delivered_, failed_; // numbers of the settled rows, oldest first
  std::map<std::uint64_t, std::optional<domain::webhook_delivery>> changed_; // rows, by number
  std::optional<std::uint64_t> under_way_;                                   // its serial
  std::int64_t not_before_ms_ = 0, by_hand_not_before_ms_ = 0;
  bool row_dirty_ = false;
  int held_ = 0;
};

/// Whether whoever stands at `p` misses nothing by an answer to what was asked behind `asked`, in
/// these shards.
[[nodiscard]] bool reaches(
  const domain::feed_position& p, const domain::feed_position& asked, const domain::shard_set& in);
} // namespace jumun::app
