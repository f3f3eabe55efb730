#pragma once
#include "app/node.hpp"
#include "http/console/overview.hpp"
#include "http/metrics.hpp"
#include <deque>

namespace jumun::app {
/// A node's own figures, one sample a second, the last quarter of an hour of them in memory. Taking
/// a sample reads counters and walks nothing, so it goes on while nobody looks. Thread-safe.
class overview_board final : public http::overview {
public:
  /// `inside` outlives this.
  explicit overview_board(node& inside) : node_(inside), started_ms_(wall_clock_us() / 1000) {}

  /// Each second. `seconds`: since the call before, as measured.
  void take_sample(const http::metrics& of_edge, double seconds);
  /// Without history: looked once for each sample, however many nodes and readers ask.
  [[nodiscard]] http::node_overview look(bool with_history) override;

private:
  /// What only rises: a sample is what it has risen by.
  struct counters {
    std::uint64_t accepted = 0, rejected = 0, preparing = 0, cancelled = 0, commits = 0,
                  write_sets = 0, requests = 0, turned_away = 0;
    census::settle_durations::counted settle;
    decltype(storage::journal_stats::commit_us_histogram) commit_us{};
  };
  [[nodiscard]] counters count(const http::metrics& of_edge) const;
  void price_blocked();
  [[nodiscard]] http::node_overview figures() const;

  node& node_;
  const std::int64_t started_ms_;
  std::mutex guard_; // of what follows
  counters before_;
  std::deque<http::sample> samples_; // oldest first
  std::int64_t at_ms_ = 0;           // of the newest
  http::node_overview told_;         // of at_ms_, without history; before that: whatever was
};
} // namespace jumun::app
