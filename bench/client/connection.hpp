#pragma once
#include "bench/client/response.hpp"
#include "bench/client/schedule.hpp"
#include "bench/client/workload.hpp"
#include <boost/asio/ip/tcp.hpp>

namespace jumun::bench {
/// One kept-open connection with one request at a time, as lean as Asio allows: a write that is
/// tried at once, and one read.
class connection {
public:
  /// What it tells: the lane it belongs to.
  class owner {
  public:
    virtual ~owner() = default;
    virtual void on_answer(connection& by, const response& answer) = 0;
    /// It was closed, or the connect failed. With a request under way it stays unanswered.
    virtual void on_lost(connection& by) = 0;
    virtual void on_open(connection& by) = 0;
  };

  connection(boost::asio::io_context& on, owner& by) : socket_(on), owner_(by) {}
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void open(const boost::asio::ip::tcp::endpoint& at);
  /// @pre it is open, and nothing is under way. `text` is copied when it can't be sent at once.
  void send(std::string_view text);
  void close();

  boost::asio::ip::tcp::endpoint to; // where the lane opens it
  // The lane's notes on what is under way.
  asked about;
  clock::time_point meant{}; // when it was to be sent
  clock::time_point sent{};  // when it was
  bool waits = false;        // for an answer
  bool opened = false;

private:
  void read();
  void on_read(std::size_t bytes);
  void write_rest();
  void lose();

  boost::asio::ip::tcp::socket socket_;
  owner& owner_;
  response_reader in_;
  std::string rest_; // of a request that the socket had no room for
};
} // namespace jumun::bench
