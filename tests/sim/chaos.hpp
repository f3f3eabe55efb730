#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Chance, from one seed. What can go wrong in the simulated world, how often, and what did.
namespace jumun::sim {
/// Everything that chance may do to a run. Each kind has a stream of its own, so that taking one
/// fault out of a run (as the minimiser does) moves the others as little as possible.
#define JUMUN_SIM_FAULTS(X)                                                                        \
  /* between actors: commands to inventory, payment and delivery, and their answers */             \
  X(command_lost, 60)                                                                              \
  X(command_twice, 120)                                                                            \
  X(command_late, 120)                                                                             \
  X(answer_lost, 60)                                                                               \
  X(answer_twice, 120)                                                                             \
  X(answer_late, 120)                                                                              \
  /* the payment provider, beyond our walls */                                                     \
  X(call_lost, 300)                                                                                \
  X(call_late, 300)                                                                                \
  X(outcome_lost, 500) /* it happened, and nobody hears of it */                                   \
  X(outcome_late, 300)                                                                             \
  X(says_unknown, 200)                                                                             \
  X(says_pending, 200)                                                                             \
  X(refund_fails, 500)                                                                             \
  X(goes_down, 60)                                                                                 \
  X(gives_back, 300) /* the provider reverses a charge on its own, and tells by a hook */          \
  /* the disk */                                                                                   \
  X(write_lost, 30)   /* the write failed and left nothing */                                      \
  X(write_landed, 30) /* the write failed, and is there all the same */                            \
  X(read_fails, 5)                                                                                 \
  X(disk_stalls, 60)                                                                               \
  /* the process */                                                                                \
  X(killed, 8)                                                                                     \
  X(restarted, 3) /* an orderly shutdown, and a start */                                           \
  X(frozen, 5)    /* SIGSTOP: time passes, nothing is handled */                                   \
  X(clock_back, 2)                                                                                 \
  X(clock_forward, 2)                                                                              \
  X(actor_killed, 15)                                                                              \
  X(stale_owner_writes, 15) /* a write set of an earlier epoch of its shard */                     \
  X(poisoned, 2'000)        /* of a whole run: one SKU makes sagas throw for a while */            \
  /* people and their connections */                                                               \
  X(reply_lost, 800)                                                                               \
  X(sent_twice, 600)                                                                               \
  X(other_body, 300) /* a used key comes with another body */                                      \
  X(cancels, 3'000)                                                                                \
  X(operates, 3'000)                                                                               \
  X(courier_reports, 4'000)                                                                        \
  X(courier_backwards, 1'500)                                                                      \
  X(hook_comes, 1'500)                                                                             \
  X(hook_of_nobody, 500)                                                                           \
  X(shelf_counted, 3'000)
/// What can go wrong between several nodes, and what their operators do (options::nodes > 1).
#define JUMUN_SIM_CLUSTER_FAULTS(X)                                                                \
  /* between nodes: one of two keeps silent, or their session ends */                              \
  X(message_lost, 10)                                                                              \
  X(message_twice, 60)                                                                             \
  X(message_late, 100)                                                                             \
  X(no_credit, 30)                                                                                 \
  X(session_ends, 6)                                                                               \
  X(blocked_one_way, 6)                                                                            \
  X(cut_off, 4) /* one node, from all others, and often from the agreement */                      \
  /* whoever agrees on the map */                                                                  \
  X(agreement_away, 4) /* for one node */                                                          \
  X(agreement_down, 2) /* for all */                                                               \
  X(agreement_wiped, 1)                                                                            \
  X(agreement_restored, 1)  /* from a backup */                                                    \
  X(lease_lost, 4)          /* the others take a node for away */                                  \
  X(answer_of_it_lost, 300) /* a write came through, or not: its writer doesn't know */            \
  X(outrun, 300)            /* somebody writes between a look and the write it led to */           \
  X(looked_long_ago, 200)   /* what was seen is acted on late */                                   \
  /* operators */                                                                                  \
  X(shard_wished, 20)                                                                              \
  X(drained, 3)                                                                                    \
  X(old_disk, 4) /* a node is started on an old copy of its disk */

enum class fault : std::uint8_t {
#define X(name, rate) name,
  JUMUN_SIM_FAULTS(X) JUMUN_SIM_CLUSTER_FAULTS(X)
#undef X
};
inline constexpr std::size_t alone_count = 0 // that can befall a node alone
#define X(name, rate) +1
  JUMUN_SIM_FAULTS(X)
#undef X
  ;
inline constexpr std::size_t fault_count = alone_count
#define X(name, rate) +1
  JUMUN_SIM_CLUSTER_FAULTS(X)
#undef X
  ;
[[nodiscard]] std::string_view name_of(fault f);

/// One thing that chance did: which kind, and the how many-th time that it was asked for.
struct fired {
  fault what = fault::command_lost;
  std::uint32_t ordinal = 0;
  auto operator<=>(const fired&) const = default;
};
/// `command_lost:17`
[[nodiscard]] std::string to_text(const fired& f);
/// The inverse, of a list with commas; nullopt: a name is unknown or a number is none.
[[nodiscard]] std::optional<std::set<fired>> parse_fired(std::string_view list);

/// What is drawn once for a whole run ("swarm testing", Groce et al., ISSTA 2012: a run in which
/// half of the features are off finds what a run with all of them hides).
struct options {
  /// `nodes` > 1: a cluster of so many.
  explicit options(std::uint64_t seed, std::size_t nodes = 1);
  std::array<std::uint32_t, fault_count> rate{}; // of 10,000
  std::size_t nodes = 1;
  std::size_t shards = 8; // that are used, and owned by these nodes
  std::size_t skus = 3;
  std::size_t orders = 12;
  std::int64_t shelf = 20;         // each SKU begins with so many
  std::int64_t day_ms = 20'000;    // orders come in over this long
  std::size_t lives_max = 8;       // no more kills after so many
  unsigned commit_patience = 8;    // one in so many steps commits, while others could go on
  std::size_t recent_rows = 2'048; // durable rows that the journal keeps in memory
  unsigned hurry = 16;             // one in so many steps lets time pass while work is waiting
  std::int64_t provider_ms = 20;
  std::int64_t payment_timeout_ms = 1'000;
  std::int64_t dormant_ms = 5'000; // sagas that are idle for so long leave memory
  unsigned waiters_pct = 30;       // of the orders come with Prefer: wait
  unsigned declined_pct = 10;      // of the cards
  unsigned undeliverable_pct = 10;
  bool operators_heal = true; // false: what is set aside stays so, and must be listed
  // of several nodes
  std::int64_t link_ms = 1;           // one way between two of them
  std::int64_t skew_ms = 0;           // their clocks differ by up to so much from the start
  std::int64_t rebalance_ms = 30'000; // after a change of members
  bool one_bank_line = false;         // one of them keeps the payment simulator of all
  [[nodiscard]] std::string text() const;
};

class chaos {
public:
  /// `only`: nothing but these may happen (the minimiser's candidates); nullopt: as the rates say.
  chaos(std::uint64_t seed, const options& how, std::optional<std::set<fired>> only = {})
      : seed_(seed), rate_(how.rate), only_(std::move(only)) {}
  /// Whether it happens this time.
  [[nodiscard]] bool fires(fault f);
  /// Below `bound`, for the fault that fired last of this kind: its size, its victim.
  [[nodiscard]] std::uint64_t pick(fault f, std::uint64_t bound);
  /// From now on nothing happens any more: the healing phase.
  void heal() { healed_ = true; }
  [[nodiscard]] bool healed() const { return healed_; }
  [[nodiscard]] const std::vector<fired>& what_fired() const { return log_; }

private:
  std::uint64_t seed_;
  std::array<std::uint32_t, fault_count> rate_;
  std::optional<std::set<fired>> only_;
  std::array<std::uint32_t, fault_count> asked_{}, picked_{};
  std::vector<fired> log_;
  bool healed_ = false;
};

/// SplitMix64's finaliser (Steele et al., OOPSLA 2014): a stream for each use of one seed.
[[nodiscard]] std::uint64_t mix(std::uint64_t a, std::uint64_t b);
} // namespace jumun::sim
