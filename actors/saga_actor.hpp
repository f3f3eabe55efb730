#pragma once
#include "actors/counted.hpp"
#include "actors/environment.hpp"

namespace jumun::actors {
/// Counts its owner in a gauge for as long as it is set.
class tally {
public:
  tally() = default;
  tally(const tally&) = delete;
  ~tally() { set(nullptr); }
  void set(std::atomic<std::int64_t>* in) {
    if (in == in_) return;
    if (in_) --*in_;
    if (in) ++*in;
    in_ = in;
  }

  /// Takes over one that somebody has counted already.
  void adopt(std::atomic<std::int64_t>* in) { in_ = in; }

private:
  std::atomic<std::int64_t>* in_ = nullptr;
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
  std::uint64_t ignored = 0;  // duplicate and late answers
  bool asked_first = false;   // the only charge that this life has sent is its order's first
  tally unpaid, held;
};
using saga_self = counted<saga_shell, saga_actor>*;

/// Revives an order from its newest row. Throws when there is none or it can't be read; the
/// supervisor counts that as a crash. `fresh` saves the read for an order that was accepted just
/// now.
saga_actor::behavior_type saga(saga_self self, environment* env, supervisor_actor supervisor,
  domain::epoch_id epoch, domain::order_id id, std::shared_ptr<domain::order> fresh);

[[nodiscard]] std::string saga_name(domain::order_id id);

/// What a decision about an order replaces: its row's version, 0 for none, and whether the open
/// index has it.
struct replaced_order {
  std::uint64_t version = 0;
  bool open = false;
};
[[nodiscard]] inline replaced_order replacing(const domain::order& o) {
  return {o.version, domain::open(o)};
}

/// The write set of one decision about an order: its row, its events, and its place in the open
/// index where that changes.
[[nodiscard]] storage::write_set write_set_for(
  domain::epoch_id epoch, const domain::decision& d, replaced_order before);
} // namespace jumun::actors
