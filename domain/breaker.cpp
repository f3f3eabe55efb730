#include "domain/breaker.hpp"
#include "domain/limits.hpp"
#include "domain/time_text.hpp"
#include <algorithm>

namespace jumun::domain {
namespace {
constexpr std::int64_t ms(std::chrono::milliseconds d) { return d.count(); }
constexpr std::int64_t slices = 10;
constexpr std::int64_t soon_ms = 100; // when a slot or a probe's answer is likely to be there
constexpr std::int64_t second_us = 1'000'000;
} // namespace

std::string_view name_of(breaker_state s) {
  switch (s) {
    case breaker_state::closed: return "closed";
    case breaker_state::open: return "open";
    case breaker_state::half_open: return "half-open";
  }
  return "";
}

std::variant<breaker::passed, breaker::held> breaker::ask(order_id about, context ctx) {
  const auto now = ctx.now_ms;
  fail_overdue(ctx);
  const auto silent = [&] {
    return "the payment provider has not been answering since " + time_text(silent_since_ms_);
  };
  if (state_ == breaker_state::open) {
    if (now < open_until_ms_) return hold(about, open_until_ms_, silent());
    state_ = breaker_state::half_open;
    since_ms_ = now;
    probes_ = 0;
  }
  const bool probe = state_ == breaker_state::half_open;
  if (probe && probes_ >= limits::breaker_probes_max) return hold(about, now + soon_ms, silent());
  if (in_flight_.size() >= with_.in_flight_max)
    return hold(about, now + soon_ms,
      std::to_string(with_.in_flight_max)
        + " calls to the payment provider are under way, and no "
          "more are allowed");
  if (!probe && waiting_.contains(about) && !may_drain(now))
    return hold(about, now + soon_ms,
      "the payment provider has been answering again since " + time_text(since_ms_)
        + " and the orders that waited are let through at a bounded rate");
  waiting_.erase(about);
  if (probe) ++probes_;
  const auto id = ++last_call_;
  in_flight_.emplace(id, call{about, now + with_.call_ms, probe});
  deadlines_.emplace_back(now + with_.call_ms, id);
  return passed{id};
}

void breaker::answered(std::uint64_t id, bool failed, context ctx) {
  fail_overdue(ctx);
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end()) return; // too late: it has failed
  const auto c = found->second;
  in_flight_.erase(found);
  ended(c, failed, ctx);
}

breaker_figures breaker::look(context ctx) {
  fail_overdue(ctx);
  forget_old(ctx.now_ms);
  const bool is_open = state_ == breaker_state::open;
  return {state_, since_ms_, calls_, failures_, in_flight_.size(), waiting_.size(),
    is_open ? open_until_ms_ : 0, opened_, held_back_};
}

void breaker::fail_overdue(context ctx) {
  while (!deadlines_.empty()) {
    const auto [due_ms, id] = deadlines_.front();
    const auto found = in_flight_.find(id);
    if (found != in_flight_.end() && due_ms > ctx.now_ms) return;
    deadlines_.pop_front();
    if (found == in_flight_.end()) continue;
    const auto c = found->second;
    in_flight_.erase(found);
    ended(c, /*failed=*/true, ctx);
  }
}

void breaker::ended(const call& c, bool failed, context ctx) {
  switch (state_) {
    case breaker_state::open: return; // of a call that left before
    case breaker_state::half_open:
      if (!c.probe) return;
      return failed ? open(ctx) : close(ctx.now_ms);
    case breaker_state::closed: break;
  }
  count(c.about, failed, ctx.now_ms);
  if (calls_ >= with_.calls_min && failures_ * 100 >= with_.failure_pct * calls_) open(ctx);
}

void breaker::count(order_id about, bool failed, std::int64_t now_ms) {
  forget_old(now_ms);
  if (failed && failing_[about] >= limits::breaker_failures_each) return;
  const auto start = now_ms - now_ms % (with_.window_ms / slices);
  if (window_.empty() || window_.back().start_ms < start) window_.push_back({start, 0, 0, {}});
  auto& now = window_.back();
  ++now.calls, ++calls_;
  if (!failed) return;
  ++now.failures, ++failures_;
  now.failing.push_back(about);
  ++failing_[about];
}

void breaker::forget_old(std::int64_t now_ms) {
  while (!window_.empty() && window_.front().start_ms + with_.window_ms <= now_ms) {
    const auto& old = window_.front();
    calls_ -= old.calls, failures_ -= old.failures;
    for (const auto& about : old.failing)
      if (const auto f = failing_.find(about); --f->second == 0) failing_.erase(f);
    window_.pop_front();
  }
  // Whoever was cancelled meanwhile never comes again.
  if (waiting_.empty() || now_ms - swept_ms_ < ms(limits::breaker_slots_max) / 10) return;
  swept_ms_ = now_ms;
  // determinism: each of them is judged by itself
  std::erase_if(
    waiting_, [&](const auto& w) { return w.second + ms(limits::breaker_slots_max) < now_ms; });
}

void breaker::open(context ctx) {
  const bool was_well =
    state_ == breaker_state::closed && ctx.now_ms - since_ms_ >= with_.window_ms;
  const bool first = was_well || opened_ == 0;
  opened_in_a_row_ = first ? 0 : std::min(opened_in_a_row_ + 1, 20U);
  if (first) silent_since_ms_ = ctx.now_ms;
  const auto pause =
    std::min(with_.open_ms << opened_in_a_row_, std::max(with_.open_ms, with_.open_ms_max));
  const auto jitter =
    static_cast<std::int64_t>(ctx.random % static_cast<std::uint64_t>(pause / 2 + 1));
  open_until_ms_ = ctx.now_ms + pause - jitter;
  state_ = breaker_state::open;
  since_ms_ = ctx.now_ms;
  ++opened_;
  window_.clear();
  failing_.clear();
  calls_ = failures_ = 0;
}

void breaker::close(std::int64_t now_ms) {
  state_ = breaker_state::closed;
  since_ms_ = now_ms;
}

breaker::held breaker::hold(order_id about, std::int64_t not_before_ms, std::string why) {
  const auto from = not_before_ms * 1'000;
  if (slot_us_ < from || slot_us_ > from + ms(limits::breaker_slots_max) * 1'000) slot_us_ = from;
  const auto at = slot_us_ / 1'000;
  slot_us_ += second_us / with_.drain_per_s;
  waiting_[about] = at;
  ++held_back_;
  return {at, std::move(why)};
}

bool breaker::may_drain(std::int64_t now_ms) {
  const auto ramped = std::min(now_ms - since_ms_, ms(limits::breaker_ramp));
  const auto rate = std::max<std::int64_t>(
    1, with_.drain_per_s / 10 + with_.drain_per_s * 9 / 10 * ramped / ms(limits::breaker_ramp));
  const auto now = now_ms * 1'000;
  if (drain_us_ > now) return false;
  // Timers are coarse: what was not used for a moment may be used at once.
  drain_us_ = std::max(drain_us_, now - soon_ms * 1'000) + second_us / rate;
  return true;
}
} // namespace jumun::domain
