#include "cluster/tunnel/talk.hpp"
#include "cluster/tunnel/big_endian.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include <algorithm>
#include <utility>

namespace jumun::cluster {
namespace {
constexpr std::size_t grant_each = limits::tunnel_window_bytes / 4;
constexpr std::size_t kept_bytes_max = 2 * limits::tunnel_frame_bytes_max;

/// `waiting` goes out in exchange for `spare`, which must not keep the room of a burst for ever.
bool swap_out(std::string& waiting, std::string& spare) {
  spare.clear();
  if (spare.capacity() > kept_bytes_max) spare.shrink_to_fit();
  std::swap(waiting, spare);
  return !spare.empty();
}
std::string word(std::chrono::nanoseconds n) {
  std::string out;
  put_big_endian(out, static_cast<std::uint64_t>(n.count()));
  return out;
}
} // namespace

void tunnel_talk::say(frame_kind kind, std::string_view payload) {
  append_frame(for_peer_, kind, payload);
  ++counts_.frames_out;
}

tunnel_talk::tunnel_talk(side on, talk_rules rules) : side_{on}, rules_{std::move(rules)} {
  if (side_ == side::dialler)
    say(frame_kind::hello,
      render({1, limits::tunnel_window_bytes, rules_.cluster, rules_.node, rules_.peer}));
}

tunnel_refusal tunnel_talk::from_peer(std::string_view bytes, moment now) {
  heard_ = true;
  if (state_ == state::ended || ended_by_peer_) return tunnel_refusal::none;
  return reader_.feed(
    bytes, [&](frame_kind kind, std::string_view payload) { return take(kind, payload, now); });
}

tunnel_refusal tunnel_talk::take(frame_kind kind, std::string_view payload, moment now) {
  if (ended_by_peer_) return tunnel_refusal::none; // it said that nothing follows
  ++counts_.frames_in;
  if (kind == frame_kind::end) {
    ended_by_peer_ = static_cast<tunnel_refusal>(payload[0]);
    return tunnel_refusal::none;
  }
  if (state_ == state::greeting) {
    const auto due = side_ == side::listener ? frame_kind::hello : frame_kind::welcome;
    return kind == due && peer_.empty() ? take_greeting(payload) : tunnel_refusal::malformed;
  }
  switch (kind) {
    case frame_kind::data: return take_data(payload);
    case frame_kind::grant:
      window_ += get_big_endian<std::uint32_t>(payload.data());
      return window_ <= limits::tunnel_window_bytes_max ? tunnel_refusal::none
                                                        : tunnel_refusal::malformed;
    case frame_kind::ping: pong_ = payload; return tunnel_refusal::none;
    case frame_kind::pong:
      unanswered_ = false;
      // It is our own word that comes back; whoever changes it harms a figure alone.
      if (const moment asked{get_big_endian<std::uint64_t>(payload.data())};
          asked < now && now - asked < 2 * rules_.silence_max)
        rtt_ = now - asked;
      return tunnel_refusal::none;
    default: return tunnel_refusal::malformed; // a second greeting
  }
}

tunnel_refusal tunnel_talk::take_greeting(std::string_view payload) {
  const auto said = parse_greeting(payload);
  if (!said || said->from.empty() || said->window > limits::tunnel_window_bytes_max)
    return tunnel_refusal::malformed;
  if (said->cluster != rules_.cluster) return tunnel_refusal::other_cluster;
  if (said->to != rules_.node || said->from == rules_.node // two nodes of one name
      || (!rules_.peer.empty() && said->from != rules_.peer))
    return tunnel_refusal::wrong_node;
  peer_ = said->from;
  window_ = said->window;
  if (side_ == side::dialler) state_ = state::open;
  return tunnel_refusal::none;
}

tunnel_refusal tunnel_talk::take_data(std::string_view payload) {
  undelivered_ += payload.size();
  if (undelivered_ + ungranted_ > limits::tunnel_window_bytes) return tunnel_refusal::malformed;
  if (const auto why = guard_.see(payload); why != tunnel_refusal::none) return why;
  for_caf_ += payload;
  return tunnel_refusal::none;
}

void tunnel_talk::welcome() {
  JUMUN_INVARIANT(side_ == side::listener && state_ == state::greeting && !peer_.empty(),
    "a welcome answers a greeting");
  say(frame_kind::welcome,
    render({1, limits::tunnel_window_bytes, rules_.cluster, rules_.node, peer_}));
  state_ = state::open;
}

void tunnel_talk::end(tunnel_refusal why) {
  if (state_ == state::ended) return;
  state_ = state::ended;
  const auto code = static_cast<char>(why);
  say(frame_kind::end, {&code, 1});
}

std::size_t tunnel_talk::caf_room() const {
  if (state_ != state::open || for_peer_.size() >= limits::tunnel_frame_bytes_max) return 0;
  return std::min(window_, limits::tunnel_frame_bytes_max);
}

void tunnel_talk::from_caf(std::string_view bytes) {
  if (bytes.empty() || state_ != state::open) return; // it ended while they were read
  JUMUN_INVARIANT(bytes.size() <= window_, "never sent ahead of the window");
  window_ -= bytes.size();
  if (window_ == 0) ++counts_.stalls;
  say(frame_kind::data, bytes);
}

tunnel_refusal tunnel_talk::tick(moment now) {
  // A process that was stopped hears nothing, and must not blame the peer for it.
  const auto since =
    ticked_.count() == 0 ? moment{} : std::min(now - ticked_, 2 * rules_.heartbeat);
  ticked_ = now;
  quiet_ = std::exchange(heard_, false) ? moment{} : quiet_ + since;
  if (quiet_ >= rules_.silence_max) return tunnel_refusal::silent;
  if (unanswered_) ++counts_.beats_lost;
  ping_ = state_ == state::open;
  return tunnel_refusal::none;
}

bool tunnel_talk::swap_for_peer(std::string& out) {
  if (state_ == state::open) { // one of each at most, whatever the peer asks for
    if (!pong_.empty()) say(frame_kind::pong, pong_), pong_.clear();
    if (std::exchange(ping_, false)) say(frame_kind::ping, word(ticked_)), unanswered_ = true;
    if (ungranted_ >= grant_each) {
      std::string bytes;
      put_big_endian(bytes, static_cast<std::uint32_t>(std::exchange(ungranted_, 0)));
      say(frame_kind::grant, bytes);
    }
  }
  return swap_out(for_peer_, out);
}

bool tunnel_talk::swap_for_caf(std::string& out) { return swap_out(for_caf_, out); }

void tunnel_talk::delivered(std::size_t bytes) {
  JUMUN_INVARIANT(bytes <= undelivered_, "CAF takes what has come");
  undelivered_ -= bytes;
  ungranted_ += bytes;
}
} // namespace jumun::cluster
