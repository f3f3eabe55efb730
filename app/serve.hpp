#pragma once
#include "app/config.hpp"

namespace jumun::app {
/// Serves until SIGTERM or SIGINT, then drains. Blocks. Prints the URLs and three lines to paste on
/// stdout, then `ready public=… ops=…`; everything else is the log on stderr.
[[nodiscard]] exit_code run_serve(const config& c);
/// `jumun check DIR`: findings and progress; failed_check when a promise is broken. Blocks; SIGINT
/// stops it.
[[nodiscard]] exit_code run_check(const config& c);
} // namespace jumun::app
