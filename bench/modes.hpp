#pragma once
#include "bench/stage.hpp"

/// Questions of their own, beside the throughput of a scenario: each fills its stage's row.
namespace jumun::bench {
void run_latency(stage& on, const options& o);
void run_overload(stage& on, const options& o);
void run_growth(stage& on, const options& o);
void run_storm(stage& on, const options& o);
void run_in_flight(stage& on, const options& o);
/// From `from` seconds on: when the first of some slices in a row begins whose worst latency is no
/// worse than `limit`; seconds behind `from`. Negative: never. Pure.
[[nodiscard]] double recovered_after(
  const std::vector<slice>& slices, double from, nanoseconds limit);

void run_start(stage& on, const options& o);
void run_cluster(stage& on, const options& o);
} // namespace jumun::bench
