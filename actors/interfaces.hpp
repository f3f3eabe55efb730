#pragma once
#include "actors/messages.hpp"

/// One alias per role: who may ask whom for what. Everything is one-way: a saga repeats what is not
/// answered, so no request needs a timer of CAF's (DESIGN §10: 3–4 µs each).
namespace jumun::actors {
template <class... Messages> using listens_to = caf::typed_actor<caf::reacts_to<Messages>...>;

/// SAGA: one order in flight. Decides by domain::advance, persists, then acts.
using saga_actor = listens_to<resume, // after a (re)start: send what is owed
  domain::stock_answered,             // from inventory
  domain::payment_answered,           // from payment, by way of its supervisor
  domain::delivery_answered,          // from delivery
  domain::timer_fired,                // from its supervisor
  cancel_message,                     // answered once durable: 202, 200, 404, 409
  report_message,                     // a courier's update; answered once durable
  hook_message,                       // a payment provider's; answered once durable
  operate_message,                    // an operator's: 202, 404, 409, 412; audited
  ask_again,                          // whom it waits for may answer now
  retire, describe>;

/// SHARD SUPERVISOR: accepts orders, finds, wakes or revives their sagas, restarts what falls.
using supervisor_actor = listens_to<place_message, cancel_message, report_message, hook_message,
  operate_message, remember_message, domain::payment_answered,
  domain::stock_answered, // from another node: to the order's saga
  ask_again, recover, saga_at_rest, describe_saga, arm_timer, tick, respawn, describe>;

/// A command and whom to answer: its saga, or the saga's supervisor, where the answer may take so
/// long that the saga sleeps meanwhile. The answer may come twice, late, or never.
template <class Command, class Asker = saga_actor> struct asked {
  Command command;
  Asker from;
};
template <class Command> using asked_of_payment = asked<Command, supervisor_actor>;

/// What a provider said about an earlier call; from any thread.
struct provider_answered {
  domain::payment_answered answer;
  std::int64_t asked_amount = 0; // of the charge that it is about
  std::string currency;
  std::string reference; // the provider's own name for it
  supervisor_actor from; // who asked
};

/// INVENTORY: the one writer of its shard's SKUs.
using inventory_actor = listens_to<asked<domain::reserve_stock>, // → stock_answered; the same again
                                                                 // for the same (order, line)
  asked<domain::commit_stock>,  // → stock_answered
  asked<domain::release_stock>, // → stock_answered; leaves a tombstone when it comes first
  adjust_message, count_message, product_message, // answered once durable
  describe>;

/// PAYMENT: asks the provider, once what owes it is durable; remembers sure outcomes. Any of its
/// answers may be not_asked: the breaker kept the call from leaving (guarded_provider.hpp).
using payment_actor =
  listens_to<asked_of_payment<domain::charge_payment>, // → payment_answered: approved, declined,
                                                       // cancelled, unknown
    asked_of_payment<domain::inquire_payment>,         // → also absent, pending
    asked_of_payment<domain::cancel_payment>, // → cancelled with the amount given back, or unknown
    provider_answered, tick, describe>;

/// DELIVERY: starts and stops deliveries.
using delivery_actor =
  listens_to<asked<domain::start_delivery>, // → delivery_answered: done, refused
    asked<domain::cancel_delivery>,         // → done; leaves a tombstone when it comes first
    describe>;

/// NODE SUPERVISOR: restarts shard supervisors; past its budget the node stops being ready.
using node_actor = listens_to<respawn_shard, own_shard, give_up_shard, describe>;
} // namespace jumun::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::actors::provider_answered)
#define JUMUN_LOCAL(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::actors::asked<jumun::domain::type>)
JUMUN_LOCAL(reserve_stock)
JUMUN_LOCAL(commit_stock)
JUMUN_LOCAL(release_stock)
JUMUN_LOCAL(start_delivery)
JUMUN_LOCAL(cancel_delivery)
#undef JUMUN_LOCAL
#define JUMUN_LOCAL(type)                                                                          \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jumun::actors::asked_of_payment<jumun::domain::type>)
JUMUN_LOCAL(charge_payment)
JUMUN_LOCAL(inquire_payment)
JUMUN_LOCAL(cancel_payment)
#undef JUMUN_LOCAL
