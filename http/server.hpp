#pragma once
#include "http/metrics.hpp"
#include "http/ports.hpp"
#include "http/server_options.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <string>

namespace boost::asio {
class io_context;
class thread_pool;
} // namespace boost::asio

namespace jumun::transport {
class door;
}

namespace jumun::http {
struct edge;

/// The public and the ops listener. Sessions run on whatever threads run `io`; all that may wait
/// for a disk runs on `readers`. `io`, `readers` and all of `to` must outlive the server, every
/// session (so: stop the threads of `io` first), and every answer that they still owe.
class server {
public:
  server(boost::asio::io_context& io, boost::asio::thread_pool& readers, const ports& to,
    server_options options);
  /// stop()
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Answers a request that another node has checked and sent; `reply` is called exactly once, on
  /// any thread. Returns at once. Needs no listener.
  void take(forwarded_request r, done<forwarded_answer> reply);

  /// Binds and listens. @returns why it could not; then nothing is open.
  [[nodiscard]] std::optional<std::string> start();
  /// The bound ports; 0: not bound.
  [[nodiscard]] std::uint16_t public_port() const;
  [[nodiscard]] std::uint16_t ops_port() const;

  /// See server_options::rate_limit; in force from now on. Any thread.
  void set_rate_limit(std::uint32_t per_second);

  /// Readiness fails, waiting long polls are answered, each answer closes its connection; after
  /// drain_grace the public listener closes, and so do its idle connections. The ops listener goes
  /// on until stop().
  void begin_drain();
  /// Calls `then` once, on any thread, when no public session is left. After begin_drain(), and at
  /// best after its grace: before, more may come.
  void when_drained(std::function<void()> then);
  /// Closes everything, whoever waits. Needs `io` to run once more to take effect. Not at the same
  /// time as begin_drain().
  void stop();

  /// Public sessions that are open, or whose answer is still owed.
  [[nodiscard]] std::size_t sessions() const;
  [[nodiscard]] const metrics& counts() const;

private:
  const std::shared_ptr<edge> edge_;
  std::shared_ptr<transport::door> public_, ops_;
  std::unique_ptr<boost::asio::steady_timer> grace_; // from begin_drain() on
};
} // namespace jumun::http
