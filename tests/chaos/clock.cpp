// Preloaded into a process, this moves its wall clock by the seconds that stand in the file
// $JUMUN_CHAOS_CLOCK (eight bytes, as the machine writes them), at once when they change. Clocks
// that only rise stay as they are. libfaketime does not start in a process that brings its own
// jemalloc: this allocates nothing.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {
const std::atomic<std::int64_t>* ahead = nullptr; // in that file; null: there is none

[[gnu::constructor]] void open_clock() {
  const char* path = std::getenv("JUMUN_CHAOS_CLOCK");
  const int fd = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* at = ::mmap(nullptr, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) ahead = static_cast<const std::atomic<std::int64_t>*>(at);
  ::close(fd);
}
std::time_t seconds_ahead() { return ahead != nullptr ? ahead->load() : 0; }
} // namespace

extern "C" {
int clock_gettime(clockid_t which, timespec* now) noexcept {
  const auto failed = ::syscall(SYS_clock_gettime, which, now);
  if (failed == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
    now->tv_sec += seconds_ahead();
  return static_cast<int>(failed);
}
int gettimeofday(timeval* __restrict now, void* __restrict) noexcept {
  timespec exact{};
  const int failed = clock_gettime(CLOCK_REALTIME, &exact);
  *now = {exact.tv_sec, exact.tv_nsec / 1'000};
  return failed;
}
std::time_t time(std::time_t* out) noexcept {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  if (out != nullptr) *out = exact.tv_sec;
  return exact.tv_sec;
}
}
