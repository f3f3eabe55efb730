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
  const auto share = [&](auto all) {
    return all / plan.threads + (number < all % plan.threads ? 1 : 0);
  };
  if (auto phases = plan.phases; !phases.empty()) {
    phases[0].length += plan.warmup;
    schedule_.emplace(begin, std::move(phases), number, plan.threads);
    result_.phases.resize(plan.phases.size());
  }
  for (unsigned i = 0; i < share(plan.connections); ++i) connections_.emplace_back(context_, *this);
  requests_max_ = share(plan.requests);
  result_.seconds = plan.length.count();
  result_.slices.resize(static_cast<std::size_t>(ticks(plan.length) / slice_length) + 1);
}

void lane::run() {
  std::size_t n = 0;
  for (auto& c : connections_) {
    c.to = plan_.spread.empty() ? plan_.at : plan_.spread[n++ % plan_.spread.size()];
    c.open(c.to);
  }
  tick();
  context_.run();
  done_ = true;
}

load_result lane::take() {
  result_.seen = work_->seen;
  if (spent()) result_.seconds = std::chrono::duration<double>{last_answer_ - measured_}.count();
  return std::move(result_);
}

/// Looks now and then whether it is over.
void lane::tick() {
  const auto now = clock::now();
  if (interrupted()) result_.interrupted = true;
  if (!stopping_ && (now >= end_ || spent() || result_.interrupted)) {
    stopping_ = true;
    give_up_at_ = now + ticks(plan_.patience);
    due_.cancel();
    if (schedule_) send_due(now);
  }
  if (stopping_ && (under_way_ == 0 || result_.interrupted || now >= give_up_at_)) return finish();
  tick_.expires_after(tick_pause);
  tick_.async_wait([this](boost::system::error_code ec) {
    if (!ec) tick();
  });
}

/// Whoever still waits stays without an answer.
void lane::finish() {
  const auto now = clock::now();
  for (auto& c : connections_) {
    if (c.waits) count_unanswered(c.meant, now);
    c.close();
  }
  // What was due and never sent had no free connection.
  for (; schedule_ && !spent() && schedule_->due() < end_; schedule_->advance())
    count_unanswered(schedule_->due(), now);
  tick_.cancel();
  due_.cancel();
}

void lane::on_open(connection& by) { go_on(by); }

/// The connection is free.
void lane::go_on(connection& by) {
  const auto now = clock::now();
  if (schedule_) {
    idle_.push_back(&by);
    send_due(now);
    return wait_for_due();
  }
  if (!stopping_ && now < end_ && !spent()) ask(by, now);
}

void lane::ask(connection& by, clock::time_point meant) {
  by.meant = meant;
  ++under_way_, ++asked_;
  by.sent = schedule_ ? clock::now() : meant;
  if (counts(meant)) ++result_.sent;
  if (counts(by.sent)) ++slice_at(by.sent).sent;
  by.send(work_->next(by.about));
}

/// Sends what is due; what was due before the end is sent even after it. Soon after a phase what is
/// left of it has gone: whoever found no connection, so that the next phase is at its own rate.
void lane::send_due(clock::time_point now) {
  for (; !spent() && schedule_->too_late(now - tick_pause); schedule_->advance())
    count_unanswered(schedule_->due());
  while (!result_.interrupted && !idle_.empty() && !spent() && schedule_->due() <= now
         && schedule_->due() < end_) {
    auto* by = idle_.front();
    idle_.pop_front();
    if (!by->opened || by->waits) continue; // it was lost meanwhile, and came back by itself
    const auto meant = schedule_->due();
    schedule_->advance();
    ask(*by, meant);
  }
}

/// Sleeps while no connection is free: whoever is behind its schedule would look at it 20,000 times
/// a second, on the cores that the server needs.
void lane::wait_for_due() {
  if (waits_for_due_ || stopping_ || idle_.empty()) return;
  waits_for_due_ = true;
  due_.expires_at(std::max(schedule_->due(), clock::now() + due_pause_min));
  due_.async_wait([this](boost::system::error_code ec) {
    waits_for_due_ = false;
    if (ec || stopping_) return;
    send_due(clock::now());
    wait_for_due();
  });
}

void lane::on_answer(connection& by, const response& answer) {
  const auto now = last_answer_ = clock::now();
  --under_way_;
  connects_failed_ = 0;
  count(by, work_->heard(by.about, answer), now);
  if (by.opened) go_on(by);
}

slice& lane::slice_at(clock::time_point t) {
  return result_.slices[static_cast<std::size_t>((t - measured_) / slice_length)];
}
phase_result* lane::phase_at(clock::time_point t) {
  auto end = measured_;
  for (std::size_t i = 0; i < result_.phases.size(); ++i)
    if ((end += ticks(plan_.phases[i].length)) > t) return &result_.phases[i];
  return nullptr; // a closed loop
}

void lane::count_slice(clock::time_point meant, verdict said, clock::time_point now) {
  if (counts(now) && said == verdict::good) ++slice_at(now).good;
  if (counts(now) && said == verdict::turned_away) ++slice_at(now).turned_away;
  if (!counts(meant) || said != verdict::good) return;
  auto& s = slice_at(meant);
  s.worst = std::max<nanoseconds>(s.worst, now - meant);
}

/// A closed loop's answer counts by the time when it came; an open loop's by the time when it was
/// meant to be asked.
void lane::count(connection& by, verdict said, clock::time_point now) {
  const auto latency = now - by.meant;
  count_slice(by.meant, said, now);
  if (said == verdict::good) ++result_.good_in_all;
  if (!counts(schedule_ ? by.meant : now)) return;
  auto* const in = phase_at(by.meant);
  switch (said) {
    case verdict::good:
      ++result_.good;
      good_.fetch_add(1, std::memory_order_relaxed);
      result_.latency.record(latency);
      if (in) in->latency.record(latency), in->since_sent.record(now - by.sent);
      return;
    case verdict::turned_away:
      result_.turned_away.record(now - by.sent);
      if (in) in->turned_away.record(now - by.sent);
      return;
    case verdict::failed: ++result_.failed;
  }
}

/// In an open loop it is as late as it is by now, so that a server that stalls for good shows.
void lane::count_unanswered(clock::time_point meant, clock::time_point now) {
  count_unanswered(meant);
  if (!schedule_ || !counts(meant)) return;
  result_.latency.record(now - meant);
  slice_at(meant).worst = std::max<nanoseconds>(slice_at(meant).worst, now - meant);
  phase_at(meant)->latency.record(now - meant);
}

/// The same without a latency, of what was not even asked.
void lane::count_unanswered(clock::time_point meant) {
  if (!counts(meant)) return;
  ++result_.unanswered;
  if (auto* const in = phase_at(meant)) ++in->unanswered;
}

void lane::on_lost(connection& by) {
  if (by.waits) {
    by.waits = false;
    --under_way_;
    count_unanswered(by.meant, clock::now());
  }
  if (stopping_) return;
  // A server that is gone, or takes nobody in, must not be asked in a tight loop.
  if (++connects_failed_ > 2 * connections_.size() + 1'000) {
    result_.odd_end = "the server closes connections, or takes none";
    stopping_ = true;
    return;
  }
  by.open(by.to);
}
} // namespace jumun::bench
