#include "actors/recorder.hpp"
#include "actors/counted.hpp"
#include "actors/interfaces.hpp"
#include "actors/limits.hpp"
#include <algorithm>

namespace jumun::actors {
namespace {
/// What a message is called, where it comes from if not from an actor, and its order.
struct described {
  std::string_view message, origin;
  domain::order_id order;
};

template <class T>
concept has_order = requires(const T& m) {
  { m.order } -> std::convertible_to<domain::order_id>;
};
template <class T> domain::order_id order_in(const T& m) {
  if constexpr (has_order<T>) return m.order;
  return {};
}
domain::order_id order_in(const domain::take_hook& m) { return m.what.order; }
domain::order_id order_in(const provider_answered& m) { return m.answer.order; }
template <class C> domain::order_id order_in(const asked_by_edge<C>& m) {
  return order_in(m.command);
}
template <class C, class A> domain::order_id order_in(const asked<C, A>& m) {
  return order_in(m.command);
}

using content = caf::type_erased_tuple;
struct message_kind {
  bool (*is)(const content&);
  domain::order_id (*order)(const content&);
  std::string_view name, origin;
};
template <class T> message_kind kind(std::string_view name, std::string_view origin = "") {
  return {[](const content& c) { return c.size() == 1 && c.match_element<T>(0); },
    [](const content& c) { return order_in(c.get_as<T>(0)); }, name, origin};
}

const std::vector<message_kind>& kinds() {
  static const std::vector<message_kind> all{
    // With an origin for those of another node, which have no sender here (actors/remote.hpp).
    kind<asked<domain::reserve_stock>>("reserve_stock", "saga"),
    kind<asked<domain::commit_stock>>("commit_stock", "saga"),
    kind<asked<domain::release_stock>>("release_stock", "saga"),
    kind<domain::stock_answered>("stock_answered", "inventory"),
    kind<asked_of_payment<domain::charge_payment>>("charge_payment"),
    kind<asked_of_payment<domain::inquire_payment>>("inquire_payment"),
    kind<asked_of_payment<domain::cancel_payment>>("cancel_payment"),
    kind<provider_answered>("provider_answered", "provider"),
    kind<domain::payment_answered>("payment_answered"),
    kind<asked<domain::start_delivery>>("start_delivery"),
    kind<asked<domain::cancel_delivery>>("cancel_delivery"),
    kind<domain::delivery_answered>("delivery_answered"),
    kind<place_message>("place_order", "edge"),
    kind<cancel_message>("cancel_order", "edge"),
    kind<report_message>("report_delivery", "edge"),
    kind<hook_message>("take_hook", "edge"),
    kind<operate_message>("act_on_saga", "edge"),
    kind<adjust_message>("adjust_stock", "edge"),
    kind<count_message>("count_stock", "edge"),
    kind<product_message>("put_product", "edge"),
    kind<remember_message>("remember_reply", "edge"),
    kind<resume>("resume"),
    kind<retire>("retire"),
    kind<domain::timer_fired>("timer_fired"),
    kind<saga_at_rest>("saga_at_rest"),
    kind<arm_timer>("arm_timer"),
    kind<tick>("tick", "clock"),
    kind<respawn>("respawn", "clock"),
    kind<recover>("recover", "clock"),
    kind<ask_again>("ask_again"),
    kind<describe_saga>("describe", "edge"),
    kind<describe>("describe", "edge"),
  };
  return all;
}

described describe_message(const content& c) {
  for (const auto& k : kinds())
    if (k.is(c)) return {k.name, k.origin, k.order(c)};
  return {"other", "", {}};
}

/// The vital signs of whoever sent it; null: no actor of ours.
const counting* sender_of(const caf::mailbox_element& what) {
  if (!what.sender) return nullptr; // actor_cast would make an address of it
  return dynamic_cast<const counting*>(caf::actor_cast<caf::abstract_actor*>(what.sender));
}

/// Of one that is not watched: a saga's by the order that it speaks of, others' kind.
std::string name_of_stranger(const counting& sender, domain::order_id order) {
  const auto* actor = dynamic_cast<const caf::local_actor*>(&sender);
  if (!actor) return {};
  const std::string_view kind = actor->name();
  return kind == "saga" && order != domain::order_id{} ? saga_name(order) : std::string{kind};
}

bool belongs(const recording& r, const recorded_message& m) {
  return r.order == domain::order_id{} ? m.to == r.of : m.order == r.order;
}
} // namespace

void message_recorder::start(recording what, std::int64_t lasts_us) {
  const auto now = now_us_();
  what.began_us = now, what.ends_us = now + lasts_us;
  const std::lock_guard lock{guard_};
  std::erase_if(all_, [&](const recording& r) { return r.of == what.of; });
  while (all_.size() >= limits::recordings_max) all_.pop_front();
  all_.push_back(std::move(what));
  std::int64_t last = 0;
  for (const auto& r : all_) last = std::max(last, r.ends_us);
  until_us_ = last;
}

bool message_recorder::stop(std::string_view of) {
  const auto now = now_us_();
  const std::lock_guard lock{guard_};
  const auto known =
    std::find_if(all_.begin(), all_.end(), [&](const recording& r) { return r.of == of; });
  if (known == all_.end() || known->ends_us <= now) return false;
  known->ends_us = now;
  return true;
}

std::optional<recording> message_recorder::find(std::string_view of) const {
  const std::lock_guard lock{guard_};
  for (const auto& r : all_)
    if (r.of == of) return r;
  return {};
}

std::set<std::string> message_recorder::watched() const {
  const auto now = now_us_ ? now_us_() : 0;
  std::set<std::string> names;
  const std::lock_guard lock{guard_};
  for (const auto& r : all_)
    if (r.ends_us > now) names.insert(r.by.begin(), r.by.end());
  return names;
}

void message_recorder::name(const vital_signs* who, std::string name) {
  const std::lock_guard lock{guard_};
  names_[who] = std::move(name);
}
void message_recorder::forget(const vital_signs* who) {
  const std::lock_guard lock{guard_};
  names_.erase(who);
}

void message_recorder::came(const caf::mailbox_element& what) {
  if (over()) return;
  const auto now = now_us_();
  const std::lock_guard lock{guard_};
  if (came_us_.size() >= limits::recorded_waiting_max) came_us_.clear();
  came_us_[&what] = now;
}

std::optional<recorded_message> message_recorder::begins(
  caf::mailbox_element& what, const vital_signs* who) {
  if (over()) return {};
  const auto about = describe_message(what.content());
  recorded_message m;
  m.at_us = now_us_();
  m.message = about.message, m.from = about.origin, m.order = about.order;
  const auto* sender = sender_of(what);
  if (m.from == "saga") m.from = saga_name(m.order);
  const std::lock_guard lock{guard_};
  if (const auto came = came_us_.extract(&what)) m.wait_us = m.at_us - came.mapped();
  const auto to = names_.find(who);
  if (to == names_.end()) return {};
  m.to = to->second;
  if (sender) {
    const auto from = names_.find(sender->signs.get());
    m.from = from != names_.end() ? from->second : name_of_stranger(*sender, m.order);
  }
  const auto wanted = [&](const recording& r) { return r.ends_us > m.at_us && belongs(r, m); };
  if (std::none_of(all_.begin(), all_.end(), wanted)) return {};
  return m;
}

void message_recorder::ended(recorded_message m) {
  m.took_us = now_us_() - m.at_us;
  const std::lock_guard lock{guard_};
  for (auto& r : all_) {
    if (r.ends_us <= m.at_us || !belongs(r, m)) continue;
    ++r.seen;
    r.messages.push_back(m);
    if (r.messages.size() > r.limit) r.messages.pop_front();
  }
}
} // namespace jumun::actors
