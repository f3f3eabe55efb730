#pragma once
#include "actors/counted.hpp"
#include "actors/environment.hpp"
#include "actors/saga_actor.hpp"
#include "domain/limits.hpp"
#include <deque>
#include <map>
#include <set>

namespace jumun::actors {
/// At most limits::child_restarts_max in any child_restart_window (DESIGN §7).
class restart_budget {
public:
  /// nullopt: spent, escalate. Else how long to wait before this restart: base ×2 each time,
  /// capped.
  std::optional<std::chrono::milliseconds> spend(std::int64_t now_ms);

private:
  std::deque<std::int64_t> spent_ms_;
};

struct supervisor_shell {
  static inline const char* name = "supervisor";
  environment* env = nullptr;
  domain::shard_id shard = 0;
  domain::epoch_id epoch = 1; // of our ownership: in each write set
  struct fixed_child {        // inventory, payment, delivery
    caf::actor_addr address;
    restart_budget budget;
  };
  std::map<role, fixed_child> fixed;

  struct child {
    saga_actor handle;      // empty while a restart's pause lasts
    std::uint64_t sent = 0; // messages to this life
    std::vector<std::variant<cancel_message, report_message, hook_message, operate_message>>
      waiting;                              // came during the pause
    std::unique_ptr<restart_budget> budget; // from the first crash on
  };
  std::map<domain::order_id, child> sagas;
  std::map<domain::order_id, dormant_saga> dormant; // open, and out of memory until something comes
  std::map<caf::actor_addr, domain::order_id> by_address;
  bool listed = false;                      // `to_recover` was read, in this life
  std::vector<domain::order_id> to_recover; // found open on disk, and not yet told to go on
  std::deque<domain::hook_record> parked;   // hooks whose order isn't here, oldest first
  std::set<std::pair<std::int64_t, domain::order_id>> timers; // due, who
  std::int64_t tick_at_ms = 0;                                // 0: no tick is under way
  std::uint64_t accepted = 0, revived = 0, woken = 0;         // in this life
};
using supervisor_self = counted<supervisor_shell, supervisor_actor>*;
/// Spawns the shard's inventory, payment and delivery actors and enters them in the router.
supervisor_actor::behavior_type supervisor(
  supervisor_self self, environment* env, domain::shard_lease held);

struct node_shell {
  static inline const char* name = "node";
  environment* env = nullptr;
  struct owned_shard {
    domain::epoch_id epoch = 1;
    caf::actor_addr supervisor; // null while a restart's pause lasts
    restart_budget budget;
    // It is being given up: who waits for that. It may be owned anew once that is done.
    bool leaving = false;
    std::vector<std::function<void()>> given_up;
    std::optional<domain::epoch_id> again;
  };
  std::map<domain::shard_id, owned_shard> owned;
};
using node_self = counted<node_shell, node_actor>*;
/// `inventory/7`: the kind, then the shard.
[[nodiscard]] std::string shard_actor_name(std::string_view kind, domain::shard_id shard);

/// The root: spawns a supervisor for each shard that this node owns, and each recovers its open
/// sagas. What it owns may change while it runs.
node_actor::behavior_type node(
  node_self self, environment* env, std::vector<domain::shard_lease> owned);
} // namespace jumun::actors
