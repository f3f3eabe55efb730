#include "bench/client/lane.hpp"
#include "bench/interrupt.hpp"
#include <algorithm>
#include <stdexcept>

namespace jumun::bench {
namespace {
constexpr auto due_pause_min = std::chrono::microseconds{50}; // between two looks at the schedule
constexpr auto tick_pause = std::chrono::milliseconds{20};

clock::duration ticks(std::chrono::duration<double> d) {
  return std::chrono::duration_cast<clock::duration>(d);
}
} // namespace

lane::lane(const load_plan& plan, unsigned number, clock::time_point begin)
    : plan_(plan), work_(plan.make(number)), measured_(begin + ticks(plan.warmup)),
      end_(measured_ + ticks(plan.length)) {
  if (plan.rate > 0) schedule_.emplace(begin, plan.rate, number, plan.threads);
  const auto mine =
    plan.connections / plan.threads + (number < plan.connections % plan.threads ? 1 : 0);
  for (unsigned i = 0; i < mine; ++i) connections_.emplace_back(context_, *this);
  result_.seconds = plan.length.count();
  result_.slices.resize(static_cast<std::size_t>(ticks(plan.length) / slice_length) + 1);
}

void lane::run() {
  for (auto& c : connections_) c.open(plan_.at);
  tick();
  if (schedule_) wait_for_due();
  context_.run();
}

load_result lane::take() {
  result_.seen = work_->seen;
  return std::move(result_);
}

/// Looks now and then whether it is over.
void lane::tick() {
  const auto now = clock::now();
  if (interrupted()) result_.interrupted = true;
  if (!stopping_ && (now >= end_ || result_.interrupted)) {
    stopping_ = true;
    due_.cancel();
    if (schedule_) send_due(now);
  }
  if (stopping_ && (under_way_ == 0 || result_.interrupted || now >= end_ + ticks(plan_.patience)))
    return finish();
  tick_.expires_after(tick_pause);
  tick_.async_wait([this](boost::system::error_code ec) {
    if (!ec) tick();
  });
}

/// Whoever still waits stays without an answer: counted as late as it is by now, so that a server
/// that stalls for good shows, too.
void lane::finish() {
  const auto now = clock::now();
  for (auto& c : connections_) {
    if (c.waits && counts(c.meant)) {
      ++result_.unanswered;
      if (schedule_) result_.latency.record(now - c.meant);
    }
    c.close();
  }
  // What was due and never sent had no free connection.
  for (; schedule_ && !result_.interrupted && schedule_->due() < end_; schedule_->advance())
    if (counts(schedule_->due())) {
      ++result_.unanswered;
      result_.latency.record(now - schedule_->due());
    }
  tick_.cancel();
}

void lane::on_open(connection& by) { go_on(by); }

/// The connection is free.
void lane::go_on(connection& by) {
  const auto now = clock::now();
  if (schedule_) {
    idle_.push_back(&by);
    return send_due(now);
  }
  if (stopping_ || now >= end_) return;
  ask(by, now);
}

void lane::ask(connection& by, clock::time_point meant) {
  by.meant = meant;
  ++under_way_;
  if (counts(meant)) ++result_.sent;
  by.send(work_->next(by.about));
}

/// Sends what is due; what was due before the end is sent even after it.
void lane::send_due(clock::time_point now) {
  while (
    !result_.interrupted && !idle_.empty() && schedule_->due() <= now && schedule_->due() < end_) {
    auto* by = idle_.front();
    idle_.pop_front();
    if (!by->opened || by->waits) continue; // it was lost meanwhile, and came back by itself
    const auto meant = schedule_->due();
    schedule_->advance();
    ask(*by, meant);
  }
}

void lane::wait_for_due() {
  due_.expires_at(std::max(schedule_->due(), clock::now() + due_pause_min));
  due_.async_wait([this](boost::system::error_code ec) {
    if (ec || stopping_) return;
    send_due(clock::now());
    wait_for_due();
  });
}

void lane::on_answer(connection& by, const response& answer) {
  const auto now = clock::now();
  --under_way_;
  connects_failed_ = 0;
  count(by, work_->heard(by.about, answer), now);
  if (by.opened) go_on(by);
}

/// A closed loop's answer counts by the time when it came; an open loop's by the time when it was
/// meant to be asked.
void lane::count(connection& by, verdict said, clock::time_point now) {
  const auto latency = now - by.meant;
  if (counts(now)) {
    auto& s = result_.slices[static_cast<std::size_t>((now - measured_) / slice_length)];
    if (said == verdict::good) ++s.good, s.worst = std::max<nanoseconds>(s.worst, latency);
    if (said == verdict::turned_away) ++s.turned_away;
  }
  if (!counts(schedule_ ? by.meant : now)) return;
  switch (said) {
    case verdict::good:
      ++result_.good;
      good_.fetch_add(1, std::memory_order_relaxed);
      return result_.latency.record(latency);
    case verdict::turned_away: return result_.turned_away.record(latency);
    case verdict::failed: ++result_.failed;
  }
}

void lane::on_lost(connection& by) {
  if (by.waits) {
    by.waits = false;
    --under_way_;
    if (counts(by.meant)) {
      ++result_.unanswered;
      if (schedule_) result_.latency.record(clock::now() - by.meant);
    }
  }
  if (stopping_) return;
  // A server that is gone, or takes nobody in, must not be asked in a tight loop.
  if (++connects_failed_ > 2 * connections_.size() + 1'000) {
    result_.odd_end = "the server closes connections, or takes none";
    stopping_ = true;
    return;
  }
  by.open(plan_.at);
}
} // namespace jumun::bench
