#include "cluster/tunnel/link.hpp"
#include <boost/asio/connect.hpp>
#include <boost/asio/dispatch.hpp>

/// How a link comes up: the first byte, TLS, the names, the greeting, CAF.
namespace jumun::cluster {
namespace asio = boost::asio;
using asio::ip::tcp;
using transport::tcp_socket;

namespace {
constexpr char tls_handshake_record = 0x16;                           // RFC 8446 §5.1
constexpr std::size_t peer_read_bytes = 16 * 1024 + frame_head_bytes; // a TLS record's, and more

/// What the next byte will be. `ec`: there is none and never will be, or (would_block) not yet: a
/// socket may be called readable in vain.
char peek(tcp_socket& socket, boost::system::error_code& ec) {
  char first = 0;
  if (socket.receive(asio::buffer(&first, 1), tcp_socket::message_peek, ec) == 0 && !ec)
    ec = asio::error::eof;
  return first;
}
void prepare(tcp_socket& socket) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay{true}, ignored);
}
} // namespace

void tunnel_link::accept(std::shared_ptr<tunnel_core> core, tcp_socket from_peer) {
  boost::system::error_code ec;
  const auto from = from_peer.remote_endpoint(ec).address();
  if (ec) return core->count(tunnel_refusal::said_nothing, {}); // gone already
  if (core->options.plain && !is_loopback(from))
    return core->count(tunnel_refusal::not_loopback, from.to_string());
  const auto strand = from_peer.get_executor();
  const auto link = std::make_shared<tunnel_link>(
    core, side::listener, std::move(from_peer), tcp_socket{strand}, from.to_string());
  if (const auto oldest = core->greeting.enter(from.to_string(), link))
    oldest->cut(tunnel_refusal::crowded);
  link->begin();
}

void tunnel_link::dial(
  std::shared_ptr<tunnel_core> core, tcp_socket from_caf, const std::string& node) {
  // CAF leaves no halves behind as a lost peer does: here the newcomer goes.
  if (core->dialled.size(node) >= limits::tunnel_links_per_peer)
    return core->count(tunnel_refusal::crowded, {});
  const auto strand = from_caf.get_executor();
  const auto link = std::make_shared<tunnel_link>(
    core, side::dialler, tcp_socket{strand}, std::move(from_caf), std::string{});
  link->peer_ = core->peer(node);
  [[maybe_unused]] const auto nobody = core->dialled.enter(node, link);
  link->begin();
}

void tunnel_link::begin() {
  asio::dispatch(caf_.get_executor(), [self = shared_from_this()] {
    if (self->state_ == state::closed || self->core_->stopping) return self->close();
    self->within(self->core_->options.within.first_byte_max);
    const bool listens = self->side_ == side::listener;
    prepare(listens ? self->early_ : self->caf_);
    listens ? self->await_peer() : self->await_caf();
  });
}

/// A port scan costs a socket for a moment, and nothing else.
void tunnel_link::await_peer() {
  early_.async_wait(tcp_socket::wait_read, on_done([this](error ec) {
    const auto first = ec ? '\0' : peek(early_, ec);
    if (ec == asio::error::would_block) return await_peer();
    if (ec) return finish(tunnel_refusal::said_nothing, "said nothing");
    const bool tls = !core_->options.plain;
    if (tls && first != tls_handshake_record) return finish(tunnel_refusal::not_tls, "not TLS");
    within(core_->options.within.greeting_max);
    shake_hands();
  }));
}

/// CAF speaks first. Who only looks which ports are open does not make us call the peer.
void tunnel_link::await_caf() {
  caf_.async_wait(tcp_socket::wait_read, on_done([this](error ec) {
    if (!ec) peek(caf_, ec);
    if (ec == asio::error::would_block) return await_caf();
    if (ec) return close();
    within(core_->options.within.greeting_max);
    find_peer();
  }));
}

void tunnel_link::find_peer() {
  const auto where = core_->neighbours.expected(peer_->node);
  if (!where) return lose("nobody knows where it is");
  error ec;
  const auto address = asio::ip::make_address(where->host, ec);
  if (ec) return resolve(*where);
  connect({{address, where->port}});
}

void tunnel_link::resolve(const peer_address& where) {
  using resolver = asio::ip::basic_resolver<tcp, transport::socket_strand>;
  const auto names = std::make_shared<resolver>(caf_.get_executor());
  names->async_resolve(where.host, std::to_string(where.port),
    on_done([this, names](error ec, const resolver::results_type& found) {
      if (ec) return lose("cannot find its address: " + ec.message());
      std::vector<tcp::endpoint> all;
      for (const auto& one : found) all.push_back(one.endpoint());
      connect(all);
    }));
}

void tunnel_link::connect(const std::vector<tcp::endpoint>& to) {
  if (core_->options.plain)
    for (const auto& one : to)
      if (!is_loopback(one.address()))
        return finish(tunnel_refusal::not_loopback, "plain, and its address is none of loopback");
  const auto kept = std::make_shared<std::vector<tcp::endpoint>>(to);
  asio::async_connect(early_, *kept, on_done([this, kept](error ec, const tcp::endpoint&) {
    if (ec) return lose("cannot connect: " + ec.message());
    prepare(early_);
    shake_hands();
  }));
}

void tunnel_link::shake_hands() {
  identity_ = core_->identity.current();
  std::shared_ptr<asio::ssl::context> rules;
  if (!core_->options.plain) rules = {identity_, &identity_->context};
  stream_ = std::make_unique<transport::stream>(std::move(early_), rules);
  if (!rules) {
    begin_talk(peer_ ? peer_->node : "");
    return pump();
  }
  const auto role =
    side_ == side::dialler ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  stream_->async_handshake(role, on_done([this](error ec) {
    if (!ec) return judge_certificate();
    const auto why = why_refused(stream_->tls(), ec);
    finish(why, std::string{name_of(why)} + ": " + ec.message());
  }));
}

void tunnel_link::judge_certificate() {
  const auto proven = proven_node(stream_->tls(), core_->options.cluster);
  const auto* node = std::get_if<std::string>(&proven);
  const auto why = node ? tunnel_refusal::wrong_node : std::get<tunnel_refusal>(proven);
  // To a stranger we don't say who we are; but who has come to us may know why that was in vain.
  if (side_ == side::dialler && (!node || *node != peer_->node))
    return finish(why,
      node ? "another node is there: " + *node : "its certificate: " + std::string{name_of(why)});
  begin_talk(node ? *node : "");
  node ? pump() : finish(why, std::string{name_of(why)});
}

void tunnel_link::begin_talk(const std::string& proven) {
  const auto& is = core_->options;
  talk_.emplace(
    side_, talk_rules{is.cluster, is.node, proven, is.within.heartbeat, is.within.silence_max});
  from_peer_.resize(peer_read_bytes);
}

/// A greeting has come, from a node that is what it says.
void tunnel_link::admit() {
  if (peer_) return; // asked already
  if (!core_->neighbours.may_connect(talk_->peer()))
    return finish(tunnel_refusal::not_a_member, "nobody knows it");
  peer_ = core_->peer(talk_->peer());
  const tcp::endpoint caf{asio::ip::address_v4::loopback(), core_->caf_port};
  caf_.async_connect(caf, on_done([this](error ec) {
    if (ec) return finish(tunnel_refusal::no_service, "our CAF does not answer: " + ec.message());
    if (state_ != state::greeting) return; // ended meanwhile
    prepare(caf_);
    talk_->welcome();
    come_up();
    pump();
  }));
}

void tunnel_link::come_up() {
  state_ = state::open;
  has_been_up_ = true;
  from_caf_.resize(limits::tunnel_frame_bytes_max);
  ++peer_->links;
  ++(side_ == side::dialler ? peer_->dialled : peer_->accepted);
  peer_->note({});
  if (side_ == side::listener) {
    core_->greeting.leave(this);
    // Its oldest is what a lost connection left behind.
    if (const auto oldest = core_->accepted.enter(peer_->node, shared_from_this()))
      oldest->cut(tunnel_refusal::crowded);
  }
  core_->say("tunnel.up", {{"peer", peer_->node}, {"direction", direction()}});
  on_heartbeat();
}
} // namespace jumun::cluster
