#include "bench/server/syscall_counter.hpp"
#include "bench/server/proc.hpp"
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jumun::bench {
namespace {
namespace fs = std::filesystem;

struct tracepoint {
  const char *kind, *path;
};
constexpr std::array tracepoints{tracepoint{"all", "raw_syscalls/sys_enter"},
  tracepoint{"send", "syscalls/sys_enter_sendmsg"}, tracepoint{"send", "syscalls/sys_enter_sendto"},
  tracepoint{"receive", "syscalls/sys_enter_recvmsg"},
  tracepoint{"receive", "syscalls/sys_enter_recvfrom"},
  tracepoint{"epoll_wait", "syscalls/sys_enter_epoll_wait"},
  tracepoint{"epoll_wait", "syscalls/sys_enter_epoll_pwait"},
  tracepoint{"futex", "syscalls/sys_enter_futex"}, tracepoint{"write", "syscalls/sys_enter_write"},
  tracepoint{"write", "syscalls/sys_enter_pwrite64"},
  tracepoint{"sync", "syscalls/sys_enter_fdatasync"},
  tracepoint{"sync", "syscalls/sys_enter_fsync"}};

std::string tracefs() {
  for (const auto* at : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"})
    if (!read_file(fs::path{at} / "events/raw_syscalls/sys_enter/id").empty()) return at;
  return {};
}

int open_event(const std::string& id, pid_t thread) {
  ::perf_event_attr what{};
  what.size = sizeof what;
  what.type = PERF_TYPE_TRACEPOINT;
  what.config = std::strtoull(id.c_str(), nullptr, 10);
  what.inherit = 1;
  return static_cast<int>(
    ::syscall(SYS_perf_event_open, &what, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
}
} // namespace

std::variant<std::string, syscall_counter> syscall_counter::attach(pid_t pid) {
  const auto at = tracefs();
  if (at.empty()) return "no tracefs that can be read at /sys/kernel/tracing: needs root";
  syscall_counter counter;
  std::error_code ec;
  for (const auto& thread : fs::directory_iterator{"/proc/" + std::to_string(pid) + "/task", ec})
    for (const auto& t : tracepoints) {
      const auto id = read_file(fs::path{at} / "events" / t.path / "id");
      if (id.empty()) continue; // another kernel, another set of calls
      const int fd = open_event(id, std::atoi(thread.path().filename().c_str()));
      if (fd >= 0)
        counter.events_.push_back({t.kind, fd});
      else if (errno != ESRCH) // that thread is gone meanwhile
        return std::string{"perf_event_open: "} + std::strerror(errno);
    }
  if (counter.events_.empty()) return "the process is gone";
  return counter;
}

syscall_counter::~syscall_counter() {
  for (const auto& e : events_) ::close(e.fd);
}

std::map<std::string, std::uint64_t> syscall_counter::counts() const {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& e : events_) {
    std::uint64_t n = 0;
    if (::read(e.fd, &n, sizeof n) == static_cast<ssize_t>(sizeof n)) sums[e.name] += n;
  }
  return sums;
}
} // namespace jumun::bench
