#include "actors/remote.hpp"
#include "actors/describe.hpp"
#include "domain/planted.hpp"

namespace jumun::actors {
namespace {
template <class Shell, class Message>
void let_out(Shell& s, std::uint64_t& count, const Message& m) {
  ++count;
  if (JUMUN_PLANTED(told_before_durable)) return s.out(m);
  s.env->journal.when_durable([out = s.out, m] { out(m); });
}

/// Not for those that stand for others.
template <class Message> auto never() {
  return [](const Message&) {};
}
} // namespace

domain::shard_id shard_of(const stock_command& c) {
  return std::visit([](const auto& one) { return domain::shard_of(one.sku); }, c);
}

inventory_actor::behavior_type elsewhere(
  elsewhere_self self, environment* env, outlet<stock_command> out) {
  self->state.env = env;
  self->state.out = std::move(out);
  const auto carry = [self](const auto& m) {
    auto& s = self->state;
    let_out(s, s.commands, stock_command{m.command});
  };
  return {
    [carry](const asked<domain::reserve_stock>& m) { carry(m); },
    [carry](const asked<domain::commit_stock>& m) { carry(m); },
    [carry](const asked<domain::release_stock>& m) { carry(m); },
    never<adjust_message>(),
    never<count_message>(),
    never<product_message>(),
    [self](
      const describe& d) { d.tell(json_object{}.add("commands", self->state.commands).text()); },
  };
}

saga_actor::behavior_type asker(
  asker_self self, environment* env, outlet<domain::stock_answered> out) {
  self->state.env = env;
  self->state.out = std::move(out);
  return {
    never<resume>(),
    [self](const domain::stock_answered& a) {
      auto& s = self->state;
      let_out(s, s.answers, a);
    },
    never<domain::payment_answered>(),
    never<domain::delivery_answered>(),
    never<domain::timer_fired>(),
    never<cancel_message>(),
    never<report_message>(),
    never<hook_message>(),
    never<operate_message>(),
    never<ask_again>(),
    never<retire>(),
    [self](const describe& d) { d.tell(json_object{}.add("answers", self->state.answers).text()); },
  };
}

bool obey(const environment& env, const stock_command& c, const saga_actor& from) {
  const auto to = env.route.inventory(shard_of(c));
  if (!to) return false;
  std::visit(
    [&](const auto& one) {
      caf::anon_send(to, asked<std::decay_t<decltype(one)>>{one, from});
    },
    c);
  return true;
}
} // namespace jumun::actors
