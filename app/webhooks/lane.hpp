#pragma once
#include "domain/webhook.hpp"
#include "storage/queries.hpp"
#include <deque>
#include <map>

namespace jumun::app {
/// One endpoint's queue: which event goes next, when, and what is to be remembered of it. Holds
/// ids of events, never their contents, and a bounded number of them: the feed is the queue. One
/// message is under way at a time, so that events arrive in their order; the next one goes when
/// the one before is delivered or given up. No clock, no disk, no network; not thread-safe.
class webhook_lane {
public:
  /// `kept`: its rows in webhook_deliveries, by offset.
  webhook_lane(domain::webhook row, std::vector<domain::webhook_delivery> kept);

  [[nodiscard]] const domain::webhook& row() const { return row_; }
  [[nodiscard]] bool on() const { return row_.off == domain::webhook_off::none; }

  // -- from the feed
  /// Where to read on; nullopt: enough is here, or it is off.
  [[nodiscard]] std::optional<std::uint64_t> reads_after() const;
  /// What the feed holds behind `after`, up to and with `next`. Ignored when `after` is no longer
  /// where it reads on.
  void take_in(
    std::uint64_t after, const std::vector<storage::fed_event>& events, std::uint64_t next);
  /// The feed begins above `first`: what was between is lost, and counted. @returns how many
  std::uint64_t skip_to(std::uint64_t first);

  // -- to the receiver
  struct job {
    domain::webhook_delivery what;
    bool by_hand = false;
  };
  /// When begin() will have something; nullopt: nothing waits, or something is under way.
  [[nodiscard]] std::optional<std::int64_t> due_ms() const;
  [[nodiscard]] std::optional<job> begin(std::int64_t now_ms);
  void answered(const job& done, const domain::webhook_answer& got, std::int64_t now_ms,
    std::uint64_t random, std::int64_t hurry);
  /// It can never be sent (retention has removed the event, or it is too long): given up.
  void impossible(const job& which, std::string why, std::int64_t now_ms);

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
  void settle();
  void keep(const domain::webhook_delivery& settled);
  void trim(std::deque<std::uint64_t>& kept);
  void advance_to(std::uint64_t offset);

  domain::webhook row_;
  std::uint64_t read_ = 0;                       // the feed is known up to here
  std::uint64_t written_cursor_ = 0;             // as it is on disk
  std::optional<domain::webhook_delivery> head_; // being tried
  std::deque<domain::webhook_delivery> window_;  // behind it, in order
  std::deque<domain::webhook_delivery> by_hand_; // asked for
  std::deque<std::uint64_t> delivered_, failed_; // offsets of the settled rows, oldest first
  std::map<std::uint64_t, std::optional<domain::webhook_delivery>> changed_; // rows, by offset
  bool row_dirty_ = false, under_way_ = false;
  int held_ = 0;
};
} // namespace jumun::app
