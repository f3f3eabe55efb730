#pragma once
#include "domain/ids.hpp"
#include "domain/saga.hpp"
#include <deque>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace jumun::domain {
struct breaker_settings {
  std::int64_t window_ms = 10'000; // failures are counted over this long
  unsigned failure_pct = 60;       // of the window's calls; from here on it opens
  std::size_t calls_min = 20;      // in the window, before it may open
  std::int64_t open_ms = 1'000;    // ×2 each time in a row, half of it jitter
  std::int64_t open_ms_max = 10'000;
  std::size_t in_flight_max = 4'096;
  std::int64_t drain_per_s = 500; // orders that were held, once the provider is back
  std::int64_t call_ms = 1'000;   // a call without an answer for so long has failed
};
enum class breaker_state : std::uint8_t { closed, open, half_open };
/// `closed`, `open`, `half-open`.
[[nodiscard]] std::string_view name_of(breaker_state s);

/// What can be seen of it.
struct breaker_figures {
  breaker_state state = breaker_state::closed;
  std::int64_t since_ms = 0;
  std::size_t calls = 0, failures = 0; // in the window
  std::size_t in_flight = 0;
  std::size_t waiting = 0;        // orders that were held back and have not come again
  std::int64_t next_probe_ms = 0; // open: when a call may pass; 0: not open
  std::uint64_t opened = 0;       // times, so far
  std::uint64_t held_back = 0;    // calls, so far
};

/// Circuit breaker, bulkhead and drain limit in front of one provider, as a pure state machine:
/// time and chance come in with each call. Not thread-safe.
///
/// closed → open when calls_min calls ended within the window and failure_pct of them failed; open
/// → half_open with the first call after the back-off; half_open → closed with the first answer, →
/// open with the first failure. A failure is a call that was not answered, or with "unknown"; a
/// decline is an answer. More failures of one order than limits::breaker_failures_each are its
/// card's matter and count no more. (M. Nygard, "Release It!", Circuit Breaker, Bulkheads.)
class breaker {
public:
  breaker(breaker_settings with, std::int64_t now_ms) : with_(with), since_ms_(now_ms) {}

  struct passed {
    std::uint64_t call = 0; // for answered()
  };
  /// The call must not be made: surely not asked.
  struct held {
    std::int64_t again_at_ms = 0; // held orders get different times, so that they come evenly
    std::string why;              // the same text for as long as the cause is the same
  };
  [[nodiscard]] std::variant<passed, held> ask(order_id about, context ctx);
  /// The call's answer. Later than its deadline, it is not counted any more.
  void answered(std::uint64_t call, bool failed, context ctx);
  [[nodiscard]] breaker_state state() const { return state_; }
  /// As it stands at `now`: overdue calls have failed.
  [[nodiscard]] breaker_figures look(context ctx);

private:
  struct call {
    order_id about;
    std::int64_t due_ms = 0;
    bool probe = false;
  };
  struct slice { // a tenth of the window
    std::int64_t start_ms = 0;
    std::size_t calls = 0, failures = 0;
    std::vector<order_id> failing;
  };
  void forget_old(std::int64_t now_ms);
  void fail_overdue(context ctx);
  void ended(const call& c, bool failed, context ctx);
  void count(order_id about, bool failed, std::int64_t now_ms);
  void open(context ctx);
  void close(std::int64_t now_ms);
  held hold(order_id about, std::int64_t not_before_ms, std::string why);
  [[nodiscard]] bool may_drain(std::int64_t now_ms);

  breaker_settings with_;
  breaker_state state_ = breaker_state::closed;
  std::int64_t since_ms_;
  std::int64_t open_until_ms_ = 0;
  std::int64_t silent_since_ms_ = 0; // the outage's begin, through probes that failed
  unsigned opened_in_a_row_ = 0;
  std::size_t probes_ = 0;
  std::uint64_t last_call_ = 0, opened_ = 0, held_back_ = 0;

  std::unordered_map<std::uint64_t, call> in_flight_;
  std::deque<std::pair<std::int64_t, std::uint64_t>> deadlines_; // in order: all of one length
  std::deque<slice> window_;
  std::size_t calls_ = 0, failures_ = 0; // sums of window_
  std::unordered_map<order_id, std::size_t> failing_;
  std::unordered_map<order_id, std::int64_t> waiting_; // order → when it was told to come again
  std::int64_t swept_ms_ = 0;
  std::int64_t slot_us_ = 0;  // the next free time to tell to an order that is held
  std::int64_t drain_us_ = 0; // when the next held order may pass (GCRA's arrival time)
};
} // namespace jumun::domain
