#pragma once
#include "domain/ids.hpp"
#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace caf {
class mailbox_element;
}

namespace jumun::actors {
struct vital_signs;

/// One message that an actor has handled. No content: a token can't be in it.
struct recorded_message {
  std::int64_t at_us = 0;    // unix microseconds: when its handling began
  std::int64_t wait_us = -1; // before that, in the mailbox; -1: it came before the recording
  std::int64_t took_us = 0;
  std::string from, to;     // names of actors; `edge`, `provider`, `clock`; from: empty: unknown
  std::string_view message; // a literal
  domain::order_id order;   // that it is about; zero: none, or many
};

/// The messages of one actor, or those about one order, for a while.
struct recording {
  std::string of;           // the actor's name, or the order's id
  domain::order_id order;   // zero: of an actor
  std::set<std::string> by; // names of the actors whose messages are looked at
  std::int64_t began_us = 0, ends_us = 0;
  std::size_t limit = 0;  // messages that are kept: the newest
  std::uint64_t seen = 0; // messages that belong to it
  std::deque<recorded_message> messages;
};

/// Writes down the messages of the actors that are watched (actor_registry sets whose they are).
/// Bounded in messages, time and number; an actor that is not watched pays for one load.
/// Thread-safe.
class message_recorder {
public:
  /// Unix microseconds. Once, before the first start().
  void clock(std::function<std::int64_t()> now_us) { now_us_ = std::move(now_us); }

  /// In place of an earlier one `of` the same; above the bound the oldest one is forgotten. Its
  /// times are set here: from now on, for `lasts_us`.
  void start(recording what, std::int64_t lasts_us);
  /// Ends it, and keeps what it has. False: there is none that still runs.
  bool stop(std::string_view of);
  [[nodiscard]] std::optional<recording> find(std::string_view of) const;
  [[nodiscard]] bool runs(const recording& r) const { return r.ends_us > now_us_(); }
  /// Whose messages are looked at now.
  [[nodiscard]] std::set<std::string> watched() const;

  // -- who is watched, by the address of its vital signs
  void name(const vital_signs* who, std::string name);
  void forget(const vital_signs* who);

  // -- for an actor that is
  void came(const caf::mailbox_element& what);
  /// Before the handler, which may take the content out. nullopt: it belongs to no recording.
  [[nodiscard]] std::optional<recorded_message> begins(
    caf::mailbox_element& what, const vital_signs* who);
  void ended(recorded_message m);

private:
  bool over() const { return now_us_() >= until_us_.load(std::memory_order_relaxed); }
  std::function<std::int64_t()> now_us_;
  std::atomic<std::int64_t> until_us_{0}; // the last one's end: behind it nothing is looked at
  mutable std::mutex guard_;              // of what follows
  std::deque<recording> all_;             // oldest first
  std::unordered_map<const vital_signs*, std::string> names_;
  std::unordered_map<const caf::mailbox_element*, std::int64_t> came_us_;
};
} // namespace jumun::actors
