#include "transport/door.hpp"
#include <boost/asio/dispatch.hpp>

namespace jumun::transport {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

door::door(asio::io_context& io, taking take)
    : io_{io}, take_{std::move(take)}, strand_{asio::make_strand(io)}, acceptor_{strand_},
      pause_{strand_} {}

std::optional<std::string> door::bind(const std::string& address, std::uint16_t port) {
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

void door::open() {
  asio::dispatch(strand_, [self = shared_from_this()] { self->accept(); });
}

void door::close() {
  asio::dispatch(strand_, [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
    self->pause_.cancel();
  });
}

void door::accept() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_accept(
    asio::make_strand(io_), [self = shared_from_this()](error_code ec, tcp_socket socket) {
      if (ec == asio::error::operation_aborted) return;
      if (ec) return self->accept_later();
      self->take_(std::move(socket));
      self->accept();
    });
}

/// Out of file descriptors, say: trying again at once would only burn the processor.
void door::accept_later() {
  pause_.expires_after(std::chrono::milliseconds{100});
  pause_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec) self->accept();
  });
}
} // namespace jumun::transport
