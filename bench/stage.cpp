#include "bench/stage.hpp"
#include "bench/interrupt.hpp"
#include "bench/server/fsync_ceiling.hpp"
#include "bench/server/syscall_counter.hpp"
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace jumun::bench {
namespace fs = std::filesystem;

namespace {
constexpr std::int64_t stock = 1'000'000'000; // of each SKU
constexpr auto rest_patience = std::chrono::seconds{120};
constexpr double ceiling_seconds_max = 2, ceiling_warmup_max = 0.5;

fs::path parent_of(const options& o) {
  if (!o.dir.empty()) return o.dir;
  const char* tmp = std::getenv("TMPDIR");
  return tmp && *tmp ? tmp : "/tmp";
}
double number_in(const nlohmann::json& j, const char* name) { return j.value(name, 0.0); }

void want(const control::reply& r, const std::string& what) {
  if (r.status / 100 != 2)
    throw std::runtime_error(what + ": " + std::to_string(r.status) + " " + r.body.substr(0, 300));
}
} // namespace

stage::stage(const options& o, progress& say, std::string scenario)
    : o_(o), say_(say), scratch_(parent_of(o), o.keep), data_(scratch_.path() / "data") {
  result.scenario = std::move(scenario);
  result.connections = o.connections;
}

void stage::measure_ceilings() {
  step("the ceilings");
  if (!o_.url.empty()) return ceilings_at(endpoint_of(o_.ops));
  const auto folder = scratch_.path() / "ceiling";
  fs::create_directory(folder);
  child_server bare{folder / "data", folder, o_.server_args, {}};
  ceilings_at(bare.ops());
  bare.stop();
  fs::remove_all(folder);
}

void stage::ceilings_at(endpoint ops) {
  const auto seconds = std::min(o_.seconds, ceiling_seconds_max);
  auto& c = result.against;
  const auto synced = measure_fsync(scratch_.path(), std::chrono::duration<double>{seconds / 2});
  const auto latency = bench::figures_of(synced.latency);
  c.fsync_per_second = synced.per_second;
  c.fsync_p50_ms = latency.p50, c.fsync_p99_ms = latency.p99;
  load_plan p;
  p.at = ops;
  p.connections = o_.connections, p.threads = o_.threads;
  p.warmup = std::chrono::duration<double>{std::min(o_.warmup, ceiling_warmup_max)};
  p.length = std::chrono::duration<double>{seconds};
  p.make = [](unsigned) { return getting("/livez"); };
  c.livez_per_second = run_load(p).per_second();
}

void stage::start(const std::vector<std::string>& more_args) {
  auto args = o_.server_args;
  args.insert(args.end(), more_args.begin(), more_args.end());
  server_ = std::make_unique<child_server>(
    data_, scratch_.path(), args, child_server::launch{true, true, {}});
  shop_at_ = server_->shop();
  ops_at_ = server_->ops();
  ops_.emplace(ops_at_);
  shop_.emplace(shop_at_);
  good_ = 0;
}

void stage::reopen(const std::vector<std::string>& more_args) {
  server_.reset();
  start(more_args);
}

void stage::open(unsigned skus, const std::vector<std::string>& more_args) {
  if (o_.url.empty()) {
    start(more_args);
  } else {
    shop_at_ = endpoint_of(o_.url);
    ops_at_ = endpoint_of(o_.ops);
    shop_.emplace(shop_at_), ops_.emplace(ops_at_);
  }
  for (unsigned i = 0; i < skus; ++i) {
    const auto sku = sku_name(i);
    want(shop_->call("PUT", "/v1/products/" + sku,
           R"({"name":"Cup","unit_price":{"amount":)" + std::to_string(unit_price)
             + R"(,"currency":")" + std::string{currency} + "\"}}"),
      "a product");
    want(shop_->call("POST", "/v1/inventory/" + sku + "/adjustments",
           R"({"delta":)" + std::to_string(stock) + R"(,"reason":"bench"})"),
      "its stock");
  }
  before_ = read_books(*shop_, *ops_, rest_patience);
}

load_plan stage::plan(decltype(load_plan::make) make) const {
  load_plan p;
  p.at = shop_at_;
  p.connections = o_.connections, p.threads = o_.threads;
  p.rate = o_.rate;
  p.warmup = std::chrono::duration<double>{o_.warmup};
  p.length = std::chrono::duration<double>{o_.seconds};
  p.make = std::move(make);
  return p;
}

load_result stage::run(load_plan p, bool cost) {
  const auto pid = server_ ? server_->pid() : -1;
  proc_figures before, after;
  std::string storage_before, storage_after;
  std::variant<std::string, syscall_counter> calls;
  std::map<std::string, std::uint64_t> called;
  p.on_progress = [this, of = p.length.count()](double s, double rate) { say_.at(s, of, rate); };
  if (cost) {
    p.on_begin = [&] {
      storage_before = ops_->get("/admin/v1/storage");
      reset_rss_peak(pid);
      if (o_.syscalls) calls = syscall_counter::attach(pid);
      before = bench::figures_of(pid);
    };
    p.on_end = [&] {
      after = bench::figures_of(pid);
      if (const auto* counter = std::get_if<syscall_counter>(&calls)) called = counter->counts();
      storage_after = ops_->get("/admin/v1/storage");
    };
  }
  const disk_witness witness{scratch_.path()};
  auto r = run_load(p);
  r.disk_worst = witness.worst();
  if (interrupted()) throw std::runtime_error("interrupted");
  seen.add(r.seen);
  good_ += r.good_in_all;
  if (cost && r.good > 0) note_costs(before, storage_before, r, after, storage_after);
  if (const auto* why = std::get_if<std::string>(&calls); why && !why->empty())
    result.remarks.push_back("system calls were not counted: " + *why);
  if (result.cost)
    for (const auto& [kind, n] : called)
      result.cost->syscalls[kind] = static_cast<double>(n) / static_cast<double>(r.good);
  return r;
}

void stage::note_costs(const proc_figures& before, const std::string& storage_before,
  const load_result& of, const proc_figures& after, const std::string& storage_after) {
  const auto then = nlohmann::json::parse(storage_before);
  const auto now = nlohmann::json::parse(storage_after);
  const auto good = static_cast<double>(of.good);
  const auto each = [good](auto b, auto a) { return static_cast<double>(a - b) / good; };
  const auto each_of = [&](const char* name) {
    return (number_in(now, name) - number_in(then, name)) / good;
  };
  cost_figures c;
  c.cpu_us = each(before.cpu_us, after.cpu_us);
  c.syscalls_rw = each(before.reads + before.writes, after.reads + after.writes);
  c.switches = each(before.switches, after.switches);
  c.bytes_written = each(before.written, after.written);
  c.bytes_to_disk = each(before.to_disk, after.to_disk);
  c.bytes_of_rows = each_of("bytes");
  c.write_amplification = c.bytes_of_rows > 0 ? c.bytes_to_disk / c.bytes_of_rows : 0;
  c.write_sets = each_of("write_sets"), c.commits = each_of("commits");
  c.write_sets_per_commit = c.commits > 0 ? c.write_sets / c.commits : 0;
  c.rss_peak_mb = static_cast<double>(after.rss_peak) / (1 << 20);
  result.cost = c;
}

void stage::verify(const order_price& each) {
  step("the books");
  const auto after = read_books(*shop_, *ops_, rest_patience);
  for (auto& w : disagreements(before_, after, seen, each)) result.wrong.push_back(std::move(w));
}

void stage::close() {
  if (!server_) return;
  step("jumun check");
  server_->stop();
  note_allocations();
  const auto check = run_self({"check", "--json", data_}, scratch_.path() / "check.log");
  if (check.exit_code != 0) {
    result.wrong.push_back("jumun check: exit code " + std::to_string(check.exit_code) + " "
                           + check.out.substr(0, 1'000));
    return;
  }
  const auto report = nlohmann::json::parse(check.out);
  const auto orders = report.at("orders").get<std::uint64_t>();
  if (orders < seen.orders_accepted)
    result.wrong.push_back(std::to_string(seen.orders_accepted) + " orders were acknowledged, but "
                           + std::to_string(orders) + " are on the disk");
}

/// jemalloc's own counts, which the server leaves behind on stderr.
void stage::note_allocations() {
  const auto log = server_->log();
  const auto begin = log.rfind(R"({"jemalloc":)");
  if (!result.cost || begin == std::string::npos || good_ == 0) return;
  const auto end = log.find("\n}", begin);
  const auto json = nlohmann::json::parse(
    log.substr(begin, end == std::string::npos ? end : end + 2 - begin), nullptr, false);
  if (json.is_discarded()) return;
  const auto at = "/jemalloc/stats.arenas/merged"_json_pointer;
  if (!json.contains(at)) return;
  const auto& sums = json.at(at);
  double asked = 0;
  for (const char* size : {"small", "large"})
    asked += sums.value(size, nlohmann::json::object()).value("nrequests", 0.0);
  result.cost->allocations = asked / static_cast<double>(good_);
}

double stage::fsync_p50_ms() const {
  const auto synced = measure_fsync(scratch_.path(), std::chrono::duration<double>{0.5});
  return bench::figures_of(synced.latency).p50;
}

void stage::aim_at_latency(double share_of_peak, const measured& seen, double fsync_ms) {
  const auto p99 = seen.latency.p99;
  if (share_of_peak < 0.5)
    result.targets.push_back({"p99 at 30 % of the peak, in fsyncs", p99 / fsync_ms, 4});
  else
    result.targets.push_back({"p99 at 80 % of the peak, ms", p99, 25});
}

measured stage::figures_of(const load_result& r, double asked_rate) {
  measured m;
  m.asked_rate = asked_rate;
  m.per_second = r.per_second();
  m.latency = bench::figures_of(r.latency);
  m.disk_worst_ms = static_cast<double>(r.disk_worst.count()) / 1e6;
  m.good = r.good, m.failed = r.failed, m.unanswered = r.unanswered;
  m.turned_away = r.turned_away.count();
  return m;
}
} // namespace jumun::bench
