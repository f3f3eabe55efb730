#pragma once
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace jumun::bench {
/// A program as a child of ours: in a process group of its own, so that a Ctrl-C is ours, and dead
/// when the thread that started it is.
struct child_program {
  std::filesystem::path program;
  std::vector<std::string> args;
  std::filesystem::path out, err;
  std::string environment{}; // NAME=value, before all that there is; empty: nothing
  std::vector<int> cpus{};   // that it may run on; none: all
};
/// @returns its process id. Throws std::system_error.
[[nodiscard]] pid_t spawn(const child_program& what);

/// From here on this thread, and those that it starts, run on these processors alone; none: all.
void run_on(const std::vector<int>& cpus);
/// The processors that this process may run on.
[[nodiscard]] std::vector<int> processors();
} // namespace jumun::bench
