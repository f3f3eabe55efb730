#pragma once
#include "bench/client/load.hpp"
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace jumun::bench {
/// Runs this binary with other arguments to its end; what it printed to stdout. Blocks.
struct ran {
  int exit_code = -1; // -1: a signal ended it
  std::string out;
};
[[nodiscard]] ran run_self(const std::vector<std::string>& args, const std::filesystem::path& err);

/// `jumun serve` as a process of its own: this binary, a data folder, free ports, and synced writes
/// as always. It dies with us, however we die.
class child_server {
public:
  struct launch {
    bool count_allocations = false;
    bool wait = true;      // until it is ready; else await_ready() does
    std::vector<int> cpus; // that it may run on; none: all
  };
  /// Starts it. `data` stays when this is destroyed; `work` is for its log and address.
  child_server(std::filesystem::path data, std::filesystem::path work,
    const std::vector<std::string>& more_args, launch how);
  /// Throws std::runtime_error with its last words when it ends before. Blocks.
  void await_ready();
  ~child_server(); // kill -9, when it still runs
  child_server(const child_server&) = delete;
  child_server& operator=(const child_server&) = delete;

  [[nodiscard]] endpoint shop() const { return shop_; }
  [[nodiscard]] endpoint ops() const { return ops_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// From the start of the process until it was ready.
  [[nodiscard]] nanoseconds ready_after() const { return ready_after_; }

  /// SIGTERM, and waits for its end. Throws when it does not end well.
  void stop();
  void kill(); // SIGKILL
  /// What it said on stderr so far.
  [[nodiscard]] std::string log() const;

private:
  void look_for_address();
  /// False: it still runs.
  bool reap(bool block);

  std::filesystem::path log_, address_file_;
  clock::time_point begun_;
  pid_t pid_ = -1;
  int status_ = 0;
  endpoint shop_, ops_;
  nanoseconds ready_after_{};
};

/// A folder of its own under `parent`, removed with all that is in it.
class scratch_dir {
public:
  scratch_dir(const std::filesystem::path& parent, bool keep);
  ~scratch_dir();
  scratch_dir(const scratch_dir&) = delete;
  scratch_dir& operator=(const scratch_dir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
  bool keep_;
};
} // namespace jumun::bench
