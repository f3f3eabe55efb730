#pragma once
#include "actors/counted.hpp"
#include "actors/environment.hpp"

/// Sagas that reserve on other nodes. A saga can't tell: in the router an actor of the inventory's
/// type stands for every shard elsewhere, and with the inventory of such a shard an actor of the
/// saga's type stands for every asker elsewhere. Both let a message out only once all that was
/// appended before it is durable (ADR 0001). Nobody repeats anything here: sagas do, by their own
/// timers, and receivers know a repetition by their own rows.
namespace jumun::actors {
using stock_command =
  std::variant<domain::reserve_stock, domain::commit_stock, domain::release_stock>;
[[nodiscard]] domain::shard_id shard_of(const stock_command& c);

/// Lets one message out, or loses it. On the committer's thread or an actor's; must not block.
template <class Message> using outlet = std::function<void(const Message&)>;

struct elsewhere_shell {
  static inline const char* name = "elsewhere";
  environment* env = nullptr;
  outlet<stock_command> out;
  std::uint64_t commands = 0;
};
using elsewhere_self = counted<elsewhere_shell, inventory_actor>*;
/// In the router, for the inventories of shards that another node owns. A request from the edge
/// that comes here was routed to the wrong node: it is answered `lost`.
inventory_actor::behavior_type elsewhere(
  elsewhere_self self, environment* env, outlet<stock_command> out);

struct asker_shell {
  static inline const char* name = "asker";
  environment* env = nullptr;
  outlet<domain::stock_answered> out;
  std::uint64_t answers = 0;
};
using asker_self = counted<asker_shell, saga_actor>*;
/// For all sagas of one other node that ask here.
saga_actor::behavior_type asker(
  asker_self self, environment* env, outlet<domain::stock_answered> out);

/// Gives a command of another node to the inventory that owns its SKU; the answer goes to `from`.
/// False: it is not served here (yet), and nothing happened.
bool obey(const environment& env, const stock_command& c, const saga_actor& from);
} // namespace jumun::actors
