#include "app/monitoring/census.hpp"
#include "domain/invariant.hpp"
#include <algorithm>

namespace jumun::app {
namespace {
using domain::milestone;
static_assert(census::states[census::blocked] == "blocked");
static_assert(census::states[census::recovering] == "recovering");
constexpr std::size_t slice = 4'096; // buckets that are walked without a pause

constexpr census::settle_durations::bounds settle_ms = [] {
  census::settle_durations::bounds upper{};
  for (std::size_t i = 0; i < upper.size(); ++i)
    upper[i] = i < 16 ? i + 1 : (9 + (i - 16) % 8) << (1 + (i - 16) / 8);
  return upper;
}();
static_assert(settle_ms[15] == 16 && settle_ms[16] == 18 && settle_ms[23] == 32);
} // namespace

census::census() : settled_{settle_ms} {}

void census::stepped(const domain::order_step& s, std::int64_t now_ms) {
  for (std::size_t m = 0; m < domain::milestone_count; ++m)
    if (domain::contains(s.reached, static_cast<milestone>(m)))
      reached_[m].fetch_add(1, std::memory_order_relaxed);
  for (auto [m, ended] : {std::pair{milestone::rejected, &rejected_},
         {milestone::preparing, &prepared_}, {milestone::cancelled, &cancelled_}})
    if (domain::contains(s.reached, m)) {
      // A clock that was set back must not count as centuries.
      const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_ms - s.began_ms));
      ended->count(ms * 1000);
      if (m != milestone::cancelled) settled_.count(ms);
    }
  shards_[domain::shard_of(s.id)].decisions.fetch_add(1, std::memory_order_relaxed);
  place(s.id, s.open_as, s.version);
}

void census::found(domain::order_id id, std::string_view state) { place(id, state, 0); }

/// By id and not by differences: an actor that is restarted may say the same again, and a saga's
/// memory may be ahead of its row.
void census::place(domain::order_id id, std::string_view state, std::uint64_t version) {
  const auto known = std::find(states.begin(), states.end(), state);
  const std::lock_guard lock{guard_};
  const auto was = open_as_.find(id);
  if (known == states.end()) {
    JUMUN_INVARIANT(state.empty(), "each state of an open saga has a gauge");
    if (was == open_as_.end()) return;
    remove(id, was->second);
    shards_[domain::shard_of(id)].open.fetch_sub(1, std::memory_order_relaxed);
    open_as_.erase(was);
    return;
  }
  const auto now = static_cast<std::uint8_t>(known - states.begin());
  if (was == open_as_.end()) {
    open_as_.emplace(id, now);
    shards_[domain::shard_of(id)].open.fetch_add(1, std::memory_order_relaxed);
  } else {
    if (now == recovering) return; // what is known is better than "soon"
    if (now == was->second) {
      if (now == blocked) forget_price(id), unpriced_[id] = version; // some may have come back
      return;
    }
    remove(id, was->second);
    was->second = now;
  }
  open_[now].fetch_add(1, std::memory_order_relaxed);
  if (now == blocked) unpriced_[id] = version;
}

void census::remove(domain::order_id id, std::uint8_t from) {
  open_[from].fetch_sub(1, std::memory_order_relaxed);
  if (from != blocked) return;
  unpriced_.erase(id);
  forget_price(id);
}

void census::forget_price(domain::order_id id) {
  const auto known = priced_.find(id);
  if (known == priced_.end()) return;
  at_risk_[known->second.currency] -= known->second.amount;
  priced_.erase(known);
}

void census::forget(domain::shard_id shard) {
  const std::lock_guard lock{guard_};
  std::erase_if(open_as_, [&](const auto& one) {
    if (domain::shard_of(one.first) != shard) return false;
    remove(one.first, one.second);
    return true;
  });
  shards_[shard].open = 0;
}

std::optional<census::open_order> census::oldest() const {
  std::optional<std::pair<domain::order_id, std::uint8_t>> first;
  for (std::size_t from = 0;; from += slice) {
    const std::lock_guard lock{guard_};
    const auto end = std::min(from + slice, open_as_.bucket_count());
    for (auto b = from; b < end; ++b)
      for (auto it = open_as_.begin(b); it != open_as_.end(b); ++it)
        if (!first || accepted_ms(it->first) < accepted_ms(first->first)) first = *it;
    if (end == open_as_.bucket_count()) break;
  }
  if (!first) return {};
  return open_order{first->first, states[first->second]};
}

std::vector<domain::order_id> census::blocked_orders(std::size_t most) const {
  std::vector<domain::order_id> out;
  const std::lock_guard lock{guard_};
  for (const auto& [id, version] : unpriced_)
    if (out.size() < most) out.push_back(id);
  for (const auto& [id, money] : priced_)
    if (out.size() < most) out.push_back(id);
  return out;
}

std::vector<census::unpriced> census::without_price(std::size_t most) const {
  std::vector<unpriced> out;
  const std::lock_guard lock{guard_};
  for (auto it = unpriced_.begin(); it != unpriced_.end() && out.size() < most; ++it)
    out.push_back({it->first, it->second});
  return out;
}

void census::price(domain::order_id id, std::uint64_t version, domain::money at_risk) {
  const std::lock_guard lock{guard_};
  const auto known = unpriced_.find(id);
  if (known == unpriced_.end() || version < known->second) return;
  unpriced_.erase(known);
  at_risk_[at_risk.currency] += at_risk.amount;
  priced_.emplace(id, std::move(at_risk));
}

std::vector<domain::money> census::at_risk() const {
  std::vector<domain::money> out;
  const std::lock_guard lock{guard_};
  for (const auto& [currency, amount] : at_risk_)
    if (amount > 0) out.push_back({amount, currency});
  return out;
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
