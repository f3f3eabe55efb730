#pragma once
#include "tests/kills/life.hpp"
#include <array>
#include <functional>

namespace jumun::tests::kills {
/// At which moment of a life its end comes.
enum class moment : std::uint8_t { under_load, while_starting, just_ready, while_stopping, clean };
inline constexpr std::array<const char*, 5> moment_names{
  "under load", "while starting", "just ready", "while stopping", "stopped cleanly"};

/// What is counted over all epochs; any thread.
struct tally {
  std::atomic<std::uint64_t> cycles{0}, epochs{0}, orders{0}, answers{0}, in_flight{0}, checks{0};
  std::atomic<std::uint64_t> start_us{0}, starts{0}; // of those that came to be ready
  std::array<std::atomic<std::uint64_t>, moment_names.size()> by_moment{};
  // Of the newest cycle, for whoever watches.
  std::atomic<std::uint64_t> last_in_flight{0}, oldest_open_ms{0};
};

struct epoch_plan {
  std::uint64_t seed = 0, number = 0;
  std::uint64_t cycles_max = 0;         // it draws its own, up to this
  std::filesystem::path folder;         // its own; made, and removed when all was right
  std::function<bool()> go_on;          // asked before each cycle
};
struct epoch_end {
  std::vector<std::string> wrong; // empty: all books hold
  std::uint64_t cycle = 0;        // where it ended
};

/// A new data folder, its cycles of life and death under a crowd, and then all its books audited.
/// Takes its choices from (seed, number) alone.
[[nodiscard]] epoch_end run_epoch(const epoch_plan& plan, tally& counted);
} // namespace jumun::tests::kills
