#include "bench/progress.hpp"
#include <cstdio>
#include <unistd.h>

namespace jumun::bench {
namespace {
bool on_terminal() {
  static const bool is = ::isatty(STDERR_FILENO) == 1;
  return is;
}
constexpr double tell_pause_seconds = 5; // where lines stay
} // namespace

void progress::show(const std::string& text) {
  std::fprintf(stderr, on_terminal() ? "\r\x1b[K%s" : "%s\n", text.c_str());
  std::fflush(stderr);
}
void progress::step(const std::string& what) {
  what_ = what, told_at_ = 0;
  show(what);
}
void progress::at(double seconds, double of, double per_second) {
  if (seconds - told_at_ < (on_terminal() ? 0.5 : tell_pause_seconds)) return;
  told_at_ = seconds;
  char text[64];
  std::snprintf(text, sizeof text, ": %.0f of %.0f s, %.0f/s", seconds, of, per_second);
  show(what_ + text);
}
void progress::clear() {
  if (on_terminal()) std::fputs("\r\x1b[K", stderr);
}
} // namespace jumun::bench
