#pragma once
#include "transport/stream.hpp"
#include <boost/asio/basic_socket_acceptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace jumun::transport {
/// One listening TCP socket, on a strand of its own. open() and close() may be called on any
/// thread; its handlers keep it alive.
class door : public std::enable_shared_from_this<door> {
public:
  /// Is given each socket, on the door's strand; the socket has a strand of its own. Must not
  /// throw.
  using taking = std::function<void(tcp_socket)>;
  door(boost::asio::io_context& io, taking take);

  /// Binds and listens; `port` 0: any. @returns why it can't. Before open().
  [[nodiscard]] std::optional<std::string> bind(const std::string& address, std::uint16_t port);
  /// The bound one.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void open();
  void close();

private:
  void accept();
  void accept_later();

  boost::asio::io_context& io_;
  const taking take_;
  socket_strand strand_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, socket_strand> acceptor_;
  strand_timer pause_;
  std::uint16_t port_ = 0;
};
} // namespace jumun::transport
