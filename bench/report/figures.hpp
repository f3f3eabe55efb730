#pragma once
#include "bench/client/histogram.hpp"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What was measured, apart from how it is told.
namespace jumun::bench {
/// Percentiles in milliseconds.
struct latency_figures {
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
};
[[nodiscard]] latency_figures figures_of(const histogram& h);

/// What one good answer cost the server. Zero where it could not be seen.
struct cost_figures {
  double cpu_us = 0;
  double syscalls_rw = 0; // read(2), write(2) and the like
  double switches = 0;    // context switches
  double bytes_written = 0, bytes_to_disk = 0;
  double bytes_of_rows = 0;       // keys and values of its write sets
  double write_amplification = 0; // bytes to disk by bytes of rows
  double write_sets = 0, commits = 0, write_sets_per_commit = 0;
  double allocations = 0; // of the whole run, its start left out
  double rss_peak_mb = 0;
  std::map<std::string, double> syscalls; // all of them, and by kind; empty: not counted
};

/// A figure beside what it should be. Nothing is judged by it: that is for people.
struct target {
  std::string what; // with its unit
  double seen = 0;
  double wanted = 0;
  bool at_most = true; // false: at least
  [[nodiscard]] bool met() const { return at_most ? seen <= wanted : seen >= wanted; }
};

/// One point of latency against load, or one measurement of a scenario.
struct measured {
  std::string name;      // of a step that no rising figure names
  double asked_rate = 0; // of an open loop; 0: closed
  double per_second = 0; // good answers
  latency_figures latency;
  double disk_worst_ms = 0;       // the longest sync of somebody else's meanwhile
  std::uint64_t after_orders = 0; // that were there before
  std::uint64_t good = 0, failed = 0, turned_away = 0, unanswered = 0;
};

/// What was measured right before it.
struct ceilings {
  double livez_per_second = 0;
  double fsync_per_second = 0;
  double fsync_p50_ms = 0, fsync_p99_ms = 0;
};

struct row {
  std::string scenario;
  unsigned connections = 0;
  measured result;
  ceilings against;
  std::optional<cost_figures> cost;
  std::map<std::string, double> more; // figures that only this scenario has, with their unit
  std::vector<target> targets;
  std::vector<measured> steps;      // open loop, by rising load
  std::vector<std::string> remarks; // what could not be measured, and why
  std::vector<std::string> wrong;   // what did not add up; empty: verified
  bool verified = true;             // false: there is nothing to verify

  [[nodiscard]] double to_livez() const { return ratio(against.livez_per_second); }
  [[nodiscard]] double to_fsync() const { return ratio(against.fsync_per_second); }

private:
  [[nodiscard]] double ratio(double of) const { return of > 0 ? result.per_second / of : 0; }
};

struct machine {
  unsigned cores = 0;
  std::string cpu, kernel;
  double memory_gb = 0;
};
[[nodiscard]] machine this_machine();

struct whole_report {
  std::string commit, time, version;
  machine on;
  double binary_mb = 0;
  std::vector<row> rows;
};
} // namespace jumun::bench
