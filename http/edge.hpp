#pragma once
#include "http/admission.hpp"
#include "http/console/overview_hub.hpp"
#include "http/metrics.hpp"
#include "http/order_gate.hpp"
#include "http/ports.hpp"
#include "http/rate_limit.hpp"
#include "http/server_options.hpp"
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace jumun::http {
class session;

/// Who is connected, and from where. Thread-safe.
class roster {
public:
  explicit roster(const server_options& options) : options_{options} {}
  /// False: over a cap; then nothing was counted.
  [[nodiscard]] bool enter(listener on, const std::string& peer);
  void leave(listener on, const std::string& peer);
  void add(session* who, std::weak_ptr<session> handle);
  void remove(session* who);
  [[nodiscard]] std::vector<std::shared_ptr<session>> everyone() const;
  /// Sessions of the public listener; those that still compute an answer for a client that left,
  /// too.
  [[nodiscard]] std::size_t public_sessions() const;
  /// Calls `then` once, on the thread of the last to leave, when no public session is left.
  void when_empty(std::function<void()> then);

private:
  const server_options& options_;
  mutable std::mutex mutex_;
  std::map<session*, std::weak_ptr<session>> sessions_;
  std::unordered_map<std::string, std::size_t> per_peer_;
  std::size_t public_ = 0, ops_ = 0;
  std::function<void()> when_empty_;
};

/// Tells whoever waits on a client's behalf that the server goes down. Thread-safe.
class drain_signal {
public:
  /// Calls `then` once: at fire(), or at once when that was before. @returns for remove()
  std::uint64_t add(std::function<void()> then);
  void remove(std::uint64_t id);
  void fire();

private:
  std::mutex mutex_;
  bool fired_ = false;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::function<void()>> waiting_;
};

/// What all sessions and handlers of one server share. Lives as long as the last of them; the
/// io_context, the readers and the shop must live longer still.
struct edge {
  edge(boost::asio::io_context& io, boost::asio::thread_pool& readers, const ports& to,
    server_options with)
      : io{io}, readers{readers}, to{to}, inside{to.inside}, options{std::move(with)} {}

  boost::asio::io_context& io;
  boost::asio::thread_pool& readers; // for all that may wait for a disk
  const ports to;
  shop& inside; // the port that nearly every handler calls
  const server_options options;
  metrics counts;
  admission permits{options.requests_waiting_max, options.requests_per_principal, counts.waiting};
  order_gate entering{{options.orders_entering_min, permits.orders_max(), options.order_wait_target,
    [this] { return inside.commit_time(); }}};
  rate_limiter rates{options.rate_limit};
  admission readers_of_events{
    options.event_readers_max, options.event_readers_per_principal, counts.event_readers};
  overview_hub overview_readers{io};
  roster connected{options};
  drain_signal drain;
  std::atomic<std::size_t> owner_waiters = 0; // requests: see owner_patience
  std::atomic<bool> draining = false;         // readiness fails; each answer closes its connection
  std::atomic<bool> no_idle = false;          // and idle connections are closed
  std::atomic<bool> stopped = false; // nobody is left to be answered: nothing is tried again
  std::atomic<bool> started = false; // was ready once

  [[nodiscard]] std::uint64_t random() const;
};
} // namespace jumun::http
