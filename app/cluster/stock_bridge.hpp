#pragma once
#include "actors/remote.hpp"
#include "app/cluster/ownership.hpp"
#include "cluster/peers.hpp"
#include <caf/actor_system.hpp>

namespace jumun::app {
/// Sagas here that reserve on other nodes, and sagas there that reserve here: between the stand-ins
/// of actors/remote.hpp and the port between nodes. Whoever does not serve a shard says so and does
/// nothing; whatever is lost here is asked for again by a saga. Thread-safe.
class stock_bridge {
public:
  struct figures {
    std::uint64_t commands_sent = 0, commands_taken = 0; // of other nodes' shards; of others' sagas
    std::uint64_t answers_sent = 0, answers_taken = 0;
    std::uint64_t not_sent = 0; // no link, no credit, or nobody is known to own the shard
    std::uint64_t not_owner_said = 0, not_owner_heard = 0;
    std::uint64_t malformed = 0;
  };
  /// All of it outlives this, but for the actors, which stop() ends.
  stock_bridge(actors::environment& env, caf::actor_system& system, cluster::peers& to,
    const ownership& owners);

  /// In the router, for the inventory of a shard elsewhere.
  [[nodiscard]] const actors::inventory_actor& stub() const { return stub_; }
  /// A tell of that node's; false: its kind is not of ours.
  bool take(const std::string& from, const cluster::envelope& what);
  /// Shards are served again: whoever asked here for one of them in vain, and all sagas here that
  /// wait for one, may ask at once.
  void reachable(const domain::shard_set& shards);
  /// Ends its actors. Before the actor system.
  void stop();
  [[nodiscard]] figures now() const;

private:
  void send(const actors::stock_command& c);
  void answer(const std::string& to, const domain::stock_answered& a);
  template <class Command> bool obey(const std::string& from, const cluster::envelope& what);
  bool take_answer(const cluster::envelope& what);
  void refuse(const std::string& from, const cluster::envelope& what);
  void let_ask_again(const domain::shard_set& shards);
  [[nodiscard]] actors::saga_actor asker_of(const std::string& node);
  [[nodiscard]] cluster::envelope envelope_for(
    domain::shard_id shard, const ownership::owner& owner) const;
  void tell(const std::string& node, cluster::envelope what, std::atomic<std::uint64_t>& sent);

  actors::environment& env_;
  caf::actor_system& system_;
  cluster::peers& to_;
  const ownership& owners_;
  const actors::inventory_actor stub_;
  std::mutex guard_;                                 // of what follows
  std::map<std::string, actors::saga_actor> askers_; // by node
  std::map<domain::shard_id, std::set<std::string>> in_vain_;
  bool stopped_ = false;

  struct {
    std::atomic<std::uint64_t> commands_sent{0}, commands_taken{0}, answers_sent{0},
      answers_taken{0}, not_sent{0}, not_owner_said{0}, not_owner_heard{0}, malformed{0};
  } counts_;
};
} // namespace jumun::app
