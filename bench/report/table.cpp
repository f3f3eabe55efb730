#include "bench/report/text.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace jumun::bench {
namespace {
template <class... Args> void print(std::string& to, const char* form, Args... args) {
  char line[400];
  const int size = std::snprintf(line, sizeof line, form, args...);
  to.append(line, static_cast<std::size_t>(std::min<int>(size, sizeof line - 1)));
}
/// 1,234,567
std::string grouped(double x) {
  auto text = std::to_string(static_cast<long long>(x + 0.5));
  for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}
/// As many digits as are worth anything.
std::string plain(double x) {
  if (std::abs(x) >= 1'000) return grouped(x);
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}
std::string ratio(double x) {
  char text[32] = "-";
  if (x > 0) std::snprintf(text, sizeof text, x < 10 ? "%.3f" : "%.1f", x);
  return text;
}
const char* verdict_of(const row& r) {
  return !r.wrong.empty() ? "WRONG" : r.verified ? "verified" : "-";
}

void put_row(std::string& out, const std::string& name, const measured& m, const row& of) {
  const auto& l = m.latency;
  if (m.per_second == 0 && m.good == 0) { // a question of another kind
    print(out, "%-12s %101s  %s\n", name.c_str(), "", verdict_of(of));
    return;
  }
  const auto lost = m.failed + m.turned_away + m.unanswered;
  print(out, "%-12s %9s %8s %8s %8.2f %8.2f %8.2f %8.2f %9.2f %8s  %s\n", name.c_str(),
    grouped(m.per_second).c_str(), ratio(of.to_livez()).c_str(), ratio(of.to_fsync()).c_str(),
    l.p50, l.p90, l.p99, l.p999, l.max, grouped(static_cast<double>(lost)).c_str(), verdict_of(of));
}

/// A growing database, or a rising load.
std::string name_of(const measured& step) {
  if (!step.name.empty()) return "  " + step.name;
  return step.asked_rate > 0 ? "  at " + grouped(step.asked_rate)
                             : "  +" + grouped(static_cast<double>(step.after_orders));
}
void put_steps(std::string& out, const row& r) {
  row bare; // a step has no ratios and no verdict of its own
  bare.verified = false;
  for (const auto& s : r.steps) put_row(out, name_of(s), s, bare);
}

/// A disk that stalled for everybody: such a row is about the machine, not about the server.
void put_stalls(std::string& out, const whole_report& r) {
  constexpr double stall_ms_min = 100;
  const auto tell = [&out](const std::string& name, const measured& m) {
    if (m.disk_worst_ms >= stall_ms_min)
      print(out, "the disk itself took %s ms for one sync beside %s\n",
        grouped(m.disk_worst_ms).c_str(), name.c_str());
  };
  for (const auto& one : r.rows) {
    tell(one.scenario, one.result);
    for (const auto& s : one.steps) tell(one.scenario + name_of(s), s);
  }
}

void put_costs(std::string& out, const whole_report& r) {
  bool titled = false;
  for (const auto& one : r.rows) {
    if (!one.cost) continue;
    if (!titled)
      print(out, "\n%-12s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "cost each",
        "CPU µs", // µ: two bytes
        " syscalls", "switches", "rows B", "written", "to disk", "amplif.", "wr.sets", "allocs",
        "peak MB");
    titled = true;
    const auto& c = *one.cost;
    print(out, "%-12s %8.1f %8.2f %8.2f %8.0f %8.0f %8.0f %8.2f %8.2f %8.0f %8.0f\n",
      one.scenario.c_str(), c.cpu_us, c.syscalls_rw, c.switches, c.bytes_of_rows, c.bytes_written,
      c.bytes_to_disk, c.write_amplification, c.write_sets, c.allocations, c.rss_peak_mb);
  }
}

void put_syscalls(std::string& out, const whole_report& r) {
  constexpr const char* kinds[] = {
    "all", "send", "receive", "epoll_wait", "futex", "write", "sync"};
  bool titled = false;
  for (const auto& one : r.rows) {
    if (!one.cost || one.cost->syscalls.empty()) continue;
    if (!std::exchange(titled, true)) {
      print(out, "\n%-12s", "system calls");
      for (const auto* kind : kinds) print(out, " %10s", kind);
      out += '\n';
    }
    print(out, "%-12s", one.scenario.c_str());
    for (const auto* kind : kinds) {
      const auto n = one.cost->syscalls.find(kind);
      print(out, " %10.2f", n == one.cost->syscalls.end() ? 0.0 : n->second);
    }
    out += '\n';
  }
}

void put_figures(std::string& out, const row& r) {
  if (r.more.empty() && r.targets.empty() && r.remarks.empty()) return;
  out += "\n" + r.scenario + "\n";
  for (const auto& t : r.targets)
    print(out, "  %-46s %12s   wanted: %s %s%s\n", t.what.c_str(), plain(t.seen).c_str(),
      t.at_most ? "at most" : "at least", plain(t.wanted).c_str(), t.met() ? "" : "  <-- MISSED");
  for (const auto& [name, value] : r.more)
    print(out, "  %-46s %12s\n", name.c_str(), plain(value).c_str());
  for (const auto& remark : r.remarks) out += "  " + remark + "\n";
}
} // namespace

std::string table_text(const whole_report& r) {
  std::string out;
  print(out, "%s, %u cores, %.0f GB, %s; binary %.1f MB\n\n", r.on.cpu.c_str(), r.on.cores,
    r.on.memory_gb, r.on.kernel.c_str(), r.binary_mb);
  print(out, "%-12s %9s %8s %8s %8s %8s %8s %8s %9s %8s  %s\n", "scenario", "per s", "/livez",
    "/fsync", "p50 ms", "p90", "p99", "p99.9", "max", "no good", "books");
  for (const auto& one : r.rows) {
    put_row(out, one.scenario, one.result, one);
    put_steps(out, one);
  }
  put_stalls(out, r);
  put_costs(out, r);
  put_syscalls(out, r);
  for (const auto& one : r.rows) put_figures(out, one);
  for (const auto& one : r.rows)
    for (const auto& w : one.wrong) out += "\nWRONG " + one.scenario + ": " + w + "\n";
  return out;
}
} // namespace jumun::bench
