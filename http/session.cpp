#include "http/session.hpp"
#include "domain/invariant.hpp"
#include "http/fields.hpp"
#include "http/routes.hpp"
#include "http/wire.hpp"
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

namespace jumun::http {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr std::size_t buffer_bytes_min = 2 * 1024; // grows to limits::head_bytes_max
} // namespace

session::session(tcp_socket socket, std::shared_ptr<stream::tls_context> tls,
  std::shared_ptr<edge> at, listener on, std::string peer)
    : stream_{std::move(socket), std::move(tls)}, at_{std::move(at)}, on_{on},
      peer_{std::move(peer)}, timer_{socket_.get_executor()} {
  ++at_->counts.connections;
}

session::~session() {
  --at_->counts.connections;
  at_->connected.remove(this);
  at_->connected.leave(on_, peer_);
}

/// Wraps a completion handler's work: what it throws (memory, say) costs this connection, no other.
template <class Step> auto session::guarded_step(Step step) {
  return [self = shared_from_this(), step = std::move(step)](auto... args) mutable {
    try {
      if (self->doing_ != doing::closed) step(args...);
    } catch (...) {
      ++self->at_->counts.exceptions;
      self->close();
    }
  };
}

void session::start() {
  at_->connected.add(this, weak_from_this());
  asio::dispatch(socket_.get_executor(), guarded_step([this] {
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket_.non_blocking(true, ignored); // for the first try of each write
    buffer_.resize(buffer_bytes_min);
    stream_.is_tls() ? greet() : read();
  }));
}

/// The TLS handshake, in the time that a head has. What is no TLS ends it at once.
void session::greet() {
  doing_ = doing::greeting;
  expect_by(at_->options.head_read_max);
  const auto as = boost::asio::ssl::stream_base::server;
  stream_.async_handshake(as, guarded_step([this](error_code ec) {
    if (ec) return close();
    doing_ = doing::idle;
    read();
  }));
}

void session::read() {
  if (doing_ == doing::idle) {
    if (at_->no_idle && on_ == listener::on_public) return close();
    expect_by(at_->options.idle_max);
  }
  const bool room = make_room();
  JUMUN_INVARIANT(room, "a full buffer is refused before it is read into");
  stream_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
    guarded_step([this](error_code ec, std::size_t bytes) { on_read(ec, bytes); }));
}

/// False: the buffer is full of what is unread.
bool session::make_room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size() && begin_ > 0) {
    std::copy(
      buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.end(), buffer_.begin());
    end_ -= begin_, begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::min(buffer_.size() * 2, limits::head_bytes_max));
  return end_ < buffer_.size();
}

void session::on_read(error_code ec, std::size_t bytes) {
  if (late_) return refuse({&problems::request_timeout, late_});
  if (ec) return close(); // also in the middle of a request: there is nobody to answer
  end_ += bytes;
  progress();
}

/// Goes on with what is in the buffer, as far as that goes; then reads more.
void session::progress() {
  if (doing_ == doing::body) return take_body();
  const auto found = find_head_end(unread(), scanned_);
  if (found.state == head_end::bad)
    return refuse({&problems::bad_request, "a line must end in CR LF"});
  if (found.state == head_end::found) return take_head(found.bytes);
  if (unread().size() >= limits::head_bytes_max) return refuse(why_too_large(unread()));
  scanned_ = unread().size();
  if (doing_ == doing::idle && scanned_ > 0) {
    doing_ = doing::head;
    expect_by(at_->options.head_read_max);
  }
  read();
}

void session::take_head(std::size_t bytes) {
  auto ex = current_ = std::make_shared<exchange>(at_, on_);
  ex->head_bytes.assign(unread().substr(0, bytes));
  begin_ += bytes, scanned_ = 0;
  if (const auto why = check_head(ex->head_bytes, ex->head)) return refuse(*why);
  head_only_ = ex->head.method == "HEAD";
  http_1_0_ = ex->head.http_1_0;
  keep_ = ex->head.keep_alive;
  doing_ = doing::body;
  if (unread().size() < ex->head.content_length) expect_by(at_->options.body_read_max);
  if (ex->head.expects_continue && unread().empty()) return ask_for_body();
  take_body();
}

void session::ask_for_body() {
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.async_write(asio::buffer(go_on), guarded_step([this](error_code ec, std::size_t) {
    if (late_) return refuse({&problems::request_timeout, late_});
    ec ? close() : take_body();
  }));
}

void session::take_body() {
  auto& body = current_->body;
  const auto wanted = current_->head.content_length;
  if (body.empty()) body.reserve(std::min(wanted, unread().size() * 4)); // not by what is claimed
  const auto part = unread().substr(0, wanted - body.size());
  body.append(part);
  begin_ += part.size();
  if (body.size() < wanted) return read();
  dispatch(hand_over());
}

/// From here on the request has no deadline here: the inside has its own.
exchange_ptr session::hand_over() {
  doing_ = doing::handling;
  deadline_ = clock::time_point::max();
  auto ex = current_ ? std::exchange(current_, nullptr) : std::make_shared<exchange>(at_, on_);
  ex->hand_over(shared_from_this());
  return ex;
}

/// An answer without a route, and the end of the connection: where the next request would begin is
/// unknown.
void session::refuse(const head_refused& why) {
  ++at_->counts.heads_refused;
  keep_ = false;
  const auto ex = hand_over();
  ex->head = {}; // whatever it is, nobody has checked it
  ex->from.trace_id = new_trace(at_->random(), at_->random()).trace_id;
  send(ex, *why.kind, std::string{why.detail});
}

void session::answer(response r) {
  asio::dispatch(socket_.get_executor(), guarded_step([this, r = std::move(r)] {
    JUMUN_INVARIANT(doing_ == doing::handling, "one answer for each request, one at a time");
    if (at_->draining || r.last) keep_ = false;
    ++at_->counts.answered[std::min(r.status / 100, 5U)];
    out_ = wire_text(r, {head_only_, http_1_0_, keep_, stream_.is_tls()});
    written_ = 0;
    doing_ = doing::writing;
    write();
  }));
}

/// Most answers fit into the socket's buffer: then there is no handler, no timer and no second
/// pass.
void session::write() {
  error_code ec;
  written_ += stream_.write_some(asio::buffer(out_.data(), out_.size()), ec);
  if (ec && ec != asio::error::would_block && ec != asio::error::try_again) return close();
  if (written_ == out_.size()) return on_written();
  expect_by(at_->options.write_max);
  stream_.async_write(asio::buffer(out_.data() + written_, out_.size() - written_),
    guarded_step([this](error_code failed, std::size_t) { failed ? close() : on_written(); }));
}

void session::on_written() {
  std::string{}.swap(out_); // an idle connection holds its read buffer and no more
  if (!keep_) return linger();
  doing_ = doing::idle;
  head_only_ = http_1_0_ = false;
  if (unread().empty()) return read();
  // A pipelined request waits already. By way of the queue, so that others get their turn.
  expect_by(at_->options.idle_max);
  asio::post(socket_.get_executor(), guarded_step([this] { progress(); }));
}

// -- an answer without an end --------------------------------------------------------------------

void session::stream(response head, std::shared_ptr<endless_body> body) {
  auto begin = [this, head = std::move(head), body = std::move(body)]() mutable {
    JUMUN_INVARIANT(doing_ == doing::handling, "one answer for each request, one at a time");
    ++at_->counts.answered[std::min(head.status / 100, 5U)];
    head.endless = true;
    keep_ = keep_ && head_only_ && !at_->draining;
    out_ = wire_text(head, {head_only_, http_1_0_, keep_, stream_.is_tls()});
    written_ = 0;
    if (head_only_) {
      doing_ = doing::writing;
      return write();
    }
    doing_ = doing::streaming;
    body_ = std::move(body);
    error_code ignored; // a client that doesn't read fills this much of the kernel, and no more
    socket_.set_option(
      asio::socket_base::send_buffer_size{limits::event_reader_socket_bytes}, ignored);
    body_->begin(*this);
    watch_client();
    go_on();
  };
  asio::dispatch(socket_.get_executor(), guarded_step(std::move(begin)));
}

void session::go_on() {
  if (doing_ == doing::streaming && !pumping_) pump();
}

/// Writes what there is as one chunk (RFC 9112 §7.1), or as it is for HTTP/1.0.
void session::pump() {
  std::vector<asio::const_buffer> parts(1);
  const bool more = body_->next(parts);
  const auto bytes = asio::buffer_size(parts);
  if (bytes == 0 && more && out_.empty()) return;
  if (!http_1_0_) {
    if (bytes > 0) {
      char size[32];
      const int n = std::snprintf(size, sizeof size, "%zx\r\n", bytes);
      out_.append(size, static_cast<std::size_t>(n));
    }
    const std::string_view tail{bytes > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n"};
    const auto used = more ? tail.find('0') : tail.size(); // up to the last chunk, or with it
    parts.push_back(asio::buffer(tail.substr(0, used)));
  }
  parts.front() = asio::buffer(out_); // the head goes out with the first part
  pumping_ = true;
  expect_by(at_->options.write_max);
  stream_.async_write(parts, guarded_step([this, keep = body_, more](error_code ec, std::size_t) {
    ec ? close() : on_pumped(more);
  }));
}

void session::on_pumped(bool more) {
  pumping_ = false;
  deadline_ = clock::time_point::max();
  out_.clear();
  if (more) return go_on();
  end_body();
  // A TLS goodbye reads, and watch_client() does so already. The last chunk has said that it is
  // whole.
  stream_.is_tls() ? close() : linger();
}

/// Notices that the client has left. What it sends besides is left unread: no answer follows.
void session::watch_client() {
  if (!make_room()) return;
  stream_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
    guarded_step([this](error_code ec, std::size_t bytes) {
      if (ec) return close();
      end_ += bytes;
      if (doing_ == doing::streaming) watch_client();
    }));
}

void session::end_body() {
  if (const auto ended = std::exchange(body_, nullptr)) ended->closed();
}

/// Closing with unread bytes makes TCP throw the answer away (RFC 9112 §9.6): so stop sending, let
/// the client read, and drop what it still sends, within bounds.
void session::linger() {
  doing_ = doing::lingering;
  expect_by(at_->options.linger_max);
  if (!stream_.is_tls()) return shut_down();
  stream_.async_goodbye(guarded_step([this](error_code) { shut_down(); }));
}

void session::shut_down() {
  error_code ec;
  socket_.shutdown(tcp_socket::shutdown_send, ec);
  if (ec) return close();
  drop();
}

void session::drop() {
  buffer_.resize(std::max(buffer_.size(), buffer_bytes_min));
  socket_.async_read_some(
    asio::buffer(buffer_), guarded_step([this](error_code ec, std::size_t bytes) {
      dropped_ += bytes;
      ec || dropped_ > at_->options.linger_bytes_max ? close() : drop();
    }));
}

void session::close() {
  if (doing_ == doing::closed) return;
  doing_ = doing::closed;
  current_ = nullptr;
  end_body();
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

void session::close_if_idle() {
  asio::dispatch(socket_.get_executor(), guarded_step([this] {
    if (doing_ == doing::idle && on_ == listener::on_public && unread().empty()) close();
  }));
}

void session::cut() {
  asio::dispatch(socket_.get_executor(), guarded_step([this] { close(); }));
}

// -- deadlines ----------------------------------------------------------------------------------

/// Deadlines mostly move to later: then the timer is left alone, and looks again when it fires. A
/// busy connection sets it once in idle_max.
void session::expect_by(std::chrono::milliseconds from_now) {
  deadline_ = clock::now() + from_now;
  if (deadline_ < armed_) watch_clock();
}

void session::watch_clock() {
  armed_ = deadline_;
  timer_.expires_at(armed_);
  timer_.async_wait(guarded_step([this](error_code ec) {
    if (!ec) on_deadline();
  }));
}

void session::on_deadline() {
  armed_ = clock::time_point::max();
  if (deadline_ == clock::time_point::max()) return;
  if (clock::now() < deadline_) return watch_clock();
  switch (doing_) {
    case doing::head: return give_up("the header did not come in time");
    case doing::body: return give_up("the body did not come in time");
    case doing::writing: ++at_->counts.cut; return close();
    case doing::streaming: ++at_->counts.event_readers_cut; return close();
    case doing::greeting:
    case doing::idle:
    case doing::lingering: return close();
    case doing::handling:
    case doing::closed: return;
  }
}

/// The read that is under way must end before another one begins: on_read() then refuses.
void session::give_up(const char* why) {
  late_ = why;
  error_code ignored;
  socket_.cancel(ignored);
}
} // namespace jumun::http
