#pragma once

namespace jumun::bench {
/// From here on SIGINT and SIGTERM are only noted, so that everything is stopped and removed; a
/// second one ends the process.
void notice_interrupts();
[[nodiscard]] bool interrupted();
} // namespace jumun::bench
