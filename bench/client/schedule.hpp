#pragma once
#include <chrono>
#include <cstdint>
#include <vector>

namespace jumun::bench {
using clock = std::chrono::steady_clock;

/// A part of an open loop, at one rate.
struct phase {
  std::chrono::duration<double> length{};
  double per_second = 0;
};

/// When an open loop means to send its requests: at fixed rates, whatever the server does. What a
/// stalled server makes late is still counted from here (Gil Tene's coordinated omission).
class schedule {
public:
  /// Every `stride`-th request, beginning with number `first` of each phase: a thread's share. The
  /// last phase goes on for ever.
  schedule(
    clock::time_point begin, std::vector<phase> phases, unsigned first = 0, unsigned stride = 1);

  /// When the next request is meant to be sent.
  [[nodiscard]] clock::time_point due() const { return due_; }
  void advance();
  /// It was due in a phase that is over, and is not the last.
  [[nodiscard]] bool too_late(clock::time_point now) const;

private:
  void look();
  [[nodiscard]] clock::time_point phase_end() const;
  std::vector<phase> phases_;
  std::size_t at_ = 0;      // the phase
  clock::time_point begin_; // of the phase
  unsigned first_, stride_;
  std::uint64_t next_; // in the phase
  clock::time_point due_;
};
} // namespace jumun::bench
