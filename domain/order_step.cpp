#include "domain/order_step.hpp"

namespace jumun::domain {
namespace {
constexpr milestones bit(milestone m) {
  return static_cast<milestones>(1U << static_cast<unsigned>(m));
}
} // namespace

std::string_view name_of(milestone m) {
  switch (m) {
    case milestone::accepted: return "accepted";
    case milestone::rejected: return "rejected";
    case milestone::preparing: return "preparing";
    case milestone::shipped: return "shipped";
    case milestone::delivered: return "delivered";
    case milestone::cancelled: return "cancelled";
    case milestone::blocked: return "blocked";
  }
  return "";
}

milestones milestones_of(const order& o) {
  milestones all = 0;
  const auto stands = [&all](milestone m, bool there) {
    if (there) all |= bit(m);
  };
  stands(milestone::accepted, o.version > 0);
  stands(milestone::rejected, o.at == phase::rejected);
  stands(milestone::preparing, o.at == phase::fulfilled);
  stands(milestone::shipped, o.shipped);
  stands(milestone::delivered, o.delivery == delivery_status::delivered);
  stands(milestone::cancelled, o.at == phase::cancelled);
  stands(milestone::blocked, o.blocked);
  return all;
}

order_step step_of(const decision& d) {
  const auto& o = d.next;
  order_step s;
  s.id = o.id;
  s.version = o.version;
  s.settled = settled(o);
  s.reached = d.reached;
  if (open(o)) s.open_as = saga_state_of(o);
  // A cancellation is a run of its own: an order that was cancelled after a week of being prepared
  // did not take a week.
  if (at_rest(o)) s.began_ms = o.cancel_requested ? o.cancel_requested_ms : o.created_ms;
  return s;
}
} // namespace jumun::domain
