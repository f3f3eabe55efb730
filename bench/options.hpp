#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace jumun::bench {
/// What `jumun bench` was asked to do. The texts of --help are in options.cpp.
struct options {
  std::vector<std::string> scenarios; // none: the usual ones
  unsigned connections = 64;
  unsigned threads = 1;
  double seconds = 10, warmup = 2;
  double rate = 0; // requests a second; 0: closed loop
  unsigned skus = 16;
  unsigned readers = 100;
  unsigned nodes = 4; // at most, of `cluster`
  std::uint64_t orders = 0; // 0: the scenario's own
  bool keyed = false;
  bool syscalls = false; // count them, too
  std::string dir;       // of the data folders; empty: $TMPDIR or /tmp
  std::string url, ops;  // of a server that runs already; empty: one of our own
  bool yes = false;
  bool keep = false;
  std::string json, plot, commit;
  std::vector<std::string> server_args;
};

struct no_run {
  int exit_code = 0; // 2: what was asked is wrong
  std::string text;
};
/// `args` behind `bench`. Pure.
[[nodiscard]] std::variant<options, no_run> parse_options(const std::vector<std::string>& args);
} // namespace jumun::bench
