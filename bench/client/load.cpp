#include "bench/client/load.hpp"
#include "bench/client/lane.hpp"
#include "bench/interrupt.hpp"
#include <algorithm>
#include <stdexcept>
#include <thread>

namespace jumun::bench {
namespace {
constexpr auto look_pause = std::chrono::milliseconds{50};

void add(load_result& to, load_result&& part) {
  to.seconds = std::max(to.seconds, part.seconds);
  to.latency.add(part.latency);
  to.turned_away.add(part.turned_away);
  to.good += part.good;
  to.good_in_all += part.good_in_all;
  to.failed += part.failed;
  to.unanswered += part.unanswered;
  to.sent += part.sent;
  to.seen.add(part.seen);
  to.interrupted = to.interrupted || part.interrupted;
  if (to.odd_end.empty()) to.odd_end = std::move(part.odd_end);
  to.phases.resize(part.phases.size());
  for (std::size_t i = 0; i < part.phases.size(); ++i) {
    to.phases[i].latency.add(part.phases[i].latency);
    to.phases[i].turned_away.add(part.phases[i].turned_away);
    to.phases[i].since_sent.add(part.phases[i].since_sent);
    to.phases[i].unanswered += part.phases[i].unanswered;
  }
  to.slices.resize(std::max(to.slices.size(), part.slices.size()));
  for (std::size_t i = 0; i < part.slices.size(); ++i) {
    to.slices[i].sent += part.slices[i].sent;
    to.slices[i].good += part.slices[i].good;
    to.slices[i].turned_away += part.slices[i].turned_away;
    to.slices[i].worst = std::max(to.slices[i].worst, part.slices[i].worst);
  }
}

/// Tells what is to be told while the lanes are at work.
class watch {
public:
  watch(const load_plan& plan, const std::deque<lane>& lanes, clock::time_point begin)
      : plan_(plan), lanes_(lanes), measured_(begin + ticks(plan.warmup)),
        end_(measured_ + ticks(plan.length)) {}

  void stand() {
    if (!until(measured_)) return;
    if (plan_.on_begin) plan_.on_begin();
    (void)until(end_);
    if (plan_.on_end) plan_.on_end();
  }

private:
  static clock::duration ticks(std::chrono::duration<double> d) {
    return std::chrono::duration_cast<clock::duration>(d);
  }
  /// False: interrupted.
  bool until(clock::time_point then) {
    for (auto now = clock::now(); now < then; now = clock::now()) {
      if (interrupted()) return false;
      if (std::all_of(lanes_.begin(), lanes_.end(), [](const lane& l) { return l.done(); })) break;
      std::this_thread::sleep_for(std::min<clock::duration>(then - now, look_pause));
      tell();
    }
    return true;
  }
  void tell() {
    const auto now = clock::now();
    if (!plan_.on_progress || now < measured_) return;
    const std::chrono::duration<double> past = now - measured_;
    std::uint64_t good = 0;
    for (const auto& l : lanes_) good += l.good_so_far();
    plan_.on_progress(
      past.count(), past.count() > 0 ? static_cast<double>(good) / past.count() : 0);
  }

  const load_plan& plan_;
  const std::deque<lane>& lanes_;
  clock::time_point measured_, end_;
};
} // namespace

void tally::add(const tally& o) {
  orders_sent += o.orders_sent;
  orders_accepted += o.orders_accepted;
  orders_refused += o.orders_refused;
  orders_settled += o.orders_settled;
  cancels_sent += o.cancels_sent;
  cancels_accepted += o.cancels_accepted;
  cancels_refused += o.cancels_refused;
  restock_sent += o.restock_sent;
  restock_done += o.restock_done;
  restock_refused += o.restock_refused;
  if (odd.empty()) odd = o.odd;
}

double load_result::per_second() const {
  std::uint64_t in_time = 0;
  for (const auto& s : slices) in_time += s.good;
  return seconds > 0 ? static_cast<double>(in_time) / seconds : 0;
}

load_result run_load(load_plan plan) {
  if (plan.rate > 0 && plan.phases.empty()) plan.phases = {{plan.length, plan.rate}};
  if (!plan.phases.empty()) plan.length = {};
  for (const auto& p : plan.phases) plan.length += p.length;
  const auto begin = clock::now();
  std::deque<lane> lanes;
  for (unsigned i = 0; i < plan.threads; ++i) lanes.emplace_back(plan, i, begin);
  {
    std::vector<std::jthread> threads;
    for (auto& l : lanes) threads.emplace_back([&l] { l.run(); });
    watch{plan, lanes, begin}.stand();
  }
  load_result all;
  for (auto& l : lanes) add(all, l.take());
  if (!all.odd_end.empty()) throw std::runtime_error(all.odd_end);
  return all;
}
} // namespace jumun::bench
