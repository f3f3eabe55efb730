#pragma once
#include "bench/report/figures.hpp"
#include <string>

namespace jumun::bench {
/// For people: a table of at most 120 columns, what was wrong, and the costs. Pure.
[[nodiscard]] std::string table_text(const whole_report& r);
/// For machines. Pure. Times in ms, sizes in bytes or MB as named, rates a second.
[[nodiscard]] std::string json_text(const whole_report& r);
} // namespace jumun::bench
