#pragma once
#include "actors/counted.hpp"
#include "actors/environment.hpp"

namespace jumun::actors {
/// Starts and stops a shard's deliveries; its rows make both idempotent.
struct delivery_shell {
  static inline const char* name = "delivery";
  environment* env = nullptr;
  domain::shard_id shard = 0;
  domain::epoch_id epoch = 1;             // of our ownership: in each write set
  std::uint64_t started = 0, stopped = 0; // in this life
};
using delivery_self = counted<delivery_shell, delivery_actor>*;
delivery_actor::behavior_type delivery(
  delivery_self self, environment* env, domain::shard_lease held);
} // namespace jumun::actors
