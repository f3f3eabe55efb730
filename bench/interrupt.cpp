#include "bench/interrupt.hpp"
#include <atomic>
#include <csignal>

namespace jumun::bench {
namespace {
std::atomic<bool> noted{false};
}

void notice_interrupts() {
  const auto note = [](int signal) {
    noted = true;
    std::signal(signal, SIG_DFL);
  };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
  std::signal(SIGPIPE, SIG_IGN);
}
bool interrupted() { return noted; }
} // namespace jumun::bench
