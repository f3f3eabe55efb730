#include "bench/modes.hpp"
#include "bench/interrupt.hpp"
#include "domain/limits.hpp"
#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <vector>

namespace jumun::bench {
namespace fs = std::filesystem;

namespace {
order_form settling(const options& o) {
  order_form f;
  f.skus = o.skus, f.keyed = o.keyed, f.waits = true;
  return f;
}
auto maker(const order_form& f) {
  return [f](unsigned thread) { return ordering(f, thread); };
}
std::uint64_t orders_of(const options& o, std::uint64_t otherwise) {
  return o.orders > 0 ? o.orders : otherwise;
}
double mb(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }
double ms(nanoseconds t) { return static_cast<double>(t.count()) / 1e6; }
double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of.empty() ? 0 : of[of.size() / 2];
}
double size_mb(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code ec; // files come and go
  for (const auto& f : fs::recursive_directory_iterator{folder, ec})
    if (f.is_regular_file(ec)) sum += f.file_size(ec);
  return mb(sum);
}

constexpr unsigned filling_connections = 128; // so many orders are never turned away
constexpr double a_day = 86'400;              // ends by its requests

/// Adds so many settled orders, as fast as it goes: how many a second that was.
double fill(stage& on, std::uint64_t orders, const order_form& f) {
  if (orders == 0) return 0;
  auto p = on.plan(maker(f));
  p.connections = std::max(p.connections, filling_connections);
  p.rate = 0, p.requests = orders;
  p.warmup = {}, p.length = std::chrono::duration<double>{a_day};
  return on.run(std::move(p)).per_second();
}
/// From now on. Polls: the server tells nobody when it is through.
nanoseconds until_all_woken(stage& on) {
  constexpr auto look_pause = std::chrono::milliseconds{50};
  const auto start = std::chrono::steady_clock::now();
  while (sagas_recovering(on.ops()) > 0 && !interrupted()) std::this_thread::sleep_for(look_pause);
  return std::chrono::steady_clock::now() - start;
}
/// Waits for at most a second: what the load left behind is freed, the threads sleep.
void rest() { std::this_thread::sleep_for(std::chrono::seconds{1}); }
} // namespace

/// The three promises of latency: a lone order on an idle server, in fsyncs; and the p99 at 30 %
/// and at 80 % of the peak, by a schedule.
void run_latency(stage& on, const options& o) {
  on.measure_ceilings();
  on.open(o.skus);
  const auto f = settling(o);
  auto p = on.plan(maker(f));
  p.connections = p.threads = 1, p.rate = 0;
  on.result.connections = 1;
  on.step("one order at a time");
  on.result.result = stage::figures_of(on.run(p));
  const auto p50 = on.result.result.latency.p50, fsync = on.result.against.fsync_p50_ms;
  on.result.more["p50 of a lone order, in fsyncs"] = p50 / fsync;
  on.result.targets.push_back({"p50 of a lone order beyond 3 fsyncs, ms", p50 - 3 * fsync, 1});
  on.step("the peak");
  p = on.plan(maker(f));
  p.rate = 0, p.length /= 2;
  const auto peak = on.run(p).per_second();
  on.result.more["peak, orders/s"] = peak;
  for (const double share : {0.3, 0.8}) {
    on.step(std::to_string(static_cast<int>(100 * share + 0.5)) + " % of the peak");
    const auto fsync_now = on.fsync_p50_ms(); // disks have moods
    p = on.plan(maker(f));
    p.rate = std::max(1.0, share * peak);
    on.result.steps.push_back(stage::figures_of(on.run(p), p.rate));
    on.aim_at_latency(share, on.result.steps.back(), fsync_now);
  }
  on.verify({units_of(f), unit_price});
  on.close();
}

/// How does throughput stand after many settled orders, against the empty database?
void run_growth(stage& on, const options& o) {
  constexpr std::uint64_t steps = 5;
  on.measure_ceilings();
  on.open(o.skus);
  const auto f = settling(o);
  const auto all = orders_of(o, 200'000);
  std::vector<double> on_the_way;
  for (std::uint64_t i = 0; i <= steps; ++i) {
    const auto wanted = all * i / steps;
    on.step("to " + std::to_string(wanted) + " settled orders");
    if (wanted > on.seen.orders_settled) {
      on_the_way.push_back(fill(on, wanted - on.seen.orders_settled, f));
      on.result.more["orders/s on the way to " + std::to_string(wanted)] = on_the_way.back();
    }
    const auto before = on.seen.orders_settled;
    on.step("after " + std::to_string(before));
    auto m = stage::figures_of(on.run(on.plan(maker(f))));
    m.after_orders = before;
    on.result.steps.push_back(m);
  }
  on.result.result = on.result.steps.back();
  const auto share =
    on.result.result.per_second / std::max(1.0, on.result.steps.front().per_second);
  on.result.targets.push_back({"of the empty database's throughput", share, 0.8, false});
  // A step is some seconds, and a compaction is in it or not; the way has all of them.
  if (!on_the_way.empty() && on_the_way.front() > 0) {
    const auto slowest = *std::min_element(on_the_way.begin(), on_the_way.end());
    on.result.targets.push_back(
      {"the slowest fifth of the way, of the first one", slowest / on_the_way.front(), 0.8, false});
  }
  if (on.child()) {
    on.result.more["rss, MB"] = mb(figures_of(on.child()->pid()).rss);
    on.result.more["data folder, MB"] = size_mb(on.data());
  }
  on.verify({units_of(f), unit_price});
  on.close();
}

/// What does a saga in flight weigh, and how long is a start with many of them?
void run_in_flight(stage& on, const options& o) {
  // Payments that outlast the measurement, and no limit on those that wait for their turn.
  const std::vector<std::string> args{
    "--payment-timeout-ms", "100000", "--max-waiting-orders", "1000000"};
  auto f = settling(o);
  f.waits = false, f.token = "tok_slow_3600000";
  const auto orders = orders_of(o, 20'000);
  on.open(o.skus, args);
  rest();
  const auto before = figures_of(on.child()->pid()).rss;
  on.step("placing " + std::to_string(orders) + " orders with slow payments");
  auto p = on.plan(maker(f));
  p.rate = 0, p.requests = orders, p.warmup = {};
  p.length = std::chrono::duration<double>{a_day};
  on.result.result = stage::figures_of(on.run(std::move(p)));
  std::this_thread::sleep_for(limits::dormant_after); // then those placed last leave memory, too
  rest();
  const auto open = sagas_open(on.ops());
  const auto after = figures_of(on.child()->pid());
  on.result.more["sagas in flight"] = open;
  on.result.more["of these out of memory"] = sagas_dormant(on.ops());
  const auto grown = static_cast<double>(after.rss) - static_cast<double>(before);
  on.result.targets.push_back({"bytes of memory a saga", grown / std::max(1.0, open), 2'048});
  on.result.more["rss, MB"] = mb(after.rss);
  on.result.more["rss at most, MB"] = mb(after.rss_peak);
  on.step("kill -9, and again");
  on.child()->kill();
  on.reopen(args);
  on.result.more["ready after kill -9, ms"] = ms(on.child()->ready_after());
  const auto again = sagas_open(on.ops());
  on.step("until the last saga has been woken");
  on.result.more["and all woken after, ms"] = ms(on.child()->ready_after() + until_all_woken(on));
  const auto woken = figures_of(on.child()->pid());
  on.result.more["rss after that, MB"] = mb(woken.rss);
  on.result.more["rss at most after that, MB"] = mb(woken.rss_peak);
  const auto accepted = static_cast<double>(on.seen.orders_accepted);
  if (open < accepted || again < accepted)
    on.result.wrong.push_back(
      std::to_string(on.seen.orders_accepted) + " orders were acknowledged, "
      + std::to_string(static_cast<std::uint64_t>(open)) + " were in flight, and after kill -9 "
      + std::to_string(static_cast<std::uint64_t>(again)));
  on.close();
}

/// How long from the start of the process until it is ready, and what does it weigh at rest?
void run_start(stage& on, const options& o) {
  constexpr int times = 5;
  const auto starts = [&] {
    std::vector<double> took;
    for (int i = 0; i < times && !interrupted(); ++i) {
      on.reopen();
      took.push_back(ms(on.child()->ready_after()));
      if (i + 1 < times) on.child()->stop();
    }
    return median(took);
  };
  on.step("an empty database");
  on.result.targets.push_back({"ready after, empty, ms", starts(), 300});
  rest();
  on.result.targets.push_back({"rss idle, MB", mb(figures_of(on.child()->pid()).rss), 60});
  on.child()->stop();
  on.open(o.skus);
  const auto f = settling(o);
  const auto orders = orders_of(o, 100'000);
  on.step("placing " + std::to_string(orders) + " orders");
  fill(on, orders, f);
  on.verify({units_of(f), unit_price});
  on.child()->stop();
  on.step("a database with " + std::to_string(orders) + " settled orders");
  on.result.more["settled orders"] = static_cast<double>(on.seen.orders_settled);
  on.result.targets.push_back({"ready after, with these, ms", starts(), 1'000});
  rest();
  on.result.more["rss idle, with these, MB"] = mb(figures_of(on.child()->pid()).rss);
  on.child()->kill();
  on.reopen();
  on.result.more["ready after kill -9, with these, ms"] = ms(on.child()->ready_after());
  on.close();
}
} // namespace jumun::bench
