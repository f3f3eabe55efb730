#include "app/monitoring/census.hpp"
#include "domain/invariant.hpp"
#include <algorithm>

namespace jumun::app {
namespace {
using domain::milestone;
constexpr std::uint8_t recovering = 4;
static_assert(census::states[recovering] == "recovering");
} // namespace

void census::stepped(const domain::order_step& s, std::int64_t now_ms) {
  for (std::size_t m = 0; m < domain::milestone_count; ++m)
    if (domain::contains(s.reached, static_cast<milestone>(m)))
      reached_[m].fetch_add(1, std::memory_order_relaxed);
  for (auto [m, ended] : {std::pair{milestone::rejected, &rejected_},
         {milestone::preparing, &prepared_}, {milestone::cancelled, &cancelled_}})
    if (domain::contains(s.reached, m)) // a clock that was set back must not count as centuries
      ended->count(
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_ms - s.began_ms)) * 1000);
  place(s.id, s.open_as);
}

void census::found(domain::order_id id, std::string_view state) { place(id, state); }

/// By id and not by differences: an actor that is restarted may say the same again, and a saga's
/// memory may be ahead of its row.
void census::place(domain::order_id id, std::string_view state) {
  const auto known = std::find(states.begin(), states.end(), state);
  const std::lock_guard lock{guard_};
  const auto was = open_as_.find(id);
  if (known == states.end()) {
    JUMUN_INVARIANT(state.empty(), "each state of an open saga has a gauge");
    if (was == open_as_.end()) return;
    open_[was->second].fetch_sub(1, std::memory_order_relaxed);
    open_as_.erase(was);
    return;
  }
  const auto now = static_cast<std::uint8_t>(known - states.begin());
  if (was == open_as_.end()) {
    open_as_.emplace(id, now);
  } else {
    if (now == recovering || now == was->second) return; // what is known is better than "soon"
    open_[was->second].fetch_sub(1, std::memory_order_relaxed);
    was->second = now;
  }
  open_[now].fetch_add(1, std::memory_order_relaxed);
}

void census::forget(domain::shard_id shard) {
  const std::lock_guard lock{guard_};
  std::erase_if(open_as_, [&](const auto& one) {
    if (domain::shard_of(one.first) != shard) return false;
    open_[one.second].fetch_sub(1, std::memory_order_relaxed);
    return true;
  });
}

const census::durations& census::took(domain::milestone m) const {
  switch (m) {
    case milestone::rejected: return rejected_;
    case milestone::preparing: return prepared_;
    case milestone::cancelled: return cancelled_;
    default: break;
  }
  JUMUN_INVARIANT(false, "only what ends a run has a duration");
}
} // namespace jumun::app
