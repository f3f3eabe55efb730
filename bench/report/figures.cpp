#include "bench/report/figures.hpp"
#include <fstream>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace jumun::bench {
latency_figures figures_of(const histogram& h) {
  const auto ms = [](nanoseconds t) { return static_cast<double>(t.count()) / 1e6; };
  return {ms(h.percentile(0.5)), ms(h.percentile(0.9)), ms(h.percentile(0.99)),
    ms(h.percentile(0.999)), ms(h.max())};
}

machine this_machine() {
  machine m;
  m.cores = std::thread::hardware_concurrency();
  m.memory_gb = static_cast<double>(::sysconf(_SC_PHYS_PAGES))
                * static_cast<double>(::sysconf(_SC_PAGE_SIZE)) / (1 << 30);
  ::utsname name{};
  if (::uname(&name) == 0) m.kernel = std::string{name.sysname} + " " + name.release;
  std::ifstream cpus{"/proc/cpuinfo"};
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name")) {
      m.cpu = line.substr(std::min(line.size(), line.find(": ") + 2));
      break;
    }
  return m;
}
} // namespace jumun::bench
