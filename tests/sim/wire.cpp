#include "tests/sim/wire.hpp"
#include <caf/all.hpp>

namespace jumun::sim {
namespace {
using actors::asked;

/// One command on its way; its answer will come back over the wire, too.
template <class Command, class Asker, class Target>
void carry(wire& over, const asked<Command, Asker>& m, Target target) {
  const asked<Command, Asker> sent{m.command, over.way_back(m.from)};
  over.pass(fault::command_lost, fault::command_twice, fault::command_late, [sent, target] {
    if (const auto to = target()) caf::anon_send(to, sent);
  });
}
template <class Command, class Target> auto carrying(wire* over, Target target) {
  return [over, target](const asked<Command>& m) { carry(*over, m, target); };
}
template <class Command, class Target> auto carrying_payment(wire* over, Target target) {
  return [over, target](const actors::asked_of_payment<Command>& m) { carry(*over, m, target); };
}
template <class Message, class Target> auto handing_on(Target target) {
  return [target](const Message& m) {
    if (const auto to = target()) caf::anon_send(to, m);
  };
}

actors::inventory_actor::behavior_type inventory_link(
  actors::inventory_actor::pointer, wire* over, domain::shard_id shard) {
  const auto to = [over, shard] { return over->real(shard).inventory; };
  return {carrying<domain::reserve_stock>(over, to), carrying<domain::commit_stock>(over, to),
    carrying<domain::release_stock>(over, to), handing_on<actors::adjust_message>(to),
    handing_on<actors::count_message>(to), handing_on<actors::product_message>(to),
    handing_on<actors::describe>(to)};
}
actors::payment_actor::behavior_type payment_link(
  actors::payment_actor::pointer, wire* over, domain::shard_id shard) {
  const auto to = [over, shard] { return over->real(shard).payment; };
  return {carrying_payment<domain::charge_payment>(over, to),
    carrying_payment<domain::inquire_payment>(over, to),
    carrying_payment<domain::cancel_payment>(over, to), handing_on<actors::provider_answered>(to),
    handing_on<actors::tick>(to), handing_on<actors::describe>(to)};
}
actors::delivery_actor::behavior_type delivery_link(
  actors::delivery_actor::pointer, wire* over, domain::shard_id shard) {
  const auto to = [over, shard] { return over->real(shard).delivery; };
  return {carrying<domain::start_delivery>(over, to), carrying<domain::cancel_delivery>(over, to),
    handing_on<actors::describe>(to)};
}

template <class Answer, class Asker> auto answering(wire* over, const Asker& to) {
  return [over, to](const Answer& a) {
    over->pass(fault::answer_lost, fault::answer_twice, fault::answer_late,
      [to, a] { caf::anon_send(to, a); });
  };
}
/// Nobody sends these to a way back.
template <class Message> auto never() {
  return [](const Message&) {};
}
actors::saga_actor::behavior_type saga_link(
  actors::saga_actor::pointer, wire* over, const actors::saga_actor& to) {
  return {never<actors::resume>(), answering<domain::stock_answered>(over, to),
    never<domain::payment_answered>(), answering<domain::delivery_answered>(over, to),
    never<domain::timer_fired>(), never<actors::cancel_message>(), never<actors::report_message>(),
    never<actors::hook_message>(), never<actors::operate_message>(), never<actors::ask_again>(),
    never<actors::retire>(), never<actors::describe>()};
}
actors::supervisor_actor::behavior_type supervisor_link(
  actors::supervisor_actor::pointer, wire* over, const actors::supervisor_actor& to) {
  return {never<actors::place_message>(), never<actors::cancel_message>(),
    never<actors::report_message>(), never<actors::hook_message>(),
    never<actors::operate_message>(), never<actors::remember_message>(),
    answering<domain::payment_answered>(over, to), never<domain::stock_answered>(),
    never<actors::ask_again>(), never<actors::recover>(),
    never<actors::saga_at_rest>(), never<actors::describe_saga>(), never<actors::arm_timer>(),
    never<actors::tick>(), never<actors::respawn>(), never<actors::describe>()};
}
} // namespace

actors::router::shard_actors wire::link(
  domain::shard_id shard, const actors::router::shard_actors& real) {
  real_[shard] = real;
  auto& seen = links_[shard];
  seen.supervisor = real.supervisor; // the edge's own process: no network between
  if (real.inventory && !seen.inventory)
    seen.inventory = system_->spawn(inventory_link, this, shard);
  if (real.payment && !seen.payment) seen.payment = system_->spawn(payment_link, this, shard);
  if (real.delivery && !seen.delivery) seen.delivery = system_->spawn(delivery_link, this, shard);
  return seen;
}

actors::saga_actor wire::way_back(const actors::saga_actor& asker) {
  auto& way = ways_back_[asker.id()];
  if (!way) way = system_->spawn(saga_link, this, asker);
  return way;
}
actors::supervisor_actor wire::way_back(const actors::supervisor_actor& asker) {
  auto& way = ways_to_supervisors_[asker.id()];
  if (!way) way = system_->spawn(supervisor_link, this, asker);
  return way;
}

void wire::close() {
  *alive_ = false;
  const auto end = [](const auto& who) {
    if (who) caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  };
  for (const auto& [shard, a] : links_) end(a.inventory), end(a.payment), end(a.delivery);
  for (const auto& [id, way] : ways_back_) end(way);
  for (const auto& [id, way] : ways_to_supervisors_) end(way);
  links_.clear();
  real_.clear();
  ways_back_.clear();
  ways_to_supervisors_.clear();
}
} // namespace jumun::sim
