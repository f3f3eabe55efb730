#include "app/monitoring/process_figures.hpp"
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/resource.h>
#include <unistd.h>

namespace jumun::app {
namespace {
/// Fields of /proc/self/stat behind the program's name, which may hold anything but its last ')'.
std::vector<double> stat_fields() {
  std::ifstream in{"/proc/self/stat"};
  std::string line;
  std::getline(in, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos || name_end + 3 > line.size()) return {};
  std::istringstream rest{line.substr(name_end + 3)}; // ") S ": the state is a letter
  std::vector<double> out;
  for (double n = 0; rest >> n;) out.push_back(n);
  return out;
}

/// Unix time at which the machine started.
std::optional<double> boot_time() {
  std::ifstream in{"/proc/stat"};
  for (std::string word; in >> word;)
    if (double at = 0; word == "btime" && in >> at) return at;
  return {};
}

std::optional<double> open_files() {
  std::error_code failed;
  double n = -1; // the folder's own handle
  for (std::filesystem::directory_iterator at{"/proc/self/fd", failed}, end; !failed && at != end;
       at.increment(failed))
    ++n;
  return failed ? std::nullopt : std::optional{n};
}
} // namespace

void add_process_figures(families& to) {
  // proc(5), counted from the field behind the state: utime 14, stime 15, num_threads 20,
  // starttime 22, vsize 23, rss 24.
  const auto stat = stat_fields();
  const auto field = [&stat](std::size_t number) { return stat[number - 4]; };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (stat.size() > 20) {
    to.counter("process_cpu_seconds_total", "Processor time used, user and system.")
      .value((field(14) + field(15)) / ticks);
    to.gauge("process_threads", "Threads of this process.").value(field(20));
    to.gauge("process_virtual_memory_bytes", "Address space in use.").value(field(23));
    to.gauge("process_resident_memory_bytes", "Memory in use (RSS).")
      .value(field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    if (const auto booted = boot_time())
      to.gauge("process_start_time_seconds", "Unix time at which this process started.")
        .value(*booted + field(22) / ticks);
  }
  if (const auto n = open_files())
    to.gauge("process_open_fds", "File descriptors in use.").value(*n);
  rlimit most{};
  if (::getrlimit(RLIMIT_NOFILE, &most) == 0)
    to.gauge("process_max_fds", "File descriptors allowed.").value(most.rlim_cur);
}
} // namespace jumun::app
