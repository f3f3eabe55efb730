#pragma once
#include "bench/client/histogram.hpp"
#include "bench/client/schedule.hpp"
#include <atomic>
#include <filesystem>
#include <thread>

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

/// Syncs a record of its own now and then while something else is measured: when the disk stalls,
/// it stalls for both, and nobody takes that for the server's doing.
class disk_witness {
public:
  explicit disk_witness(const std::filesystem::path& dir);
  ~disk_witness();
  disk_witness(const disk_witness&) = delete;
  disk_witness& operator=(const disk_witness&) = delete;
  /// The longest sync so far, one that is still under way included. Waits for nothing.
  [[nodiscard]] nanoseconds worst() const;

private:
  void watch(const std::stop_token& until);
  std::filesystem::path path_;
  int fd_;
  std::atomic<std::int64_t> worst_ns_{0}, since_ns_{0}; // since: of the clock; 0: none under way
  std::jthread thread_;
};
} // namespace jumun::bench
