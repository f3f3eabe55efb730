#pragma once
#include "domain/hook.hpp"
#include "domain/request.hpp"
#include "domain/saga.hpp"
#include "domain/shard_map.hpp"
#include "domain/shard_set.hpp"
#include <caf/all.hpp>
#include <functional>
#include <memory>
#include <optional>

/// Every type that crosses a mailbox. They stay inside the process: between nodes travels one
/// envelope with protobuf inside (DESIGN §8), so none of them has an inspect(), and no token can be
/// printed by CAF.
namespace jumun::actors {
enum class errc : std::uint8_t {
  restarts_spent = 1, // a child kept crashing: escalate
  restart_asked,      // an operator wants it back from disk
};

/// What a command comes to: a whole reply, or an order that its asker waits for.
struct command_result {
  domain::stored_reply reply;
  domain::order_id
    to_settle;       // not zero: accepted and durable, the reply is rendered once it settles
  bool lost = false; // its actor ended before it answered: whether it happened is unknown
};

/// A one-shot answer that can't be forgotten: dropped without a call, it says `lost`.
class completion {
public:
  completion() = default;
  explicit completion(std::function<void(command_result)> to)
      : shared_(std::make_shared<state>(std::move(to))) {}
  void operator()(command_result r) const {
    if (!shared_ || !shared_->to) return;
    auto to = std::move(shared_->to);
    shared_->to = nullptr;
    to(std::move(r));
  }
  explicit operator bool() const { return shared_ && shared_->to; }

private:
  struct state {
    explicit state(std::function<void(command_result)> f) : to(std::move(f)) {}
    state(const state&) = delete;
    ~state() {
      if (!to) return;
      command_result r;
      r.lost = true;
      to(std::move(r));
    }
    std::function<void(command_result)> to;
  };
  std::shared_ptr<state> shared_;
};

/// A request from the edge, and who waits for it.
template <class Command> struct asked_by_edge {
  Command command;
  completion done;
};
using place_message = asked_by_edge<domain::place_order>;
using cancel_message = asked_by_edge<domain::cancel_order>;
using report_message = asked_by_edge<domain::report_delivery>;
using hook_message = asked_by_edge<domain::take_hook>;
using operate_message = asked_by_edge<domain::act_on_saga>;
using adjust_message = asked_by_edge<domain::adjust_stock>;
using count_message = asked_by_edge<domain::count_stock>;
using product_message = asked_by_edge<domain::put_product>;
using remember_message = asked_by_edge<domain::remember_reply>;

struct resume {}; // to a saga: send what the present phase owes
struct retire {}; // to a saga at rest or asleep: nobody will write to you again
struct tick {     // to whoever keeps deadlines: some may be due
  std::int64_t at_ms = 0;
};
/// To any actor: its live state as a JSON object, no secrets.
struct describe {
  std::function<void(std::string)> tell;
};

// to a shard's supervisor
struct recover {}; // spawn a saga for each open order
/// What a saga that will be idle for long knows beyond its row; the supervisor keeps it while the
/// saga is out of memory (ADR 0014).
struct saga_notes {
  std::int64_t wake_ms = 0;         // when its clock is due; 0: never
  std::int64_t asked_ms = 0;        // when the present phase's commands went out
  std::int64_t next_attempt_ms = 0; // of the order: this and the next may be ahead of the row
  std::int64_t phase_since_ms = 0;
  bool asked_first = false;
  bool unpaid = false, held = false; // how it is counted
  bool asks_stock = false;           // whose owner may be on another node, and away
};
struct saga_at_rest {
  domain::order_id order;
  std::uint64_t seen = 0; // messages that the supervisor had sent to it and it has handled
  std::optional<saga_notes> asleep = {}; // not at rest: idle until something comes
};
/// Its saga's live state; of one that sleeps, too. Not told when there is none.
struct describe_saga {
  domain::order_id order;
  describe what;
};
struct arm_timer { // wake this saga at that time, or before
  domain::order_id order;
  std::int64_t at_ms = 0;
};
enum class role : std::uint8_t { inventory, payment, delivery, saga };
struct respawn { // after the pause of a restart; of a saga that was set aside: when asked to
  role who = role::saga;
  domain::order_id order; // of a saga
};
/// Whom they may ask again at once: the shards that are served again, after a while in which nobody
/// answered for them. To a shard's supervisor, and by it to its sagas.
struct ask_again {
  domain::shard_set shards;
};

// to the node's supervisor
struct respawn_shard {
  domain::shard_id shard = 0;
};
/// Serve it from here on. Said twice: the same. After give_up_shard at the same epoch, too, as long
/// as it was not given away.
struct own_shard {
  domain::shard_lease lease;
};
/// Stop serving it. `done` is called once: all that this node ever appended for the shard is
/// durable then, and more is fenced. On the committer's thread or the actor's; must not block.
struct give_up_shard {
  domain::shard_id shard = 0;
  std::function<void()> done;
};

} // namespace jumun::actors

namespace jumun::actors {
[[nodiscard]] std::string to_string(errc code);
} // namespace jumun::actors
CAF_ERROR_CODE_ENUM(jumun::actors::errc, "jumun") // a category is an atom: 10 characters at most

#define JUMUN_LOCAL(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JUMUN_LOCAL(jumun::actors::place_message)
JUMUN_LOCAL(jumun::actors::cancel_message)
JUMUN_LOCAL(jumun::actors::report_message)
JUMUN_LOCAL(jumun::actors::hook_message)
JUMUN_LOCAL(jumun::actors::operate_message)
JUMUN_LOCAL(jumun::actors::adjust_message)
JUMUN_LOCAL(jumun::actors::count_message)
JUMUN_LOCAL(jumun::actors::product_message)
JUMUN_LOCAL(jumun::actors::remember_message)
JUMUN_LOCAL(jumun::actors::resume)
JUMUN_LOCAL(jumun::actors::retire)
JUMUN_LOCAL(jumun::actors::tick)
JUMUN_LOCAL(jumun::actors::describe)
JUMUN_LOCAL(jumun::actors::recover)
JUMUN_LOCAL(jumun::actors::saga_at_rest)
JUMUN_LOCAL(jumun::actors::describe_saga)
JUMUN_LOCAL(jumun::actors::arm_timer)
JUMUN_LOCAL(jumun::actors::respawn)
JUMUN_LOCAL(jumun::actors::ask_again)
JUMUN_LOCAL(jumun::actors::respawn_shard)
JUMUN_LOCAL(jumun::actors::own_shard)
JUMUN_LOCAL(jumun::actors::give_up_shard)
JUMUN_LOCAL(jumun::domain::stock_answered)
JUMUN_LOCAL(jumun::domain::payment_answered)
JUMUN_LOCAL(jumun::domain::delivery_answered)
JUMUN_LOCAL(jumun::domain::timer_fired)
#undef JUMUN_LOCAL
