#pragma once
#include "actors/counted.hpp"
#include "actors/environment.hpp"

namespace jumun::actors {
/// Counts its owner in a gauge for as long as it is set.
class tally {
public:
  tally() = default;
  tally(tally&& from) noexcept : in_(std::exchange(from.in_, nullptr)) {}
  tally& operator=(tally&&) = delete;
  ~tally() { set(nullptr); }
  void set(std::atomic<std::int64_t>* in) {
    if (in == in_) return;
    if (in_) --*in_;
    if (in) ++*in;
    in_ = in;
  }

  /// Takes over one that somebody has counted already.
  void adopt(std::atomic<std::int64_t>* in) { in_ = in; }
  void adopt(tally& from) { in_ = std::exchange(from.in_, nullptr); }

private:
  std::atomic<std::int64_t>* in_ = nullptr;
};

/// A saga that is out of memory until something comes for it, as its supervisor keeps it.
struct dormant_saga {
  saga_notes notes;
  tally unpaid, held;
};

/// The shell of one order: holds handles and moves messages, decides nothing.
struct saga_shell {
  static inline const char* name = "saga"; // what logs and the console call this actor
  environment* env = nullptr;
  supervisor_actor supervisor;
  domain::epoch_id epoch = 1; // of our shard's ownership: in each write set
  domain::order now;          // always equal to the last appended row, but for notes
  std::int64_t asked_ms = 0;  // when the present phase's commands went out
  std::int64_t armed_ms = 0;  // the wake-up that the supervisor holds; 0: none
  std::uint64_t commands = 0; // handed on by the supervisor and handled here
  bool told_idle = false;     // it may be retired at once: only its supervisor can call it back
  std::uint64_t ignored = 0;  // duplicate and late answers
  bool asked_first = false;   // the only charge that this life has sent is its order's first
  tally unpaid, held;
};
using saga_self = counted<saga_shell, saga_actor>*;

/// Where a saga's life begins, if not at its row alone.
struct saga_start {
  std::optional<domain::order> fresh; // accepted just now: saves the read
  std::optional<dormant_saga> woken;  // asleep till now: the row, and what it knew beyond it
};
/// Revives an order from its newest row. Throws when there is none or it can't be read; the
/// supervisor counts that as a crash. `start` is used up.
saga_actor::behavior_type saga(saga_self self, environment* env, supervisor_actor supervisor,
  domain::epoch_id epoch, domain::order_id id, std::shared_ptr<saga_start> start);

/// An order's newest row, and its place in the census. What a breaker of a former life had held
/// back is due soon. Throws when there is no row, or it can't be read.
[[nodiscard]] domain::order revived_order(const environment& env, domain::order_id id);

/// What a saga that may sleep until then leaves with its supervisor.
[[nodiscard]] saga_notes notes_of(
  const domain::order& o, std::int64_t wake_ms, std::int64_t asked_ms, bool asked_first);

/// What a decision about an order replaces: its row's version, 0 for none, whether the open index
/// has it, and where its saga stood.
struct replaced_order {
  std::uint64_t version = 0;
  bool open = false;
  domain::phase at = domain::phase::reserving;
};
[[nodiscard]] inline replaced_order replacing(const domain::order& o) {
  return {o.version, domain::open(o), o.at};
}

/// The write set of one decision about an order: its row, its events (taken out of `d`), and its
/// place in the open index where that changes.
[[nodiscard]] storage::write_set write_set_for(
  domain::epoch_id epoch, domain::decision& d, replaced_order before);
} // namespace jumun::actors
