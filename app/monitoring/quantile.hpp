#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace jumun::app {
/// Estimates a quantile from a histogram's counts: bucket i has what lies above `upper(i - 1)`, up
/// to `upper(i)`; within a bucket values are taken to be evenly spread, in the last one (which may
/// have no bound) to be at its lower end. NaN: nothing was counted. q in (0, 1].
template <class Counts, class Upper>
[[nodiscard]] double quantile(const Counts& in, Upper upper, double q) {
  double total = 0;
  for (const auto n : in) total += static_cast<double>(n);
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  double seen = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto here = static_cast<double>(in[i]);
    const double lower = i == 0 ? 0 : static_cast<double>(upper(i - 1));
    if (here > 0 && seen + here >= q * total) {
      if (i + 1 == in.size()) return lower;
      return lower + (static_cast<double>(upper(i)) - lower) * (q * total - seen) / here;
    }
    seen += here;
  }
  return static_cast<double>(upper(in.size() - 2));
}
} // namespace jumun::app
