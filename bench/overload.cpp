#include "bench/modes.hpp"
#include <algorithm>

namespace jumun::bench {
namespace {
constexpr double calm_seconds = 4, storm_seconds = 6, after_seconds = 6;
constexpr unsigned storm_connections = 4'000; // more than there are permits
constexpr std::size_t calm_in_a_row = 5;      // slices until it counts as recovered

/// Sums of a part of the time, a second.
struct rates {
  double sent = 0, good = 0;
};
rates rates_of(const std::vector<slice>& slices, double from, double to) {
  constexpr double a_second = std::chrono::duration<double>{1} / slice_length;
  rates sum;
  for (auto i = static_cast<std::size_t>(from * a_second);
       i < std::min(slices.size(), static_cast<std::size_t>(to * a_second)); ++i) {
    sum.sent += static_cast<double>(slices[i].sent);
    sum.good += static_cast<double>(slices[i].good);
  }
  return {sum.sent / (to - from), sum.good / (to - from)};
}
} // namespace

double recovered_after(const std::vector<slice>& slices, double from, nanoseconds limit) {
  const double slice_seconds = std::chrono::duration<double>{slice_length}.count();
  const auto begin = static_cast<std::size_t>(from / slice_seconds + 0.5);
  std::size_t calm = 0;
  for (auto i = begin; i < slices.size(); ++i) {
    const auto& s = slices[i];
    calm = s.worst > nanoseconds{0} && s.worst <= limit && s.turned_away == 0 ? calm + 1 : 0;
    if (calm == calm_in_a_row)
      return static_cast<double>(i + 1 - calm_in_a_row - begin) * slice_seconds;
  }
  return -1;
}

/// Half of the peak, then five times the peak, then half again, without a pause: what comes of the
/// orders that the server takes, what of the others, and when is it itself again?
void run_overload(stage& on, const options& o) {
  on.measure_ceilings();
  on.open(o.skus);
  order_form f;
  f.skus = o.skus, f.keyed = o.keyed, f.waits = true;
  const auto make = [f](unsigned thread) { return ordering(f, thread); };
  on.step("the peak");
  auto p = on.plan(make);
  p.rate = 0, p.length /= 2;
  const auto peak = on.run(p).per_second();

  on.step("five times the peak");
  p.connections = std::max(o.connections, storm_connections);
  p.phases = {{std::chrono::duration<double>{calm_seconds}, peak / 2},
    {std::chrono::duration<double>{storm_seconds}, peak * 5},
    {std::chrono::duration<double>{after_seconds}, peak / 2}};
  const auto r = on.run(p, on.child() != nullptr);
  const auto &calm = r.phases[0], &storm = r.phases[1];
  on.result.connections = p.connections;
  on.result.result = stage::figures_of(r, peak * 5);
  // It takes a second to fill up.
  const auto rate = rates_of(r.slices, calm_seconds + 1, calm_seconds + storm_seconds);
  on.result.result.per_second = rate.good;
  on.result.result.latency = figures_of(storm.latency);
  const auto away = static_cast<double>(storm.turned_away.count());
  const auto asked = away + static_cast<double>(storm.latency.count());
  auto& more = on.result.more;
  more["peak, orders/s"] = peak;
  auto& targets = on.result.targets;
  targets.push_back({"goodput, of the peak", rate.good / std::max(1.0, peak), 0.8, false});
  more["really sent, of the peak"] = rate.sent / std::max(1.0, peak); // what the load managed
  more["share that was turned away"] = away / std::max(1.0, asked);
  more["p99 until they were turned away, ms"] = figures_of(storm.turned_away).p99;
  more["p99 of the good ones, ms"] = figures_of(storm.latency).p99;
  more["p50 of the good ones, since sent, ms"] = figures_of(storm.since_sent).p50;
  more["p99 of the good ones, since sent, ms"] = figures_of(storm.since_sent).p99;
  more["p50 until they were turned away, ms"] = figures_of(storm.turned_away).p50;
  more["p99 before, at half the peak, ms"] = figures_of(calm.latency).p99;
  const auto again =
    recovered_after(r.slices, calm_seconds + storm_seconds, 2 * calm.latency.percentile(0.999));
  targets.push_back({"normal again after, s", again < 0 ? after_seconds : again, 2});
  more["never answered"] = static_cast<double>(r.unanswered);
  if (on.result.cost) more["rss peak, MB"] = on.result.cost->rss_peak_mb;
  on.result.cost.reset(); // a mixture of orders and refusals: nobody's price
  on.verify({units_of(f), unit_price});
  on.close();
}
} // namespace jumun::bench
