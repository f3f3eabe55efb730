#include "cluster/tunnel/link.hpp"
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <ctime>

namespace jumun::cluster {
namespace asio = boost::asio;
using transport::tcp_socket;

namespace {
tunnel_talk::moment now() { return std::chrono::steady_clock::now().time_since_epoch(); }
void shut(tcp_socket& socket) {
  boost::system::error_code ignored;
  socket.close(ignored);
}
} // namespace

tunnel_link::tunnel_link(
  std::shared_ptr<tunnel_core> core, side on, tcp_socket peer, tcp_socket caf, std::string address)
    : core_{std::move(core)}, side_{on}, address_{std::move(address)}, caf_{std::move(caf)},
      early_{std::move(peer)}, timer_{caf_.get_executor()} {}

void tunnel_link::cut(tunnel_refusal why) {
  asio::post(caf_.get_executor(),
    [self = shared_from_this(), why] { self->finish(why, std::string{name_of(why)}); });
}

// -- bytes ----------------------------------------------------------------------------------------

void tunnel_link::pump() {
  if (state_ == state::closed) return;
  write_peer();
  write_caf();
  read_peer();
  read_caf();
  account();
}

void tunnel_link::read_peer() {
  if (reading_peer_ || state_ == state::draining || state_ == state::closed) return;
  reading_peer_ = true;
  stream_->async_read_some(asio::buffer(from_peer_), on_done([this](error ec, std::size_t n) {
    reading_peer_ = false;
    if (ec) return state_ == state::ending ? close() : lose("lost: " + ec.message());
    heard({from_peer_.data(), n});
    pump();
  }));
}

void tunnel_link::heard(std::string_view bytes) {
  const auto why = talk_->from_peer(bytes, now());
  if (why != tunnel_refusal::none) return finish(why, std::string{name_of(why)});
  const auto ended = talk_->ended_by_peer();
  if (ended && state_ == state::greeting)
    return lose("refused by the peer: " + std::string{name_of(*ended)});
  if (ended && state_ == state::open) {
    note_end("ended by the peer: " + std::string{name_of(*ended)});
    state_ = state::draining; // what CAF has not taken yet is still its own
    return within(limits::tunnel_linger_max);
  }
  if (state_ != state::greeting || talk_->peer().empty()) return;
  side_ == side::listener ? admit() : come_up();
}

void tunnel_link::write_peer() {
  if (writing_peer_ || state_ == state::draining || state_ == state::closed) return;
  if (!talk_->swap_for_peer(to_peer_)) {
    if (state_ != state::ending || shut_) return;
    shut_ = true; // all is said; what still comes is read, or a reset would overtake our last word
    error ignored;
    stream_->raw().shutdown(tcp_socket::shutdown_send, ignored);
    return;
  }
  writing_peer_ = true;
  stream_->async_write(asio::buffer(to_peer_), on_done([this](error ec, std::size_t) {
    writing_peer_ = false;
    to_peer_.clear();
    if (ec) return state_ == state::ending ? close() : lose("lost: " + ec.message());
    pump();
  }));
}

void tunnel_link::read_caf() {
  if (reading_caf_ || state_ != state::open) return;
  const auto room = std::min(talk_->caf_room(), from_caf_.size());
  if (room == 0) return;
  reading_caf_ = true;
  caf_.async_read_some(
    asio::buffer(from_caf_.data(), room), on_done([this](error ec, std::size_t n) {
      reading_caf_ = false;
      if (ec) return finish(tunnel_refusal::none, "our CAF has closed");
      peer_->bytes_out += n;
      talk_->from_caf({from_caf_.data(), n});
      pump();
    }));
}

void tunnel_link::write_caf() {
  if (writing_caf_ || (state_ != state::open && state_ != state::draining)) return;
  if (to_caf_done_ == to_caf_.size()) {
    to_caf_done_ = 0;
    if (!talk_->swap_for_caf(to_caf_)) {
      if (state_ == state::draining) close();
      return;
    }
  }
  writing_caf_ = true;
  caf_.async_write_some(
    asio::buffer(to_caf_) + to_caf_done_, on_done([this](error ec, std::size_t n) {
      writing_caf_ = false;
      if (ec)
        return state_ == state::draining ? close()
                                         : finish(tunnel_refusal::none, "our CAF has closed");
      to_caf_done_ += n;
      peer_->bytes_in += n;
      talk_->delivered(n);
      pump();
    }));
}

void tunnel_link::account() {
  if (!peer_ || !talk_) return;
  const auto waits = state_ == state::closed ? 0 : talk_->waiting() + to_peer_.size();
  peer_->waiting += waits - waiting_;
  waiting_ = waits;
  const auto& now = talk_->counted();
  peer_->frames_in += now.frames_in - counted_.frames_in;
  peer_->frames_out += now.frames_out - counted_.frames_out;
  peer_->beats_lost += now.beats_lost - counted_.beats_lost;
  peer_->stalls += now.stalls - counted_.stalls;
  counted_ = now;
  auto most = peer_->waiting_max.load();
  while (waits > most && !peer_->waiting_max.compare_exchange_weak(most, waits)) {}
}

// -- time -----------------------------------------------------------------------------------------

void tunnel_link::within(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this(), until = timer_.expiry()](error ec) {
    // Armed anew while this waited for its turn: then it is not about the present state.
    if (!ec && self->timer_.expiry() == until) self->on_timer();
  });
}

void tunnel_link::on_timer() {
  switch (state_) {
    case state::greeting: return finish(tunnel_refusal::timeout, "timeout");
    case state::open: return on_heartbeat();
    case state::draining:
    case state::ending: return close();
    case state::closed: return;
  }
}

void tunnel_link::on_heartbeat() {
  if (const auto why = talk_->tick(now()); why != tunnel_refusal::none)
    return finish(why, std::string{name_of(why)});
  peer_->rtt_us = static_cast<std::uint64_t>(talk_->rtt().count() / 1'000);
  // Its certificate has ended, and we have got another: whoever dials proves its name by that one.
  if (side_ == side::dialler && identity_ && identity_->until < std::time(nullptr)
      && identity_ != core_->identity.current())
    return finish(
      tunnel_refusal::none, "its certificate has ended; the next link uses the new one");
  within(core_->options.within.heartbeat);
  pump();
}

// -- ends -----------------------------------------------------------------------------------------

void tunnel_link::finish(tunnel_refusal why, const std::string& text) {
  if (state_ != state::greeting && state_ != state::open) return;
  core_->count(why, address_);
  if (why == tunnel_refusal::silent) ++peer_->lost;
  note_end(text);
  state_ = state::ending;
  shut(caf_);
  if (!talk_) return close();
  talk_->end(why);
  within(limits::tunnel_linger_max);
  pump();
}

void tunnel_link::lose(const std::string& text) {
  if (state_ != state::greeting && state_ != state::open) return;
  if (state_ == state::open) ++peer_->lost;
  if (side_ == side::listener && state_ == state::greeting)
    core_->count(tunnel_refusal::bad_tls, address_);
  note_end(text);
  close();
}

void tunnel_link::note_end(const std::string& text) {
  if (!peer_) return; // nobody knows whose it was: the counts by refusal are all there is
  if (has_been_up_) --peer_->links;
  if (!has_been_up_ && side_ == side::dialler) ++peer_->failed;
  const bool is_news = peer_->note(text);
  if (has_been_up_)
    core_->say("tunnel.down", {{"peer", peer_->node}, {"direction", direction()}, {"why", text}});
  else if (side_ == side::dialler && is_news)
    core_->say("tunnel.unreachable", {{"peer", peer_->node}, {"why", text}});
}

void tunnel_link::close() {
  if (state_ == state::closed) return;
  state_ = state::closed;
  account();
  error ignored;
  timer_.cancel();
  shut(caf_);
  shut(stream_ ? stream_->raw() : early_);
  core_->left(this);
}
} // namespace jumun::cluster
