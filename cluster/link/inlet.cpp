#include "cluster/link/inlet.hpp"

namespace jumun::cluster::link {
inlet::inlet(
  std::string peer, std::uint64_t session, terms t, clocks now, std::function<void()> wake)
    : peer_{std::move(peer)}, session_{session}, terms_{t}, now_{std::move(now)}, wake_{std::move(
                                                                                    wake)},
      tally_{t.envelopes, t.bytes}, replies_{t.envelopes, t.bytes}, heard_us_{now_.steady_us()} {}

std::string inlet::objection(const hello& h, const identity& self) {
  if (h.cluster != self.cluster) return "another cluster";
  if (h.to != self.node) return "this is \"" + self.node + "\"";
  if (h.node.empty() || h.node == self.node) return "it has this node's own name, or none";
  if (!common_protocol(h))
    return "no common protocol: this release speaks " + std::to_string(protocol_oldest) + " to "
           + std::to_string(protocol_now);
  return {};
}

void inlet::greet(const hello& h, const identity& self) {
  std::lock_guard lock{guard_};
  protocol_ = common_protocol(h).value_or(protocol_oldest);
  welcome_ = {self.node, self.incarnation, self.release, protocol_, terms_.envelopes, terms_.bytes};
}

bool inlet::heard(frame f, const handlers& to) {
  bool wake = false;
  {
    std::lock_guard lock{guard_};
    if (closed_) return false;
    heard_us_ = now_.steady_us();
    if (!replies_.handled(f.handled, f.handled_bytes)) return false;
    for (const auto& i : f.items) {
      ++figures_.received;
      figures_.received_bytes += i.size();
      if (!tally_.came(i.size())) return false;
    }
    if (f.ping != 0) {
      pong_ = f.ping;
      wake = due();
    }
  }
  for (auto& i : f.items) take(std::move(i), to);
  if (wake) wake_();
  return true;
}

void inlet::take(std::string bytes, const handlers& to) {
  const auto size = bytes.size();
  item i;
  const auto how = decode(bytes, i);
  receipt held{nullptr, [self = shared_from_this(), size](void*) { self->handled(size); }};
  if (how != readable::yes) {
    std::lock_guard lock{guard_};
    ++figures_.unsupported;
  }
  if (i.ask == 0) {
    if (how == readable::yes && to.tell) to.tell(peer_, std::move(i.what), std::move(held));
    return;
  }
  reply_once answer{[self = shared_from_this(), ask = i.ask, held](
                      ask_result r) { self->reply(ask, std::move(r)); }};
  held.reset(); // the reply alone has it now
  if (how == readable::yes && to.ask)
    to.ask(peer_, std::move(i.what), std::move(answer));
  else
    answer.unsupported();
}

void inlet::handled(std::size_t bytes) {
  bool wake = false;
  {
    std::lock_guard lock{guard_};
    tally_.handle(bytes);
    wake = tally_.worth_saying() && due();
  }
  if (wake) wake_();
}

void inlet::reply(std::uint64_t ask, ask_result r) {
  if (r.how == asked::answered && !sendable(r.reply)) r = {asked::unknown, {}};
  r.reply.protocol = std::min(r.reply.protocol, protocol_.load());
  auto bytes = encode(item{ask, r.how, std::move(r.reply)});
  bool wake = false;
  {
    std::lock_guard lock{guard_};
    if (closed_) return;
    if (!replies_.take(bytes.size())) {
      ++figures_.replies_dropped; // as many as the asks that it had credit for, at the most
      bytes = encode(item{ask, asked::unknown, {}});
      replies_.take_anyway(bytes.size());
    }
    outbox_.put(std::move(bytes));
    wake = due();
  }
  if (wake) wake_();
}

std::optional<std::string> inlet::next_frame() {
  std::lock_guard lock{guard_};
  woken_ = false;
  if (closed_) return {};
  frame f;
  f.session = session_;
  f.greeted = std::exchange(welcome_, {});
  f.pong = std::exchange(pong_, 0);
  f.items = outbox_.batch();
  if (!f.greeted && f.pong == 0 && f.items.empty() && !tally_.worth_saying()) return {};
  tally_.say(f);
  return encode(std::move(f));
}

void inlet::close() {
  std::lock_guard lock{guard_};
  closed_ = true;
  outbox_.clear();
}

bool inlet::silent() const {
  std::lock_guard lock{guard_};
  return now_.steady_us() - heard_us_ >= std::chrono::microseconds{terms_.silent}.count();
}

void inlet::count_into(peer_figures& f) const {
  std::lock_guard lock{guard_};
  f.received += figures_.received;
  f.received_bytes += figures_.received_bytes;
  f.unsupported += figures_.unsupported;
  f.replies_dropped += figures_.replies_dropped;
}
} // namespace jumun::cluster::link
