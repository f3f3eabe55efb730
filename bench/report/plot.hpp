#pragma once
#include "bench/report/figures.hpp"
#include <string>

namespace jumun::bench {
/// Latency against load as an SVG picture for light and dark pages: a panel for each row that has
/// steps of an open loop, with its p50 and p99 in ms on a logarithmic scale. Pure.
[[nodiscard]] std::string plot_svg(const whole_report& r);
} // namespace jumun::bench
