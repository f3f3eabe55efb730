#pragma once
#include "app/monitoring/families.hpp"

namespace jumun::app {
/// process_* by the names of Prometheus' own client libraries, from /proc (proc(5)). What can't be
/// read is left out.
void add_process_figures(families& to);
} // namespace jumun::app
