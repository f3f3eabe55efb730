#pragma once
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>

namespace jumun::transport {
using socket_strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, socket_strand>;
using strand_timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
  boost::asio::wait_traits<std::chrono::steady_clock>, socket_strand>;

/// A connection's bytes, plain or by TLS: one branch for each operation, and nothing else between a
/// plain connection and its socket. Used on the socket's strand only; at most one read and one
/// write at a time.
class stream {
public:
  using tls_context = boost::asio::ssl::context;
  /// `tls`: null for a plain one.
  stream(tcp_socket socket, std::shared_ptr<tls_context> tls)
      : socket_{std::move(socket)}, context_{std::move(tls)} {
    if (context_) tls_ = std::make_unique<tls_stream>(socket_, *context_);
  }

  stream(const stream&) = delete; // the TLS layer refers to the socket: it stays where it is
  stream& operator=(const stream&) = delete;

  [[nodiscard]] tcp_socket& raw() { return socket_; }
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }

  /// Null for a plain one.
  [[nodiscard]] SSL* tls() { return tls_ ? tls_->native_handle() : nullptr; }

  template <class Done>
  void async_handshake(boost::asio::ssl::stream_base::handshake_type as, Done done) {
    tls_->async_handshake(as, std::move(done));
  }
  /// Says that no more comes, and waits for the other side to say so, too.
  template <class Done> void async_goodbye(Done done) { tls_->async_shutdown(std::move(done)); }

  template <class Buffer, class Done> void async_read_some(const Buffer& into, Done done) {
    if (tls_) return tls_->async_read_some(into, std::move(done));
    socket_.async_read_some(into, std::move(done));
  }
  /// What can be written at once; maybe nothing, with would_block.
  template <class Buffer>
  std::size_t write_some(const Buffer& from, boost::system::error_code& ec) {
    if (!tls_) return socket_.write_some(from, ec);
    ec = boost::asio::error::would_block; // a record that is written by half would be lost
    return 0;
  }
  template <class Buffer, class Done> void async_write(const Buffer& from, Done done) {
    if (tls_) return boost::asio::async_write(*tls_, from, std::move(done));
    boost::asio::async_write(socket_, from, std::move(done));
  }

private:
  using tls_stream = boost::asio::ssl::stream<tcp_socket&>;
  tcp_socket socket_;
  std::shared_ptr<tls_context> context_; // the stream's rules live in it
  std::unique_ptr<tls_stream> tls_;
};
} // namespace jumun::transport
