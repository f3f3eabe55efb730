#include "domain/operator.hpp"

namespace jumun::domain {
namespace {
bool courier_failed(const order& o) {
  return o.at == phase::fulfilled && o.delivery == delivery_status::failed;
}
bool resolvable(const order& o) {
  const bool about_money = o.at == phase::refunding || o.at == phase::voiding;
  return o.blocked && !o.poisoned && (about_money || courier_failed(o));
}
bool stopped(const order& o) { return o.paused || o.poisoned; }
bool in_back_off(const order& o) { return !at_rest(o) && o.next_attempt_ms > 0; }

bool allowed(const order& o, operator_action a) {
  switch (a) {
    case operator_action::pause: return !at_rest(o) && !stopped(o);
    case operator_action::resume: return stopped(o);
    case operator_action::retry_now: return !o.paused && (o.poisoned || in_back_off(o));
    case operator_action::cancel:
      return cancellable(o) || (o.why == ending::none && courier_failed(o));
    case operator_action::resolve: return resolvable(o);
  }
  return false;
}
} // namespace

std::string_view name_of(operator_action a) {
  switch (a) {
    case operator_action::pause: return "pause";
    case operator_action::resume: return "resume";
    case operator_action::retry_now: return "retry_now";
    case operator_action::cancel: return "cancel";
    case operator_action::resolve: return "resolve";
  }
  return "";
}

std::optional<operator_action> parse_operator_action(std::string_view name) {
  for (const auto a : all_operator_actions)
    if (name_of(a) == name) return a;
  return {};
}

std::vector<operator_action> allowed_actions(const order& o) {
  std::vector<operator_action> out;
  for (const auto a : all_operator_actions)
    if (allowed(o, a)) out.push_back(a);
  return out;
}

bool already_so(const order& o, operator_action a) {
  if (allowed(o, a)) return false;
  switch (a) {
    case operator_action::pause: return o.paused;
    case operator_action::resume:
    case operator_action::retry_now: return !at_rest(o) && !stopped(o);
    case operator_action::cancel: return o.cancel_requested;
    case operator_action::resolve: return o.resolved;
  }
  return false;
}
} // namespace jumun::domain
