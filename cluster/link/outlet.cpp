#include "cluster/link/outlet.hpp"

namespace jumun::cluster::link {
using namespace std::chrono_literals;

clocks real_clocks() {
  using namespace std::chrono;
  return {
    [] { return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count(); },
    [] { return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count(); }};
}

outlet::outlet(identity self, std::string peer, terms t, clocks now, hooks to)
    : self_{std::move(self)}, peer_{std::move(peer)}, terms_{t}, now_{std::move(now)},
      to_{std::move(to)}, wheel_{now_.steady_us() / 1'000} {
  figures_.node = peer_;
}

bool outlet::put(std::uint64_t ask, envelope what) {
  if (state_ != link_state::up || !sendable(what)) return false;
  what.protocol = std::min(what.protocol, figures_.protocol);
  auto bytes = encode(item{ask, asked::answered, std::move(what)});
  if (!credit_.take(bytes.size())) {
    ++figures_.refused_for_credit;
    return false;
  }
  ++figures_.sent;
  figures_.sent_bytes += bytes.size();
  outbox_.put(std::move(bytes));
  return true;
}

bool outlet::tell(envelope what) {
  std::unique_lock lock{guard_};
  if (!put(0, std::move(what))) return false;
  if (std::exchange(woken_, true)) return true;
  lock.unlock();
  to_.wake();
  return true;
}

void outlet::ask(envelope what, peers::done then) {
  const auto most = std::chrono::milliseconds{limits::ask_max}.count();
  const auto wait = what.deadline_ms == 0
                      ? std::chrono::milliseconds{limits::ask_default}.count()
                      : std::clamp<std::int64_t>(what.deadline_ms - now_.wall_ms(), 0, most);
  std::unique_lock lock{guard_};
  if (wait == 0 || !put(last_ask_ + 1, std::move(what))) {
    lock.unlock();
    return then({asked::not_sent, {}});
  }
  const auto id = ++last_ask_;
  ++figures_.asks;
  const auto now = now_.steady_us();
  asks_.emplace(id, pending{std::move(then), wheel_.add(now / 1'000 + wait, id), now});
  if (std::exchange(woken_, true)) return;
  lock.unlock();
  to_.wake();
}

void outlet::greet(std::uint64_t session) {
  std::lock_guard lock{guard_};
  session_ = session;
  hello_due_ = true;
  replies_ = tally{terms_.envelopes, terms_.bytes}; // counts are of the session
  heard_us_ = now_.steady_us();
}

void outlet::welcomed(const welcome& w) {
  figures_.incarnation = w.incarnation;
  figures_.release = w.release;
  figures_.protocol = w.protocol;
  credit_ = credit{std::min(w.credit, terms_.envelopes), std::min(w.credit_bytes, terms_.bytes)};
  state_ = link_state::up;
  ++figures_.connects;
  ping_due_ = true; // so that its round trip is known soon
  pinged_us_ = heard_us_;
}

void outlet::take_replies(const frame& f, ended& out) {
  for (const auto& bytes : f.items) {
    item i;
    const auto how = decode(bytes, i);
    ++figures_.received;
    figures_.received_bytes += bytes.size();
    replies_.handle(bytes.size());
    if (how != readable::yes) ++figures_.unsupported;
    auto found = asks_.extract(i.ask);
    if (found.empty()) continue; // its deadline was before
    wheel_.cancel(found.mapped().due);
    // A reply that can't be read is one all the same: what it says may have been done.
    const auto said = how == readable::yes ? i.how : asked::unknown;
    if (said == asked::unknown) ++figures_.unknown;
    if (said == asked::answered) {
      ++figures_.answered;
      figures_.answer_us += static_cast<std::uint64_t>(heard_us_ - found.mapped().asked_us);
    }
    out.emplace_back(std::move(found.mapped().then), ask_result{said, std::move(i.what)});
  }
}

void outlet::heard(frame f) {
  ended out;
  std::optional<link_state> change;
  bool wake = false;
  {
    std::lock_guard lock{guard_};
    if (session_ == 0 || f.session != session_) return; // late, of an earlier session
    const auto before = state_;
    heard_us_ = now_.steady_us();
    if (!f.refused.empty())
      end(f.refused, link_state::refused, out);
    else if (f.greeted && state_ != link_state::up) {
      if (f.greeted->node != peer_)
        end("it is \"" + f.greeted->node + "\"", link_state::refused, out);
      else
        welcomed(*f.greeted);
    }
    if (state_ == link_state::up) {
      if (credit_.handled(f.handled, f.handled_bytes))
        take_replies(f, out);
      else
        end("it has handled more than it was sent", link_state::away, out);
      if (f.pong != 0 && f.pong <= static_cast<std::uint64_t>(heard_us_))
        figures_.rtt_us = static_cast<std::uint64_t>(heard_us_) - f.pong;
      wake = (ping_due_ || replies_.worth_saying()) && !std::exchange(woken_, true);
    }
    if (state_ != before) change = state_;
  }
  if (change && to_.changed) to_.changed(*change);
  for (auto& [then, result] : out) then(std::move(result));
  if (wake) to_.wake();
}

/// With the lock held; the caller calls what is in `out` without it.
void outlet::end(const std::string& why, link_state now, ended& out) {
  state_ = now;
  session_ = 0;
  hello_due_ = ping_due_ = false;
  figures_.last_error = why;
  figures_.unknown += asks_.size();
  for (auto& [id, ask] : asks_)
    out.emplace_back(std::move(ask.then), ask_result{asked::unknown, {}});
  asks_.clear();
  wheel_.clear();
  outbox_.clear();
  credit_ = {};
}

void outlet::lost(const std::string& why) {
  ended out;
  bool changed = false;
  {
    std::lock_guard lock{guard_};
    changed = state_ == link_state::up;
    end(why, state_ == link_state::refused ? link_state::refused : link_state::away, out);
  }
  if (changed && to_.changed) to_.changed(link_state::away);
  for (auto& [then, result] : out) then(std::move(result));
}

void outlet::tick() {
  ended out;
  bool silent = false, wake = false;
  {
    std::lock_guard lock{guard_};
    const auto now = now_.steady_us();
    wheel_.advance(now / 1'000, [&](std::uint64_t ask) {
      auto found = asks_.extract(ask);
      if (found.empty()) return;
      ++figures_.unknown;
      out.emplace_back(std::move(found.mapped().then), ask_result{asked::unknown, {}});
    });
    silent = session_ != 0 && now - heard_us_ >= std::chrono::microseconds{terms_.silent}.count();
    if (state_ == link_state::up && !silent
        && now - pinged_us_ >= std::chrono::microseconds{terms_.heartbeat}.count()) {
      ping_due_ = true;
      pinged_us_ = now;
      wake = !std::exchange(woken_, true);
    }
  }
  for (auto& [then, result] : out) then(std::move(result));
  if (silent) lost("silent for " + std::to_string(terms_.silent.count()) + " ms");
  if (wake) to_.wake();
}

std::chrono::milliseconds outlet::until_tick() const {
  std::lock_guard lock{guard_};
  return wheel_.empty() ? std::min<std::chrono::milliseconds>(terms_.heartbeat / 4, 250ms)
                        : std::chrono::milliseconds{timer_wheel::tick_ms};
}

std::optional<std::string> outlet::next_frame() {
  std::lock_guard lock{guard_};
  woken_ = false;
  if (session_ == 0) return {};
  frame f;
  f.session = session_;
  const bool hello = std::exchange(hello_due_, false);
  if (hello) f.greeting = {self_.cluster, self_.node, peer_, self_.incarnation, self_.release};
  if (std::exchange(ping_due_, false)) f.ping = static_cast<std::uint64_t>(now_.steady_us());
  f.items = outbox_.batch();
  if (!hello && f.ping == 0 && f.items.empty() && !replies_.worth_saying()) return {};
  replies_.say(f);
  return encode(std::move(f));
}

link_state outlet::state() const {
  std::lock_guard lock{guard_};
  return state_;
}
bool outlet::in_session() const {
  std::lock_guard lock{guard_};
  return session_ != 0;
}

peer_figures outlet::figures() const {
  std::lock_guard lock{guard_};
  auto f = figures_;
  f.state = state_;
  f.in_flight = asks_.size();
  f.unhandled = credit_.out();
  f.unhandled_bytes = credit_.out_bytes();
  return f;
}
} // namespace jumun::cluster::link
