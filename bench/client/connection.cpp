#include "bench/client/connection.hpp"
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace jumun::bench {
namespace asio = boost::asio;
using boost::system::error_code;

void connection::open(const asio::ip::tcp::endpoint& at) {
  in_.clear();
  socket_.async_connect(at, [this](error_code ec) {
    if (ec == asio::error::operation_aborted) return;
    if (ec) return lose();
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket_.non_blocking(true, ignored);
    opened = true;
    read();
    owner_.on_open(*this);
  });
}

void connection::send(std::string_view text) {
  waits = true;
  error_code ec;
  const auto sent = socket_.write_some(asio::buffer(text.data(), text.size()), ec);
  if (ec && ec != asio::error::would_block) return; // the read sees it, too
  if (sent == text.size()) return;
  rest_ = text.substr(sent);
  write_rest();
}

void connection::write_rest() {
  asio::async_write(socket_, asio::buffer(rest_), [](error_code, std::size_t) {});
}

void connection::read() {
  const auto room = in_.room();
  socket_.async_read_some(
    asio::buffer(room.data(), room.size()), [this](error_code ec, std::size_t bytes) {
      if (ec == asio::error::operation_aborted) return;
      ec ? lose() : on_read(bytes);
    });
}

void connection::on_read(std::size_t bytes) {
  in_.took(bytes);
  response answer;
  switch (in_.next(answer)) {
    case response_reader::state::broken: return lose();
    case response_reader::state::more: return read();
    case response_reader::state::whole: break;
  }
  if (!waits) return lose(); // an answer that nobody asked for
  waits = false;
  const bool keeps = answer.keeps;
  // What the owner sends next is read by the same read below: it is one for each answer.
  if (!keeps) opened = false;
  owner_.on_answer(*this, answer);
  in_.drop();
  if (!keeps) return lose();
  if (opened) read();
}

void connection::lose() {
  close();
  owner_.on_lost(*this);
}

void connection::close() {
  opened = false;
  error_code ignored;
  socket_.close(ignored);
}
} // namespace jumun::bench
