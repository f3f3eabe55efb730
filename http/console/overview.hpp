#pragma once
#include "domain/order.hpp"
#include "domain/order_step.hpp"
#include "http/breakers.hpp"
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jumun::http {
/// What is measured of a node each second. Counts are of that second, `open` and `blocked` are as
/// they stood at its end; estimates of durations are from histograms.
enum class figure : std::uint8_t {
  accepted,
  settled, // preparing or rejected
  failed,  // rejected or cancelled
  settle_p50_ms,
  settle_p99_ms,
  commits,
  write_sets,
  commit_p50_us,
  commit_p99_us,
  open,
  blocked,
  requests,    // answered, of both listeners
  turned_away, // 429 and 503 of the public one
};
inline constexpr std::array<std::string_view, 13> figure_names{"accepted", "settled", "failed",
  "settle_p50_ms", "settle_p99_ms", "commits", "write_sets", "commit_p50_us", "commit_p99_us",
  "open", "blocked", "requests", "turned_away"};
/// One second, by figure; NaN: nothing was measured.
using sample = std::array<double, figure_names.size()>;

/// What one node says of itself.
struct node_overview {
  std::string node;
  std::int64_t at_ms = 0, started_ms = 0;
  sample now{};
  std::array<std::uint64_t, domain::milestone_count> reached{}; // since its start
  std::vector<std::pair<std::string_view, std::int64_t>> sagas; // open ones by state
  std::vector<domain::money> at_risk;                           // of blocked ones
  struct open_order {
    domain::order_id id;
    std::string_view state;
  };
  std::optional<open_order> oldest;
  std::vector<breaker_info> breakers;
  std::vector<sample> history; // oldest first, a second apart, `now` last; empty: not asked for
};

/// Port to what a node measures of itself. Thread-safe.
class overview {
public:
  virtual ~overview() = default;
  /// May read rows: reader threads only.
  [[nodiscard]] virtual node_overview look(bool with_history) = 0;
};
} // namespace jumun::http
