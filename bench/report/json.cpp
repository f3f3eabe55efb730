#include "bench/report/text.hpp"
#include <cmath>
#include <nlohmann/json.hpp>

namespace jumun::bench {
namespace {
using json = nlohmann::ordered_json;

/// Four digits are more than any of this is worth.
double rounded(double x) {
  if (x == 0 || !std::isfinite(x)) return 0;
  const auto scale = std::pow(10.0, 4 - std::ceil(std::log10(std::abs(x))));
  return std::abs(x) >= 1'000 ? std::round(x) : std::round(x * scale) / scale;
}

json to_json(const latency_figures& l) {
  return {{"p50", rounded(l.p50)}, {"p90", rounded(l.p90)}, {"p99", rounded(l.p99)},
    {"p99.9", rounded(l.p999)}, {"max", rounded(l.max)}};
}
json to_json(const measured& m) {
  json out;
  if (!m.name.empty()) out["name"] = m.name;
  out.update(json{{"loop", m.asked_rate > 0 ? "open" : "closed"}});
  if (m.asked_rate > 0) out["asked_per_second"] = rounded(m.asked_rate);
  if (m.disk_worst_ms > 0) out["worst_fsync_beside_ms"] = rounded(m.disk_worst_ms);
  if (m.after_orders > 0) out["after_orders"] = m.after_orders;
  out.update(
    {{"per_second", rounded(m.per_second)}, {"latency_ms", to_json(m.latency)}, {"good", m.good},
      {"failed", m.failed}, {"turned_away", m.turned_away}, {"unanswered", m.unanswered}});
  return out;
}
json to_json(const cost_figures& c) {
  json out{{"cpu_us", rounded(c.cpu_us)}, {"read_write_syscalls", rounded(c.syscalls_rw)},
    {"context_switches", rounded(c.switches)}, {"bytes_written", rounded(c.bytes_written)},
    {"bytes_to_disk", rounded(c.bytes_to_disk)}, {"bytes_of_rows", rounded(c.bytes_of_rows)},
    {"write_amplification", rounded(c.write_amplification)}, {"write_sets", rounded(c.write_sets)},
    {"commits", rounded(c.commits)}, {"write_sets_per_commit", rounded(c.write_sets_per_commit)},
    {"allocations", rounded(c.allocations)}, {"rss_peak_mb", rounded(c.rss_peak_mb)}};
  for (const auto& [kind, n] : c.syscalls) out["syscalls"][kind] = rounded(n);
  return out;
}
json to_json(const row& r) {
  json out{{"scenario", r.scenario}, {"connections", r.connections},
    {"verdict", !r.wrong.empty() ? "wrong"
                : r.verified     ? "verified"
                                 : "nothing to verify"}};
  out.update(to_json(r.result));
  if (r.against.livez_per_second > 0)
    out["ceilings"] = {{"livez_per_second", rounded(r.against.livez_per_second)},
      {"fsync_per_second", rounded(r.against.fsync_per_second)},
      {"fsync_p50_ms", rounded(r.against.fsync_p50_ms)},
      {"fsync_p99_ms", rounded(r.against.fsync_p99_ms)}, {"to_livez", rounded(r.to_livez())},
      {"to_fsync", rounded(r.to_fsync())}};
  if (r.cost) out["cost_each"] = to_json(*r.cost);
  for (const auto& [name, value] : r.more) out["figures"][name] = rounded(value);
  for (const auto& t : r.targets)
    out["targets"].push_back({{"what", t.what}, {"seen", rounded(t.seen)},
      {t.at_most ? "at_most" : "at_least", t.wanted}, {"met", t.met()}});
  for (const auto& s : r.steps) out["steps"].push_back(to_json(s));
  if (!r.remarks.empty()) out["remarks"] = r.remarks;
  if (!r.wrong.empty()) out["wrong"] = r.wrong;
  return out;
}
} // namespace

std::string json_text(const whole_report& r) {
  json out{{"format", 1}, {"commit", r.commit}, {"time", r.time}, {"version", r.version},
    {"machine", {{"cores", r.on.cores}, {"cpu", r.on.cpu}, {"kernel", r.on.kernel},
                  {"memory_gb", rounded(r.on.memory_gb)}}},
    {"binary_mb", rounded(r.binary_mb)}};
  auto& rows = out["scenarios"] = json::array();
  for (const auto& one : r.rows) rows.push_back(to_json(one));
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}
} // namespace jumun::bench
