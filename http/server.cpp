#include "http/server.hpp"
#include "http/forwarding.hpp"
#include "http/session.hpp"
#include "transport/door.hpp"

namespace jumun::http {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {
/// What becomes of a socket that has been accepted.
void take(const std::shared_ptr<edge>& at, listener on, tcp_socket socket) {
  error_code ec;
  const auto from = socket.remote_endpoint(ec);
  if (ec) return; // gone already
  try {
    auto peer = from.address().to_string();
    ++at->counts.accepted;
    if (!at->connected.enter(on, peer)) {
      ++at->counts.turned_away;
      return;
    }
    const auto* tls = on == listener::on_ops ? at->to.ops_tls : at->to.public_tls; // null: plain
    std::make_shared<session>(
      std::move(socket), tls ? tls->current() : nullptr, at, on, std::move(peer))
      ->start();
  } catch (...) {
    ++at->counts.exceptions; // this connection is lost, the listener goes on
  }
}
std::shared_ptr<transport::door> door_of(const std::shared_ptr<edge>& at, listener on) {
  return std::make_shared<transport::door>(
    at->io, [at, on](tcp_socket socket) { take(at, on, std::move(socket)); });
}

} // namespace

server::server(
  asio::io_context& io, asio::thread_pool& readers, const ports& to, server_options options)
    : edge_{std::make_shared<edge>(io, readers, to, std::move(options))} {}

server::~server() { stop(); }

void server::take(forwarded_request r, done<forwarded_answer> reply) {
  take_forwarded(edge_, std::move(r), std::move(reply));
}

std::optional<std::string> server::start() {
  const auto& o = edge_->options;
  auto for_all = door_of(edge_, listener::on_public);
  auto for_ops = o.ops ? door_of(edge_, listener::on_ops) : nullptr;
  if (auto why = for_all->bind(o.public_address, o.public_port)) return why;
  if (for_ops)
    if (auto why = for_ops->bind(o.ops_address, o.ops_port)) return why;
  public_ = std::move(for_all), ops_ = std::move(for_ops);
  public_->open();
  if (ops_) ops_->open();
  return {};
}

std::uint16_t server::public_port() const { return public_ ? public_->port() : 0; }
std::uint16_t server::ops_port() const { return ops_ ? ops_->port() : 0; }

void server::set_rate_limit(std::uint32_t per_second) { edge_->rates.set(per_second); }

void server::begin_drain() {
  if (edge_->draining.exchange(true)) return;
  edge_->drain.fire();
  grace_ = std::make_unique<asio::steady_timer>(edge_->io, edge_->options.drain_grace);
  grace_->async_wait([at = edge_, acceptor = public_](error_code ec) {
    if (ec) return;
    if (acceptor) acceptor->close();
    at->no_idle = true;
    for (const auto& s : at->connected.everyone()) s->close_if_idle();
  });
}

void server::when_drained(std::function<void()> then) {
  edge_->connected.when_empty(std::move(then));
}

void server::stop() {
  edge_->stopped = true;
  if (grace_) grace_->cancel(); // or `io` would run on until its end
  for (const auto& a : {public_, ops_})
    if (a) a->close();
  for (const auto& s : edge_->connected.everyone()) s->cut();
  edge_->drain
    .fire(); // whoever waits for something to happen, for a node say: its timer holds `io`
}

std::size_t server::sessions() const { return edge_->connected.public_sessions(); }
const metrics& server::counts() const { return edge_->counts; }
} // namespace jumun::http
