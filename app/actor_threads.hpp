#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <caf/detail/simple_actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace jumun::app {
/// CAF's jobs on threads of their own; or, where they are to share the edge's, on those while it
/// runs, between its own handlers: the hand-over from a request to its actors is then a call, and
/// wakes nobody (ADR 0013), but a thread that is full of orders comes late to its sockets (0026).
///
/// Made by CAF, by `factory`. enqueue() is thread-safe, the rest is called by who owns the system.
class actor_threads final : public caf::scheduler::abstract_coordinator {
public:
  /// For actor_system_config::module_factories. `own`: threads of its own, 1 or more.
  [[nodiscard]] static std::function<caf::actor_system::module*(caf::actor_system&)> factory(
    std::size_t own);
  actor_threads(caf::actor_system& system, std::size_t own);
  ~actor_threads() override;

  /// From now on jobs go to `edge`, which must be run by threads until leave() was called.
  void share(boost::asio::io_context& edge);
  /// From now on they go to threads of our own. What `edge` has by now, it must still run: its
  /// run() doesn't return before. Waits for those that are just handing over a job.
  void leave();

  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override;

protected:
  void start() override;
  void stop() override;

private:
  class unit;
  class timers;
  void post(boost::asio::io_context& to, caf::resumable* job);
  void run(boost::asio::io_context& on, caf::resumable* job);

  const std::size_t own_;
  boost::asio::io_context ours_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
    ours_.get_executor()};
  std::atomic<boost::asio::io_context*> at_{&ours_};
  std::atomic<int> handing_over_{0}; // threads between reading `at_` and having posted
  std::unique_ptr<timers> timers_;
  std::vector<std::thread> threads_;
};
} // namespace jumun::app
