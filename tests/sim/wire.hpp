#pragma once
#include "actors/router.hpp"
#include "tests/sim/chaos.hpp"
#include "tests/sim/timeline.hpp"
#include <caf/actor_system.hpp>
#include <map>

namespace jumun::sim {
/// The network between sagas and the shards' actors, as if each shard lived on another node: a
/// link actor stands before each of them, and before each saga for the answers. Messages get lost,
/// come twice, late, and so in another order. One for each life.
class wire {
public:
  wire(chaos& luck, timeline& time) : luck_(luck), time_(time) {}
  /// Before anything is spawned.
  void open(caf::actor_system& system) { system_ = &system; }
  /// For the router: links in place of the shard's actors.
  actors::router::shard_actors link(
    domain::shard_id shard, const actors::router::shard_actors& real);
  /// Where an answer to `asker` is to be sent.
  actors::saga_actor way_back(const actors::saga_actor& asker);
  actors::supervisor_actor way_back(const actors::supervisor_actor& asker);
  /// Ends all links; the actor system can go down then.
  void close();

  /// Sends by chance: now, later, twice, never.
  template <class Send> void pass(fault lost, fault twice, fault late, Send send) {
    if (luck_.fires(lost)) return;
    if (luck_.fires(twice)) send();
    if (!luck_.fires(late)) return send();
    const auto ms = 1 + luck_.pick(late, luck_.pick(late, 4) == 0 ? 20'000 : 200);
    time_.later(static_cast<std::int64_t>(ms), [alive = alive_, send] {
      if (*alive) send();
    });
  }
  [[nodiscard]] const actors::router::shard_actors& real(domain::shard_id shard) const {
    return real_.at(shard);
  }

private:
  chaos& luck_;
  timeline& time_;
  caf::actor_system* system_ = nullptr;
  std::map<domain::shard_id, actors::router::shard_actors> real_, links_;
  template <class Handle> using ways = std::map<caf::actor_id, Handle>; // by the asker's id
  ways<actors::saga_actor> ways_back_;
  ways<actors::supervisor_actor> ways_to_supervisors_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};
} // namespace jumun::sim
