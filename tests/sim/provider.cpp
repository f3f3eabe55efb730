#include "tests/sim/provider.hpp"

namespace jumun::sim {
using domain::payment_said;

provider::account& provider::account_of(const actors::provider_charge& c) {
  auto& a = books_->accounts[c.payment_id];
  a.order = domain::to_text(domain::id_kind::order, c.order);
  a.token = c.token;
  return a;
}

template <class Act> void provider::receive(
  const char* what, actors::provider_charge c, actors::provider_callback said, Act act) {
  if (!connected_) return;
  if (books_->on_call) books_->on_call(what, c);
  if (luck_.fires(fault::goes_down)) {
    go_down();
    const auto ms = 1'000 + luck_.pick(fault::goes_down, 60'000);
    time_.later(static_cast<std::int64_t>(ms), [this] { come_back(); });
  }
  const bool half = books_->down && ++books_->calls % 2 == 0;
  if (half || luck_.fires(fault::call_lost)) return;
  auto ms = books_->latency_ms;
  if (luck_.fires(fault::call_late))
    ms += static_cast<std::int64_t>(luck_.pick(fault::call_late, 10'000));
  const auto line = connection_;
  time_.later(ms, [this, line, c = std::move(c), said = std::move(said), act = std::move(act)] {
    const auto said_it = act(account_of(c)); // what has left us arrives, whether we live or not
    if (books_->down || luck_.fires(fault::outcome_lost)) return;
    auto back = books_->latency_ms;
    if (luck_.fires(fault::outcome_late))
      back += static_cast<std::int64_t>(luck_.pick(fault::outcome_late, 10'000));
    time_.later(back, [this, line, said, said_it] {
      if (line == connection_) said(said_it);
    });
  });
}

void provider::charge(actors::provider_charge c, actors::provider_callback said) {
  const auto amount = c.amount;
  receive(
    "charge", std::move(c), std::move(said), [this, amount](account& a) -> actors::provider_said {
      if (a.voided) return {payment_said::declined, 0, "voided"};
      if (a.token == "tok_decline") a.declined = true;
      if (a.declined) return {payment_said::declined, 0, "do_not_honor"};
      if (a.charges == 0 && luck_.fires(fault::says_unknown))
        return {payment_said::unknown, 0, "busy"};
      if (a.charges == 0) {
        a.charged = amount;
        ++a.charges;
      }
      if (luck_.fires(fault::says_unknown)) return {payment_said::unknown, 0, "busy"};
      return {payment_said::approved, 0, {}};
    });
}

void provider::inquire(actors::provider_charge c, actors::provider_callback said) {
  receive("inquire", std::move(c), std::move(said), [this](account& a) -> actors::provider_said {
    if (luck_.fires(fault::says_pending)) return {payment_said::pending, 0, {}};
    if (a.voided) return {payment_said::cancelled, a.refunded, {}};
    if (a.declined) return {payment_said::declined, 0, "do_not_honor"};
    return {a.charges > 0 ? payment_said::approved : payment_said::absent, 0, {}};
  });
}

void provider::cancel(actors::provider_charge c, actors::provider_callback said) {
  receive("cancel", std::move(c), std::move(said), [this](account& a) -> actors::provider_said {
    if (luck_.fires(fault::refund_fails)) return {payment_said::unknown, 0, "try later"};
    a.voided = true;
    a.refunded = a.charged;
    return {payment_said::cancelled, a.refunded, {}};
  });
}

bool provider::give_back(const std::string& payment_id) {
  const auto known = books_->accounts.find(payment_id);
  if (known == books_->accounts.end() || known->second.charges == 0 || known->second.voided)
    return false;
  known->second.voided = true;
  known->second.refunded = known->second.charged;
  return true;
}

std::vector<storage::ledger_line> provider::ledger() const {
  std::vector<storage::ledger_line> out;
  for (const auto& [id, a] : books_->accounts) {
    for (int i = 0; i < a.charges; ++i) out.push_back({"charge", a.order, id, "KRW", a.charged});
    if (a.refunded > 0) out.push_back({"refund", a.order, id, "KRW", a.refunded});
  }
  return out;
}
} // namespace jumun::sim
