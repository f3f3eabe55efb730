#include "domain/planted.hpp"
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <sys/mman.h>

// Linked into test binaries alone; the product has neither this nor what calls it.
namespace jumun::planted {
namespace {
struct row {
  bug which;
  std::string_view name;
};
constexpr row all[] = {
#define JUMUN_ROW(name, what) {bug::name, #name},
  JUMUN_PLANTED_BUG_LIST(JUMUN_ROW)
#undef JUMUN_ROW
};
using counter = std::atomic<std::uint64_t>;
counter& reached() {
  // Shared with the workers that are forked from here: they end without a word.
  static auto* const n = new (::mmap(nullptr, sizeof(counter), PROT_READ | PROT_WRITE,
    MAP_SHARED | MAP_ANONYMOUS, -1, 0)) counter{0};
  return *n;
}

/// At the end: was the process ever where the bug is? If not, no checker could have seen it.
void say_how_often() {
  std::fprintf(stderr, "\nplanted: %s was reached %llu times\n", std::getenv("JUMUN_PLANT"),
    static_cast<unsigned long long>(reached().load()));
}

bug chosen() {
  const auto* name = std::getenv("JUMUN_PLANT");
  if (!name || !*name) return bug::none;
  for (const auto& r : all)
    if (r.name == name) {
      (void)reached();
      std::atexit(say_how_often);
      return r.which;
    }
  std::fprintf(stderr, "planted: there is no bug of the name %s; see domain/planted.hpp\n", name);
  std::_Exit(64);
}
const bug now = chosen(); // before main(), so that a wrong name fails whatever the test does
} // namespace

bool active(bug b) {
  if (b != now) return false;
  reached().fetch_add(1, std::memory_order_relaxed);
  return true;
}
} // namespace jumun::planted
