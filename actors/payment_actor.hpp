#pragma once
#include "actors/counted.hpp"
#include "actors/environment.hpp"
#include <deque>
#include <map>

namespace jumun::actors {
/// Asks the provider for a shard's orders. One question at a time for each order, with a deadline.
struct payment_shell {
  static inline const char* name = "payment";
  environment* env = nullptr;
  domain::shard_id shard = 0;
  domain::epoch_id epoch = 1; // of our ownership: in each write set
  struct question {           // small: there may be a million of them
    supervisor_actor from;
    std::uint64_t number = 0;  // tells it from an earlier one, that was not asked in the end
    std::uint64_t version = 0; // of a charge: the row's that owes it
    std::uint32_t attempt = 0; // this and the phase are what the answer must match
    domain::phase about = domain::phase::charging;
  };
  std::map<domain::order_id, question> open;
  /// Charges that were told to be surely not asked, by the row's version that owed them: the same
  /// command, coming twice, must not be asked after that was said.
  std::map<domain::order_id, std::uint64_t> held;
  struct deadline {
    std::int64_t at_ms = 0;
    domain::order_id order;
    std::uint64_t number = 0; // of the question
  };
  std::deque<deadline> deadlines; // all of one length, so in order
  bool ticking = false;
  std::uint64_t asked = 0, timed_out = 0; // in this life
};
using payment_self = counted<payment_shell, payment_actor>*;
payment_actor::behavior_type payment(payment_self self, environment* env, domain::shard_lease held);
} // namespace jumun::actors
