#pragma once
#include "bench/client/histogram.hpp"
#include "bench/client/schedule.hpp"
#include "bench/client/workload.hpp"
#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace jumun::bench {
using endpoint = boost::asio::ip::tcp::endpoint;

/// A load: connections that are kept open, each with one request at a time.
struct load_plan {
  endpoint at;
  std::vector<endpoint> spread; // connections go to each of these in turn; none: all to `at`
  unsigned connections = 64;
  unsigned threads = 1;
  /// Requests a second. 0: a closed loop, each connection asks as soon as it is answered. Else an
  /// open loop: requests are sent by a schedule, and a latency counts from the time on it. What is
  /// due while all connections wait goes out as soon as one is free, but not in the next phase.
  double rate = 0;
  /// An open loop whose rate changes: in place of `rate` and `length`; the warm-up is at the first.
  std::vector<phase> phases;
  /// So many requests, then it ends, before its time; 0: no such end.
  std::uint64_t requests = 0;
  std::chrono::duration<double> warmup{2};
  std::chrono::duration<double> length{10};
  /// How long the last answers are waited for.
  std::chrono::duration<double> patience{15};
  std::function<std::unique_ptr<workload>(unsigned thread)> make;
  /// Called on the caller's thread when the time that counts begins and when it is over, and about
  /// every 50 ms between.
  std::function<void()> on_begin, on_end;
  std::function<void(double seconds, double per_second)> on_progress;
};

/// A slice of the time that counts.
struct slice {
  std::uint64_t sent = 0;                  // really, not by the schedule
  std::uint64_t good = 0, turned_away = 0; // by the time of the answer
  nanoseconds worst{}; // of the good ones, by the time when they were to be asked
};
/// What came of one phase's requests.
struct phase_result {
  histogram latency, turned_away;
  histogram
    since_sent; // as latency, from when they were really sent: without the load's own lateness
  std::uint64_t unanswered = 0;
};
inline constexpr std::chrono::milliseconds slice_length{100};

struct load_result {
  double seconds = 0;           // that count
  histogram latency;            // of the good ones
  histogram turned_away;        // of 429 and 503, from when they were really sent
  std::uint64_t good = 0;       // in that time, as all below
  std::uint64_t failed = 0;     // other answers
  std::uint64_t unanswered = 0; // cut off, not answered within the patience, or left of a phase
  std::uint64_t sent = 0;
  std::vector<slice> slices;
  std::vector<phase_result> phases; // as in the plan
  tally seen;
  nanoseconds disk_worst{}; // the longest sync of a witness beside it; 0: there was none
  bool interrupted = false;
  std::string odd_end; // why it was given up

  std::uint64_t good_in_all = 0; // with the warm-up, and what came after the end

  /// Good answers that came in that time.
  [[nodiscard]] double per_second() const;
};

/// Runs it to its end, or to `interrupted()`. Blocks; threads of its own. Throws
/// std::runtime_error when it can't connect at all.
[[nodiscard]] load_result run_load(load_plan plan);
} // namespace jumun::bench
