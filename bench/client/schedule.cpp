#include "bench/client/schedule.hpp"
#include <utility>

namespace jumun::bench {
namespace {
clock::duration ticks(std::chrono::duration<double> d) {
  return std::chrono::duration_cast<clock::duration>(d);
}
} // namespace

schedule::schedule(
  clock::time_point begin, std::vector<phase> phases, unsigned first, unsigned stride)
    : phases_(std::move(phases)), begin_(begin), first_(first), stride_(stride), next_(first) {
  look();
}

void schedule::advance() {
  next_ += stride_;
  look();
}

bool schedule::too_late(clock::time_point now) const {
  return at_ + 1 < phases_.size() && phase_end() <= now;
}

clock::time_point schedule::phase_end() const { return begin_ + ticks(phases_[at_].length); }

/// Each time from the phase's begin: sums of gaps would drift.
void schedule::look() {
  for (;;) {
    const auto& p = phases_[at_];
    due_ = begin_ + ticks(std::chrono::duration<double>{static_cast<double>(next_) / p.per_second});
    const auto end = phase_end();
    if (due_ < end || at_ + 1 == phases_.size()) return;
    begin_ = end, next_ = first_, ++at_;
  }
}
} // namespace jumun::bench
