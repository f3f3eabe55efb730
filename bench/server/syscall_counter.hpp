#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <variant>
#include <vector>

namespace jumun::bench {
/// Counts the system calls of a process by the kernel's tracepoints (perf_event_open(2)): all of
/// them, and some by name, the sockets' among them, which /proc/PID/io does not see. Needs root, or
/// the capability PERFMON and a tracefs that can be read. Each call costs some 0.1 µs more
/// meanwhile.
class syscall_counter {
public:
  /// From now on; the threads that the process has now, and what those start. A text: why not.
  [[nodiscard]] static std::variant<std::string, syscall_counter> attach(pid_t pid);
  syscall_counter(syscall_counter&&) noexcept = default;
  syscall_counter& operator=(syscall_counter&& other) noexcept {
    events_.swap(other.events_);
    return *this;
  }
  ~syscall_counter();

  /// Since attach(); "all" is in it. Those of one kind are together: "send" is sendmsg, sendto, ….
  [[nodiscard]] std::map<std::string, std::uint64_t> counts() const;

private:
  syscall_counter() = default;
  struct event {
    std::string name;
    int fd = -1;
  };
  std::vector<event> events_; // one for each thread and tracepoint
};
} // namespace jumun::bench
