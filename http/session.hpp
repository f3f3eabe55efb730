#pragma once
#include "http/exchange.hpp"
#include "transport/stream.hpp"
#include <chrono>

namespace jumun::http {
using transport::socket_strand;
using transport::stream;
using transport::tcp_socket;

/// One connection. Reads into one bounded buffer, checks each head itself (head_check.hpp), handles
/// one request at a time (further ones wait in the buffer: pipelining is answered in order and is
/// bounded by the buffer's 8 KiB, then by TCP), and writes each answer with one call. Everything
/// runs on the socket's strand; every read and write has a deadline; nothing blocks and nothing is
/// thrown out of it.
class session : public std::enable_shared_from_this<session> {
public:
  /// `peer` has been counted by roster::enter(); this gives it back. `tls`: null for plain HTTP.
  session(tcp_socket socket, std::shared_ptr<stream::tls_context> tls, std::shared_ptr<edge> at,
    listener on, std::string peer);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  // any thread
  void start();
  void answer(response r);
  void stream(response head, std::shared_ptr<endless_body> body);
  void close_if_idle();
  void cut();
  [[nodiscard]] const std::string& peer() const { return peer_; }

  // the session's strand, for an endless_body
  [[nodiscard]] socket_strand strand() { return socket_.get_executor(); }
  /// next() has more to say.
  void go_on();

private:
  enum class doing { greeting, idle, head, body, handling, writing, streaming, lingering, closed };
  using clock = std::chrono::steady_clock;

  void greet();
  void read();
  bool make_room();
  void on_read(boost::system::error_code ec, std::size_t bytes);
  void progress();
  void take_head(std::size_t bytes);
  void ask_for_body();
  void take_body();
  exchange_ptr hand_over();
  void refuse(const head_refused& why);
  void write();
  void on_written();
  void pump();
  void on_pumped(bool more);
  void watch_client();
  void end_body();
  void linger();
  void shut_down();
  void drop();
  void close();

  void expect_by(std::chrono::milliseconds from_now);
  void watch_clock();
  void on_deadline();
  void give_up(const char* why);
  template <class Step> auto guarded_step(Step step);

  [[nodiscard]] std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }

  http::stream stream_;
  tcp_socket& socket_{stream_.raw()};
  const std::shared_ptr<edge> at_;
  const listener on_;
  const std::string peer_;
  transport::strand_timer timer_;
  clock::time_point deadline_ = clock::time_point::max();
  clock::time_point armed_ = clock::time_point::max(); // when timer_ fires

  doing doing_ = doing::idle;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0; // what of it is unread
  std::size_t scanned_ = 0;         // bytes of unread() without a head's end
  exchange_ptr current_;            // while its body is read
  const char* late_ = nullptr;      // why the read that is under way is given up
  // of the request that is being answered
  bool head_only_ = false, http_1_0_ = false, keep_ = true;
  std::string out_;
  std::size_t written_ = 0;
  std::size_t dropped_ = 0; // bytes thrown away while lingering
  // of an answer that comes bit by bit
  std::shared_ptr<endless_body> body_;
  bool pumping_ = false; // a part is being written
};
} // namespace jumun::http
