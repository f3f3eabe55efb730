#pragma once
#include "bench/client/histogram.hpp"
#include <filesystem>

namespace jumun::bench {
/// What the disk can do: one record appended and synced (fdatasync) after the other.
struct fsync_figures {
  double per_second = 0;
  histogram latency;
};
inline constexpr std::size_t fsync_record_bytes = 1'024;
/// In a file of its own in `dir`, removed afterwards. Blocks. Throws std::system_error.
[[nodiscard]] fsync_figures measure_fsync(
  const std::filesystem::path& dir, std::chrono::duration<double> length);
} // namespace jumun::bench
