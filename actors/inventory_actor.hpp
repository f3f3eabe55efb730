#pragma once
#include "actors/counted.hpp"
#include "actors/environment.hpp"
#include <unordered_map>

namespace jumun::actors {
/// The one writer of a shard's SKUs: stock, reservations, movements, products.
struct inventory_shell {
  static inline const char* name = "inventory";
  environment* env = nullptr;
  domain::shard_id shard = 0;
  domain::epoch_id epoch = 1;                           // of our ownership: in each write set
  std::unordered_map<std::string, domain::stock> shelf; // equal to the last appended rows
  std::uint64_t repeated = 0;                           // commands that had been done before
};
using inventory_self = counted<inventory_shell, inventory_actor>*;
inventory_actor::behavior_type inventory(
  inventory_self self, environment* env, domain::shard_lease held);
} // namespace jumun::actors
