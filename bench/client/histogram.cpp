#include "bench/client/histogram.hpp"
#include <algorithm>
#include <bit>
#include <cmath>

namespace jumun::bench {
namespace {
constexpr unsigned bits = 7; // 2^7 steps to an octave
constexpr std::uint64_t steps = 1U << bits;
constexpr std::uint64_t longest = (std::uint64_t{1} << 42) - 1;
constexpr std::size_t size = (42 - bits + 1) * steps;

/// Up to 2 * steps each value has a step of its own; above, each octave has `steps` of them.
std::size_t step_of(std::uint64_t value) {
  if (value < steps) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
  return shift * steps + (value >> shift);
}
/// The middle of the values that share a step.
std::uint64_t value_of(std::size_t step) {
  if (step < 2 * steps) return step;
  const auto shift = static_cast<unsigned>(step / steps - 1);
  const auto least = static_cast<std::uint64_t>(step - shift * steps) << shift;
  return least + (std::uint64_t{1} << shift) / 2;
}
} // namespace

histogram::histogram() : steps_(size) {}

void histogram::record(nanoseconds latency) {
  const auto value = std::clamp<std::uint64_t>(
    static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0)), 0, longest);
  ++steps_[step_of(value)];
  ++count_;
  sum_ += value;
  max_ = std::max(max_, static_cast<std::int64_t>(value));
}

void histogram::add(const histogram& other) {
  for (std::size_t i = 0; i < size; ++i) steps_[i] += other.steps_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

nanoseconds histogram::percentile(double share) const {
  if (count_ == 0) return {};
  const auto rank = std::clamp<std::uint64_t>(
    static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < size; ++i)
    if ((below += steps_[i]) >= rank)
      return nanoseconds{std::min(static_cast<std::int64_t>(value_of(i)), max_)};
  return max();
}

nanoseconds histogram::mean() const {
  return nanoseconds{count_ == 0 ? 0 : static_cast<std::int64_t>(sum_ / count_)};
}
} // namespace jumun::bench
