#include "bench/interrupt.hpp"
#include "bench/modes.hpp"
#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

namespace jumun::bench {
namespace {
constexpr double rate_of_peak = 0.5;
constexpr double p99_ms_max = 100;

/// Looks now and then how many compactions run.
class compaction_watch {
public:
  explicit compaction_watch(const control& ops)
      : thread_([this, &ops](const std::stop_token& until) { watch(ops, until); }) {}

  struct figures {
    double looks = 0, with_one = 0;
    std::string failed;
  };
  [[nodiscard]] figures stop() {
    thread_.request_stop();
    thread_.join();
    return seen_;
  }

private:
  void watch(const control& ops, const std::stop_token& until) {
    constexpr auto pause = std::chrono::milliseconds{100};
    try {
      while (!until.stop_requested()) {
        const auto now = nlohmann::json::parse(ops.get("/admin/v1/storage"));
        ++seen_.looks;
        if (now.value("rocksdb.compactions_running", 0) > 0) ++seen_.with_one;
        std::this_thread::sleep_for(pause);
      }
    } catch (const std::exception& e) {
      seen_.failed = e.what();
    }
  }
  figures seen_; // the thread's, until it has ended
  std::jthread thread_;
};
} // namespace

/// Small write buffers, keys in random order, orders that are cancelled again: the database has
/// rows to throw away all the time. What does it do to the latency of the orders meanwhile?
void run_storm(stage& on, const options& o) {
  constexpr std::uint64_t orders_before = 100'000;
  constexpr unsigned filling_connections = 128;
  on.measure_ceilings();
  on.open(o.skus, {"--memory-mb", "64"});
  order_form f;
  f.skus = o.skus, f.keyed = f.waits = true;
  const auto make = [f](unsigned thread) { return mixing(f, thread); };
  on.step("placing and cancelling orders");
  auto p = on.plan(make);
  p.connections = std::max(p.connections, filling_connections);
  p.rate = 0, p.warmup = {};
  p.requests = o.orders > 0 ? o.orders : orders_before;
  p.length = std::chrono::hours{24};
  const auto peak = on.run(p).per_second();
  on.step("the storm");
  p = on.plan(make);
  p.rate = std::max(1.0, peak * rate_of_peak);
  compaction_watch compactions{on.ops()};
  const auto r = on.run(p, true);
  const auto seen = compactions.stop();
  on.result.result = stage::figures_of(r, p.rate);
  on.result.targets.push_back({"p99, ms", on.result.result.latency.p99, p99_ms_max});
  on.result.more["share of the time with a compaction"] = seen.with_one / std::max(1.0, seen.looks);
  if (!seen.failed.empty()) on.result.wrong.push_back(seen.failed);
  if (seen.with_one == 0)
    on.result.remarks.emplace_back("no compaction was seen: take more --orders");
  on.verify({units_of(f), unit_price});
  on.close();
}
} // namespace jumun::bench
