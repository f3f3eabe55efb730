#include "http/server.hpp"
#include "http/session.hpp"
#include <boost/asio/dispatch.hpp>

namespace jumun::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// One listening socket, on a strand of its own.
class accepting : public std::enable_shared_from_this<accepting> {
public:
  accepting(std::shared_ptr<edge> at, listener on)
      : at_{std::move(at)}, on_{on}, tls_{on == listener::on_ops ? at_->to.ops_tls
                                                                 : at_->to.public_tls},
        strand_{asio::make_strand(at_->io)}, acceptor_{strand_}, pause_{strand_} {}

  std::optional<std::string> bind(const std::string& address, std::uint16_t port) {
    error_code ec;
    const auto ip = asio::ip::make_address(address, ec);
    if (ec) return "not an IP address: " + address;
    const tcp::endpoint here{ip, port};
    acceptor_.open(here.protocol(), ec);
    if (!ec) acceptor_.set_option(asio::socket_base::reuse_address{true}, ec);
    if (!ec) acceptor_.bind(here, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (!ec) port_ = acceptor_.local_endpoint(ec).port();
    if (ec) return "cannot listen on " + address + ':' + std::to_string(port) + ": " + ec.message();
    return {};
  }

  void start() {
    asio::dispatch(strand_, [self = shared_from_this()] { self->accept(); });
  }
  void close() {
    asio::dispatch(strand_, [self = shared_from_this()] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
    });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

private:
  void accept() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_accept(
      asio::make_strand(at_->io), [self = shared_from_this()](error_code ec, tcp_socket socket) {
        if (ec == asio::error::operation_aborted) return;
        if (ec) return self->accept_later();
        self->take(std::move(socket));
        self->accept();
      });
  }
  /// Out of file descriptors, say: trying again at once would only burn the processor.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec) self->accept();
    });
  }
  void take(tcp_socket socket) {
    error_code ec;
    const auto from = socket.remote_endpoint(ec);
    if (ec) return; // gone already
    try {
      auto peer = from.address().to_string();
      ++at_->counts.accepted;
      if (!at_->connected.enter(on_, peer)) {
        ++at_->counts.turned_away;
        return;
      }
      std::make_shared<session>(
        std::move(socket), tls_ ? tls_->current() : nullptr, at_, on_, std::move(peer))
        ->start();
    } catch (...) {
      ++at_->counts.exceptions; // this connection is lost, the listener goes on
    }
  }

  const std::shared_ptr<edge> at_;
  const listener on_;
  const tls_slot* const tls_; // null: plain
  socket_strand strand_;
  asio::basic_socket_acceptor<tcp, socket_strand> acceptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
    asio::wait_traits<std::chrono::steady_clock>, socket_strand>
    pause_;
  std::uint16_t port_ = 0;
};

server::server(
  asio::io_context& io, asio::thread_pool& readers, const ports& to, server_options options)
    : edge_{std::make_shared<edge>(io, readers, to, std::move(options))} {}

server::~server() { stop(); }

std::optional<std::string> server::start() {
  const auto& o = edge_->options;
  auto for_all = std::make_shared<accepting>(edge_, listener::on_public);
  auto for_ops = o.ops ? std::make_shared<accepting>(edge_, listener::on_ops) : nullptr;
  if (auto why = for_all->bind(o.public_address, o.public_port)) return why;
  if (for_ops)
    if (auto why = for_ops->bind(o.ops_address, o.ops_port)) return why;
  public_ = std::move(for_all), ops_ = std::move(for_ops);
  public_->start();
  if (ops_) ops_->start();
  return {};
}

std::uint16_t server::public_port() const { return public_ ? public_->port() : 0; }
std::uint16_t server::ops_port() const { return ops_ ? ops_->port() : 0; }

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
  if (grace_) grace_->cancel(); // or `io` would run on until its end
  for (const auto& a : {public_, ops_})
    if (a) a->close();
  for (const auto& s : edge_->connected.everyone()) s->cut();
}

std::size_t server::sessions() const { return edge_->connected.public_sessions(); }
const metrics& server::counts() const { return edge_->counts; }
} // namespace jumun::http
