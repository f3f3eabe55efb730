#include "bench/scenarios.hpp"
#include "bench/server/fsync_ceiling.hpp"
#include <algorithm>

namespace jumun::bench {
namespace {
order_form form_of(const options& o) {
  order_form f;
  f.skus = o.skus;
  f.keyed = o.keyed;
  return f;
}

/// One measurement between the ceilings and the books.
void measure(stage& on, unsigned skus, const order_price& each, decltype(load_plan::make) make) {
  on.measure_ceilings();
  on.open(skus);
  auto plan = on.plan(std::move(make));
  const auto rate = plan.rate;
  on.step("the load");
  const auto r = on.run(std::move(plan), on.child() != nullptr);
  on.result.result = stage::figures_of(r, rate);
  if (r.good == 0) on.result.wrong.push_back("no request had the answer that it should have");
  if (r.failed > 0)
    on.result.wrong.push_back(
      std::to_string(r.failed) + " answers that nobody expected, such as " + r.seen.odd);
  on.verify(each);
  on.close();
}
void measure_orders(stage& on, const order_form& f) {
  measure(on, f.skus, {units_of(f), unit_price}, [f](unsigned t) { return ordering(f, t); });
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

void run_accept(stage& on, const options& o) { measure_orders(on, form_of(o)); }

void run_settle(stage& on, const options& o) {
  auto f = form_of(o);
  f.waits = true;
  measure_orders(on, f);
}

void run_hot(stage& on, const options& o) {
  auto f = form_of(o);
  f.waits = true, f.skus = 1;
  measure_orders(on, f);
}

void run_mixed(stage& on, const options& o) {
  auto f = form_of(o);
  f.waits = true;
  measure(on, f.skus, {units_of(f), unit_price}, [f](unsigned t) { return mixing(f, t); });
}

void run_restock(stage& on, const options& o) {
  measure(on, o.skus, {}, [n = o.skus](unsigned) { return restocking(n); });
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
  {"big", "settle, orders of 50 lines", true, false, run_big},
};
} // namespace

std::span<const scenario> all_scenarios() { return table; }
const scenario* find_scenario(std::string_view name) {
  const auto* found = std::find_if(
    std::begin(table), std::end(table), [name](const auto& s) { return s.name == name; });
  return found == std::end(table) ? nullptr : found;
}
} // namespace jumun::bench
