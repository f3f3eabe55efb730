#pragma once
#include <cstdio>
#include <cstdlib>

// On in every build, release too; for our own bugs, never for what a client, a disk or a network
// can cause.
namespace jumun {
[[noreturn]] inline void invariant_failed(
  const char* file, int line, const char* condition, const char* why) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s (%s)\n", file, line, condition, why);
  std::abort(); // a stopped node is recoverable, a wrong ledger is not
}
} // namespace jumun

#define JUMUN_INVARIANT(condition, why)                                                            \
  do {                                                                                             \
    if (!(condition)) [[unlikely]]                                                                 \
      ::jumun::invariant_failed(__FILE__, __LINE__, #condition, why);                              \
  } while (false)
