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
  unsigned connections = 64;
  unsigned threads = 1;
  /// Requests a second. 0: a closed loop, each connection asks as soon as it is answered. Else an
  /// open loop: requests are sent by a schedule, and a latency counts from the time on it. What is
  /// due while all connections wait goes out as soon as one is free.
  double rate = 0;
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
  std::uint64_t good = 0, turned_away = 0;
  nanoseconds worst{}; // of the good ones
};
inline constexpr std::chrono::milliseconds slice_length{100};

struct load_result {
  double seconds = 0;           // that count
  histogram latency;            // of the good ones
  histogram turned_away;        // of 429 and 503
  std::uint64_t good = 0;       // in that time, as all below
  std::uint64_t failed = 0;     // other answers
  std::uint64_t unanswered = 0; // cut off, or not answered within the patience
  std::uint64_t sent = 0;
  std::vector<slice> slices; // by the time of the answer
  tally seen;
  bool interrupted = false;
  std::string odd_end; // why it was given up

  [[nodiscard]] double per_second() const {
    return seconds > 0 ? static_cast<double>(good) / seconds : 0;
  }
};

/// Runs it to its end, or to `interrupted()`. Blocks; threads of its own. Throws
/// std::runtime_error when it can't connect at all.
[[nodiscard]] load_result run_load(const load_plan& plan);
} // namespace jumun::bench
