#include "bench/scenarios.hpp"
#include "bench/client/event_readers.hpp"
#include "bench/interrupt.hpp"
#include "bench/modes.hpp"
#include "bench/server/fsync_ceiling.hpp"
#include <algorithm>
#include <thread>

namespace jumun::bench {
namespace {
order_form form_of(const options& o) {
  order_form f;
  f.skus = o.skus;
  f.keyed = o.keyed;
  return f;
}

using maker = decltype(load_plan::make);

/// The one measurement of a scenario, with its costs.
void measure(stage& on, maker make) {
  auto plan = on.plan(std::move(make));
  const auto rate = plan.rate;
  on.step("the load");
  const auto r = on.run(std::move(plan), on.child() != nullptr);
  on.result.result = stage::figures_of(r, rate);
  if (r.good == 0) on.result.wrong.push_back("no request had the answer that it should have");
  if (r.failed > 0)
    on.result.wrong.push_back(
      std::to_string(r.failed) + " answers that nobody expected, such as " + r.seen.odd);
}
void settle_books(stage& on, const order_price& each) {
  on.verify(each);
  on.close();
}
void open(stage& on, unsigned skus) {
  on.measure_ceilings();
  on.open(skus);
}
void measure_orders(stage& on, const order_form& f) {
  open(on, f.skus);
  measure(on, [f](unsigned t) { return ordering(f, t); });
  settle_books(on, {units_of(f), unit_price});
}

/// The same orders by a schedule, at tenths of the peak just measured.
void measure_steps(stage& on, const order_form& f, const options& o) {
  constexpr int steps = 10;
  constexpr double seconds_max = 5, warmup_max = 1;
  const auto peak = on.result.result.per_second;
  for (int i = 1; i <= steps; ++i) {
    on.step(std::to_string(100 * i / steps) + " % of the peak");
    auto p = on.plan([f](unsigned t) { return ordering(f, t); });
    p.rate = peak * i / steps;
    p.length = std::chrono::duration<double>{std::min(o.seconds, seconds_max)};
    p.warmup = std::chrono::duration<double>{std::min(o.warmup, warmup_max)};
    const auto rate = p.rate;
    const bool promised = f.waits && (i == 3 || i == 8);
    const auto fsync_now = promised ? on.fsync_p50_ms() : 0;
    on.result.steps.push_back(stage::figures_of(on.run(std::move(p)), rate));
    if (promised) on.aim_at_latency(i / 10.0, on.result.steps.back(), fsync_now);
  }
}
/// With --plot also latency against load.
void measure_with_steps(stage& on, const order_form& f, const options& o) {
  open(on, f.skus);
  measure(on, [f](unsigned t) { return ordering(f, t); });
  if (o.rate == 0)
    on.result.targets.push_back(
      {"of GET /livez", on.result.to_livez(), f.waits ? 0.35 : 0.45, false});
  if (!o.plot.empty() && o.rate == 0 && on.result.result.per_second >= 1) measure_steps(on, f, o);
  settle_books(on, {units_of(f), unit_price});
}

void run_livez(stage& on, const options&) {
  on.open(0);
  auto plan = on.plan([](unsigned) { return getting("/livez"); });
  plan.at = on.ops_at();
  on.result.result = stage::figures_of(on.run(plan), plan.rate);
  on.result.verified = false;
}

void run_fsync(stage& on, const options& o) {
  const auto synced = measure_fsync(on.folder(), std::chrono::duration<double>{o.seconds / 2});
  auto& m = on.result.result;
  m.per_second = synced.per_second;
  m.latency = figures_of(synced.latency);
  m.good = synced.latency.count();
  on.result.connections = 1;
  on.result.verified = false;
}

void run_accept(stage& on, const options& o) { measure_with_steps(on, form_of(o), o); }

void run_settle(stage& on, const options& o) {
  auto f = form_of(o);
  f.waits = true;
  measure_with_steps(on, f, o);
}

void run_hot(stage& on, const options& o) {
  auto f = form_of(o);
  f.waits = true, f.skus = 1;
  measure_orders(on, f);
}

void run_mixed(stage& on, const options& o) {
  auto f = form_of(o);
  f.waits = true;
  open(on, f.skus);
  measure(on, [f](unsigned t) { return mixing(f, t); });
  settle_books(on, {units_of(f), unit_price});
}

void run_restock(stage& on, const options& o) {
  open(on, o.skus);
  measure(on, [n = o.skus](unsigned) { return restocking(n); });
  settle_books(on, {});
}

/// Each order is one OrderPlaced and more for each reader; in the end they must have read alike.
void run_events(stage& on, const options& o) {
  constexpr auto patience = std::chrono::seconds{30};
  auto f = form_of(o);
  f.waits = true;
  open(on, f.skus);
  const event_readers readers{on.shop_at(), o.readers, "/v1/events?topic=orders&after=latest"};
  const auto begin = clock::now();
  measure(on, [f](unsigned t) { return ordering(f, t); });
  const std::chrono::duration<double> took = clock::now() - begin;
  const auto meanwhile = readers.so_far();
  on.step("the readers");
  on.verify({units_of(f), unit_price});
  auto now = readers.so_far();
  const auto orders = on.seen.orders_settled;
  for (const auto deadline = clock::now() + patience;
       (now.least < now.most || now.least < orders) && clock::now() < deadline && !interrupted();
       now = readers.so_far())
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  on.result.more["readers"] = o.readers;
  on.result.more["events/s, of all readers"] = static_cast<double>(meanwhile.all) / took.count();
  on.result.more["MB/s, of all readers"] =
    static_cast<double>(meanwhile.bytes) / took.count() / (1 << 20);
  on.result.more["times a reader was cut off"] = static_cast<double>(now.cut_off);
  if (now.least < now.most || now.least < orders)
    on.result.wrong.push_back("of " + std::to_string(orders) + " orders one reader has had "
                              + std::to_string(now.least) + " events, another "
                              + std::to_string(now.most));
  on.close();
}

void run_big(stage& on, const options& o) {
  auto f = form_of(o);
  f.waits = true, f.lines = 50, f.quantity = 1, f.skus = 100;
  measure_orders(on, f);
}

constexpr scenario table[] = {
  {"livez", "GET /livez: what HTTP alone can do here", true, false, run_livez},
  {"fsync", "one record appended and synced after the other: what the disk can do", true, true,
    run_fsync},
  {"accept", "POST /v1/orders, answered once the order is durable", true, false, run_accept},
  {"settle", "the same with Prefer: wait, answered once the whole saga has ended", true, false,
    run_settle},
  {"hot", "settle, all of one SKU", true, false, run_hot},
  {"mixed", "70 % settle, 20 % reads of orders, 10 % cancellations", true, false, run_mixed},
  {"restock", "stock adjustments", true, false, run_restock},
  {"events", "settle, with --readers readers of the event stream", true, false, run_events},
  {"big", "settle, orders of 50 lines", true, false, run_big},
  {"latency", "a lone order, and the p99 at 30 % and 80 % of the peak", false, false, run_latency},
  {"overload", "five times the peak, and what comes after", false, false, run_overload},
  {"growth", "settle after more and more settled orders (--orders 200000)", false, false,
    run_growth},
  {"storm", "settle while compactions run (--orders 100000)", false, true, run_storm},
  {"in-flight", "memory of sagas in flight (--orders 20000), kill -9, and the start after it",
    false, true, run_in_flight},
  {"start", "time to ready: empty, and with settled orders (--orders 100000)", false, true,
    run_start},
  {"cluster", "settle on 1, 2 and 4 nodes (--nodes 4), and with each step on another node", false,
    true, run_cluster},
};
} // namespace

std::span<const scenario> all_scenarios() { return table; }
const scenario* find_scenario(std::string_view name) {
  const auto* found = std::find_if(
    std::begin(table), std::end(table), [name](const auto& s) { return s.name == name; });
  return found == std::end(table) ? nullptr : found;
}
} // namespace jumun::bench
