#include "app/cluster/shared_provider.hpp"

namespace jumun::app {
using actors::provider_callback;
using actors::provider_charge;
using actors::provider_said;
using domain::payment_said;

void shared_provider::charge(provider_charge c, provider_callback said) {
  run(call::charge, std::move(c), std::move(said));
}
void shared_provider::inquire(provider_charge c, provider_callback said) {
  run(call::inquire, std::move(c), std::move(said));
}
void shared_provider::cancel(provider_charge c, provider_callback said) {
  run(call::cancel, std::move(c), std::move(said));
}

void shared_provider::run_here(call what, provider_charge c, provider_callback said) {
  switch (what) {
    case call::charge: return with_.own.charge(std::move(c), std::move(said));
    case call::inquire: return with_.own.inquire(std::move(c), std::move(said));
    case call::cancel: return with_.own.cancel(std::move(c), std::move(said));
  }
}

void shared_provider::run(call what, provider_charge c, provider_callback said) {
  if (with_.keeper == with_.self) return run_here(what, std::move(c), std::move(said));
  provider_said not_asked;
  not_asked.said = payment_said::not_asked;
  cluster::envelope e;
  e.shard = domain::shard_of(c.order);
  e.command_id = c.payment_id;
  e.deadline_ms = with_.now_ms() + with_.patience.count();
  e.traceparent = c.traceparent;
  cluster::pack(
    e, cluster::provider_ask{what, c.order, c.payment_id, c.amount, c.currency, c.token});
  with_.ask(with_.keeper, std::move(e), [said = std::move(said), not_asked](cluster::ask_result r) {
    if (r.how == cluster::asked::not_sent || r.how == cluster::asked::unsupported)
      return said(not_asked);
    provider_said out; // unknown
    const auto told = r.how == cluster::asked::answered
                        ? cluster::unpack<cluster::provider_told>(r.reply)
                        : std::nullopt;
    if (told) out.said = told->said, out.amount = told->amount, out.reason = told->reason;
    said(std::move(out));
  });
}

bool shared_provider::take(const cluster::envelope& what, const cluster::reply_once& reply) {
  const auto c = cluster::unpack<cluster::provider_ask>(what);
  if (!c) return false;
  run_here(c->what, {c->order, c->payment_id, c->amount, c->currency, c->token, what.traceparent},
    [reply, shard = what.shard](provider_said said) {
      cluster::envelope back;
      back.shard = shard;
      cluster::pack(back, cluster::provider_told{said.said, said.amount, said.reason});
      reply(std::move(back));
    });
  return true;
}
} // namespace jumun::app
