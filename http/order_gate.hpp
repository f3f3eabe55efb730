#pragma once
#include "domain/limits.hpp"
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace jumun::http {
/// How many new orders may be on their way to being accepted, so that none of them waits much
/// longer than wanted, and the others are told at once. By Little's law (L = λW; J. D. C. Little,
/// "A Proof for the Queuing Formula L = λW", 1961) a crowd of L that is served λ a second waits for
/// W: so L is what was served lately, times the wait that we want. `least` are always let in: an
/// idle server has no λ yet, and must refuse nobody. ADR 0015 says why it is not a gradient or
/// Vegas.
///
/// The wait is that for acceptance, not for the end of a saga: an order that waits for its payment
/// keeps nobody else waiting. Thread-safe; never blocks; knows no clock but the times it is given.
class order_gate {
public:
  using clock = std::chrono::steady_clock;
  struct settings {
    std::size_t least = limits::orders_entering_min;
    std::size_t most = limits::requests_waiting_max;
    std::chrono::microseconds wait = limits::order_wait_target;
    /// How long a commit takes while there is no crowd: an order waits for the one under way and
    /// for its own, however empty the server is. Asked by enter(), ten times a second; empty: no
    /// time.
    std::function<std::chrono::microseconds()> commit = {};
  };
  explicit order_gate(settings how) : how_{std::move(how)}, limit_{clamped(0)} {}

  /// One order on its way: counts until it leaves, or this is destroyed.
  class pass {
  public:
    pass() = default;
    pass(pass&& other) noexcept : of_{std::exchange(other.of_, nullptr)} {}
    pass& operator=(pass&& other) noexcept {
      if (this != &other) give_up(), of_ = std::exchange(other.of_, nullptr);
      return *this;
    }
    ~pass() { give_up(); }
    /// It got its answer from the inside: that is what λ counts. Once; later calls do nothing.
    void served() {
      if (of_) std::exchange(of_, nullptr)->leave(true);
    }

  private:
    friend class order_gate;
    void give_up() noexcept {
      if (of_) std::exchange(of_, nullptr)->leave(false);
    }
    order_gate* of_ = nullptr;
  };

  /// False: too many are on their way, and nothing was counted.
  [[nodiscard]] bool enter(clock::time_point now, pass& out);
  [[nodiscard]] std::size_t inside() const { return inside_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }

private:
  void leave(bool served);
  void look(clock::time_point now);
  void adapt(clock::time_point now);
  [[nodiscard]] std::size_t clamped(double permits) const;

  const settings how_;
  std::atomic<std::size_t> inside_ = 0, limit_;
  std::atomic<std::uint64_t> served_ = 0;  // since the window began
  std::atomic<clock::rep> window_end_ = 0; // 0: none has begun
  std::mutex adapting_;                    // one at a time; nobody waits for it
  clock::time_point window_begin_{};       // guarded by it, as below
  double per_second_ = 0;
};
} // namespace jumun::http
