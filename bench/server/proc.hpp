#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>

namespace jumun::bench {
/// What the kernel counts of a process, all threads together.
struct proc_figures {
  double cpu_us = 0;                   // user and system
  std::uint64_t reads = 0, writes = 0; // read(2), write(2) and the like; not sendmsg and recvmsg
  std::uint64_t written = 0;           // bytes handed to write(2) and the like
  std::uint64_t to_disk = 0;           // bytes that went, or will go, to the disk
  std::uint64_t switches = 0;          // context switches, both kinds
  std::uint64_t rss = 0, rss_peak = 0; // bytes
};
/// All zero for a process that is gone or not ours.
[[nodiscard]] proc_figures figures_of(pid_t pid);
/// Begins the peak anew.
void reset_rss_peak(pid_t pid);
/// The whole file; empty when it can't be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
} // namespace jumun::bench
