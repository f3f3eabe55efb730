#pragma once
#include "tests/history/history.hpp"
#include <atomic>
#include <filesystem>
#include <functional>

namespace jumun::tests::history {
struct recording_options {
  std::uint64_t seed = 1;
  std::size_t operations = 100'000; // requests; the run ends soon after
  unsigned clients = 16;            // a thread and a connection each
  unsigned kills = 0;               // spread over the run
  std::size_t shelves = 24;         // of which 4 are hot
  std::atomic<bool>* stop = nullptr;                         // ends the day early
  std::function<void(std::size_t, unsigned)> progress = {}; // requests, lives; each second or so
};
struct recording {
  story what;
  std::size_t requests = 0, answered = 0, cut = 0, orders = 0;
  unsigned kills = 0;
  double seconds = 0;                  // of the crowd's day; the audit's is not in it
  std::vector<std::string> complaints; // answers that fit no API.md at all; empty is as it must be
};
/// Plays a day in a shop of its own, on the binary that JUMUN_BINARY names, in a new folder inside
/// of `place`. Blocks. Throws std::runtime_error when the server fails.
[[nodiscard]] recording record(
  const recording_options& how, const std::filesystem::path& place);
} // namespace jumun::tests::history
