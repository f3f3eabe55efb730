#include "bench/server/proc.hpp"
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace jumun::bench {
std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

namespace {
/// The number behind `name` at the begin of a line.
std::uint64_t number_of(const std::string& text, std::string_view name) {
  auto at = text.starts_with(name) ? 0 : text.find("\n" + std::string{name});
  if (at == std::string::npos) return 0;
  at = text.find(':', at);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + 1, nullptr, 10);
}
/// utime and stime: fields 14 and 15, counted behind the name, which may have spaces.
double cpu_us_of(const std::string& stat) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  const char* at = stat.c_str() + name_end + 1;
  for (int field = 2; field < 13 && *at; ++field) at = at + 1 + std::string_view{at + 1}.find(' ');
  char* next = nullptr;
  const auto user = std::strtoull(at, &next, 10);
  const auto system = std::strtoull(next, nullptr, 10);
  return static_cast<double>(user + system) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}
} // namespace

proc_figures figures_of(pid_t pid) {
  const auto at = "/proc/" + std::to_string(pid);
  const auto io = read_file(at + "/io"), status = read_file(at + "/status");
  proc_figures f;
  f.cpu_us = cpu_us_of(read_file(at + "/stat"));
  f.reads = number_of(io, "syscr"), f.writes = number_of(io, "syscw");
  f.written = number_of(io, "wchar"), f.to_disk = number_of(io, "write_bytes");
  f.rss = number_of(status, "VmRSS") * 1024, f.rss_peak = number_of(status, "VmHWM") * 1024;
  std::error_code ec; // the process may end meanwhile
  for (std::filesystem::directory_iterator task{at + "/task", ec}, end; !ec && task != end;
       task.increment(ec)) {
    const auto of_thread = read_file(task->path() / "status");
    f.switches += number_of(of_thread, "voluntary_ctxt_switches")
                  + number_of(of_thread, "nonvoluntary_ctxt_switches");
  }
  return f;
}

void reset_rss_peak(pid_t pid) {
  std::ofstream{"/proc/" + std::to_string(pid) + "/clear_refs"} << "5";
}
} // namespace jumun::bench
