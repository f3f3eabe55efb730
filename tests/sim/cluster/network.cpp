#include "tests/sim/cluster/network.hpp"
#include "cluster/limits.hpp"
#include <algorithm>

namespace jumun::sim {
using cluster::asked;
using cluster::link_state;

namespace {
constexpr std::int64_t us = 1'000; // of a millisecond
constexpr std::int64_t silent_us = std::chrono::microseconds{limits::peer_silent_max}.count();
constexpr std::int64_t redial_ms = std::chrono::milliseconds{limits::peer_redial_min}.count();
} // namespace

std::unique_ptr<network::port> network::plug(
  const std::string& node, std::function<std::int64_t()> now_ms) {
  auto end = std::make_unique<port>(*this, node, std::move(now_ms));
  up_[node] = end.get();
  for (const auto& [other, p] : up_)
    if (other != node) begin_later(node, other);
  return end;
}

void network::leave(const std::string& node) {
  up_.erase(node);
  std::vector<std::string> peers;
  for (const auto& [way, s] : sessions_)
    if (way.first == node) peers.push_back(way.second);
  for (const auto& other : peers) end(node, other);
}

void network::port::unplug() {
  if (!std::exchange(plugged_, false)) return;
  net_.leave(name_);
}

// -- sessions -------------------------------------------------------------------------------------

void network::begin_later(const std::string& a, const std::string& b) {
  time_.later(redial_ms, [this, a, b] { begin(a, b); });
}

void network::begin(const std::string& a, const std::string& b) {
  if (up_.count(a) == 0 || up_.count(b) == 0 || sessions_[{a, b}].number > 0) return;
  if (blocked_until({a, b}) > time_.now_us() || blocked_until({b, a}) > time_.now_us())
    return begin_later(a, b); // it is dialled again and again
  for (const auto& way : {pair{a, b}, pair{b, a}}) sessions_[way].number = ++numbers_;
  if (trace) trace("a session of " + a + " and " + b + " begins");
  say(a, b, link_state::up);
  say(b, a, link_state::up);
}

void network::end(const std::string& a, const std::string& b) {
  std::vector<cluster::peers::done> unknown;
  for (const auto& way : {pair{a, b}, pair{b, a}}) {
    auto& s = sessions_[way];
    if (s.number == 0) return;
    s.number = 0;
    s.under_way.clear();
    if (up_.count(way.first) > 0) // else nobody is there to hear it
      for (auto& [id, then] : s.asks) unknown.push_back(std::move(then));
    s.asks.clear();
  }
  if (trace) trace("the session of " + a + " and " + b + " ends");
  for (auto& then : unknown) then({asked::unknown, {}});
  say(a, b, link_state::away);
  say(b, a, link_state::away);
  begin_later(a, b);
}

void network::say(const std::string& node, const std::string& about, link_state now) {
  const auto there = up_.find(node);
  if (there != up_.end() && there->second->change_) there->second->change_(about, now);
}

void network::break_session(const std::string& a, const std::string& b) { end(a, b); }

// -- ways -----------------------------------------------------------------------------------------

std::int64_t network::blocked_until(const pair& way) const {
  const auto known = blocked_.find(way);
  return known == blocked_.end() ? 0 : known->second;
}

void network::block(const std::string& from, const std::string& to, std::int64_t until_us) {
  const pair way{from, to};
  auto& until = blocked_[way];
  if (until_us <= until) return;
  until = until_us;
  if (until_us - time_.now_us() <= silent_us) return; // TCP sends it again until it gets through
  time_.later(silent_us / us, [this, way, until_us] {
    if (blocked_until(way) >= until_us) end(way.first, way.second);
  });
}

void network::block_all(const std::string& node, std::int64_t until_us) {
  for (const auto& [other, p] : up_)
    if (other != node) block(node, other, until_us), block(other, node, until_us);
}

void network::heal() { blocked_.clear(); }

/// Behind all that was sent before it that way.
std::int64_t network::arrival(const pair& way) {
  auto at = time_.now_us() + latency_ms_ * us;
  if (luck_.fires(fault::message_late)) {
    const auto ms = luck_.pick(fault::message_late, 8) == 0 ? 10'000U : 300U;
    at += static_cast<std::int64_t>(1 + luck_.pick(fault::message_late, ms)) * us;
  }
  auto& last = sessions_[way].last_us;
  return last = std::max({at, last, blocked_until(way)});
}

void network::carry(const pair& way, std::function<void(port&)> arrive) {
  auto& s = sessions_[way];
  s.under_way.push_back(std::move(arrive));
  arrive_at(way, s.number, arrival(way));
}

/// The first that is under way, then; whoever is still blocked by then waits on, in order.
void network::arrive_at(const pair& way, std::uint64_t number, std::int64_t at_us) {
  time_.later((at_us - time_.now_us() + us - 1) / us, [this, way, number] {
    auto& s = sessions_[way];
    if (s.number != number) return;
    if (const auto until = blocked_until(way); until > time_.now_us())
      return arrive_at(way, number, until);
    const auto arrive = std::move(s.under_way.front());
    s.under_way.pop_front();
    arrive(*up_.at(way.second)); // a session ends with either process
  });
}

// -- messages -------------------------------------------------------------------------------------

bool network::tell(const std::string& from, const std::string& to, cluster::envelope what) {
  const pair way{from, to};
  if (sessions_[way].number == 0 || luck_.fires(fault::no_credit)) return false;
  const auto arrive = [from, what](port& there) {
    if (there.tell_) there.tell_(from, what, {});
  };
  if (luck_.fires(fault::message_lost)) return true;
  carry(way, arrive);
  if (luck_.fires(fault::message_twice)) carry(way, arrive);
  return true;
}

void network::ask(const std::string& from, const std::string& to, cluster::envelope what,
  std::int64_t within_ms, cluster::peers::done then) {
  const pair way{from, to};
  if (sessions_[way].number == 0 || luck_.fires(fault::no_credit))
    return then({asked::not_sent, {}});
  const auto id = ++numbers_;
  sessions_[way].asks.emplace(id, std::move(then));
  time_.later(within_ms, [this, way, id] { finish(way, id, {asked::unknown, {}}); });
  if (luck_.fires(fault::message_lost)) return;
  carry(way, [this, way, id, what](port& there) {
    if (!there.ask_) return;
    const pair back{way.second, way.first};
    const cluster::reply_once reply{
      [this, way, back, id, number = sessions_[back].number](cluster::ask_result r) {
        if (sessions_[back].number != number || number == 0) return; // a reply of a past session
        if (luck_.fires(fault::message_lost)) return;
        carry(back, [this, way, id, r = std::move(r)](port&) { finish(way, id, r); });
      }};
    there.ask_(way.first, what, reply);
  });
}

void network::finish(const pair& way, std::uint64_t id, cluster::ask_result r) {
  auto known = sessions_[way].asks.extract(id);
  if (!known.empty()) known.mapped()(std::move(r));
}

bool network::port::tell(const std::string& node, cluster::envelope what) {
  return plugged_ && net_.tell(name_, node, std::move(what));
}

void network::port::ask(const std::string& node, cluster::envelope what, done then) {
  if (!plugged_) return; // nobody is there to hear it
  const auto left = what.deadline_ms > 0 ? what.deadline_ms - now_ms_()
                                         : std::chrono::milliseconds{limits::ask_default}.count();
  const auto most = std::chrono::milliseconds{limits::ask_max}.count();
  net_.ask(name_, node, std::move(what), std::clamp<std::int64_t>(left, 0, most), std::move(then));
}
} // namespace jumun::sim
