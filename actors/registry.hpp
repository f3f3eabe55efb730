#pragma once
#include "actors/recorder.hpp"
#include "domain/ids.hpp"
#include <array>
#include <atomic>
#include <caf/actor_addr.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace jumun::actors {
/// What every actor counts about itself: written by whoever sends and by the actor, read by anyone.
struct vital_signs {
  std::atomic<std::uint64_t> received{0}, handled{0};
  std::atomic<message_recorder*> watched{nullptr}; // by whom its messages are recorded
};

/// One living (or restarting, or quarantined) actor, for people and metrics.
struct actor_record {
  std::uint64_t id = 0;
  std::string name, kind, parent; // name: kind/shard or saga/<order id>
  domain::order_id order;         // of a saga
  int shard = -1;                 // -1: none
  std::uint64_t restarts = 0;
  std::string last_error;
  std::string state = "running"; // running | restarting | quarantined | dormant
  std::shared_ptr<vital_signs> signs;
  caf::actor_addr address;
  [[nodiscard]] std::int64_t mailbox_depth() const;
  [[nodiscard]] std::uint64_t handled() const { return signs ? signs->handled.load() : 0; }
};

/// The actors of one kind, added up. Those that have left count in `handled` and `restarts`, so
/// that these two only rise.
struct actor_figures {
  std::map<std::string, std::uint64_t> by_state;
  std::int64_t mailbox_depth = 0, mailbox_depth_max = 0;
  std::uint64_t handled = 0, restarts = 0;
};

/// Which actors are wanted; empty: any.
struct actor_filter {
  std::string kind, state, name; // name: how it begins
  std::optional<std::string> parent;
  std::optional<int> shard;
  [[nodiscard]] bool wants(const actor_record& r) const;
};
/// What a list of actors is sorted by: by id, ascending; by the others the greatest first.
enum class actor_order : std::uint8_t { id, mailbox_depth, handled, restarts };

/// `saga/ord_…`
[[nodiscard]] std::string saga_name(domain::order_id id);

/// All actors of this node, by a registry of our own: CAF's profiler is compiled out of Debian's
/// build (DESIGN §7). Thread-safe; striped, because each saga enters and leaves.
class actor_registry {
public:
  /// Enters an actor, or gives its name's record a new life (its id and restarts stay).
  std::uint64_t enter(actor_record record);
  /// `order`: of a saga that may be dormant.
  void leave(std::string_view name, domain::order_id order = {});
  /// A saga leaves memory, and stays listed: as `dormant`, in a few bytes. It enters again.
  void falls_asleep(std::string_view name);
  /// Counts a crash: the record stays, as `restarting` or `quarantined`.
  void fell(std::string_view name, std::string error, std::string state);
  [[nodiscard]] std::vector<actor_record> all() const; // by id
  /// The first `limit` of those that are wanted, by id behind `after`. Walks all of them in place,
  /// a stripe at a time, and copies little more than it gives back.
  [[nodiscard]] std::vector<actor_record> page(
    const actor_filter& f, actor_order by, std::uint64_t after, std::size_t limit) const;
  [[nodiscard]] std::optional<actor_record> find(std::uint64_t id) const;
  [[nodiscard]] std::optional<actor_record> find(std::string_view name) const;
  /// All of them by kind. Walks them in place, a stripe at a time: milliseconds for 50,000.
  [[nodiscard]] std::map<std::string, actor_figures> by_kind() const;

  // -- what passes through some of them
  [[nodiscard]] message_recorder& recorder() { return recorder_; }
  /// Lets exactly the actors record whose recordings run, in this life and in the next.
  void watch_recorded();

private:
  struct sleeper { // there may be a million of them
    std::uint64_t id = 0, handled = 0;
  };
  struct stripe {
    mutable std::mutex guard;
    std::map<std::string, actor_record, std::less<>> by_name;
    std::map<domain::order_id, sleeper> dormant;
    std::map<std::string, actor_figures> past; // by kind: handled by lives that are over; restarts
  };
  static constexpr std::size_t stripes = 64;
  static std::size_t stripe_of(std::string_view name) {
    return domain::stable_hash(name) % stripes;
  }
  static actor_record shown(domain::order_id order, const sleeper& s);
  stripe& at(std::string_view name) { return stripes_[stripe_of(name)]; }
  void watch_if_wanted(const actor_record& r);

  std::array<stripe, stripes> stripes_;
  message_recorder recorder_;
  std::atomic<bool> watching_{false};
  std::mutex watch_guard_;
  std::set<std::string> watched_; // names
  std::atomic<std::uint64_t> next_id_{1};
};
} // namespace jumun::actors
