#include "storage/check.hpp"
#include "app/ledger_file.hpp"
#include "app/payment_simulator.hpp"
#include "app/serve.hpp"
#include "storage/rocks_store.hpp"
#include <atomic>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace jumun::app {
namespace {
std::atomic<bool> interrupted{false};

std::vector<storage::ledger_line> lines_of(const std::vector<http::ledger_entry>& entries) {
  std::vector<storage::ledger_line> out;
  out.reserve(entries.size());
  for (const auto& e : entries)
    out.push_back({e.kind, e.order_id, e.payment_id, e.currency, e.amount});
  return out;
}

void print_json(const storage::check_report& r) {
  nlohmann::ordered_json out{{"rows", r.rows}, {"orders", r.orders}, {"skus", r.skus},
    {"events", r.events}, {"findings_total", r.findings_total}};
  auto& findings = out["findings"] = nlohmann::ordered_json::array();
  for (const auto& f : r.findings)
    findings.push_back({{"code", f.code}, {"where", f.where}, {"what", f.what}});
  std::puts(out.dump(2).c_str());
}

void print_text(const storage::check_report& r, bool with_ledger) {
  for (const auto& f : r.findings)
    std::printf("%s  %s  %s\n", f.code.c_str(), f.where.c_str(), f.what.c_str());
  if (r.findings_total > r.findings.size())
    std::printf(
      "… and %llu more\n", static_cast<unsigned long long>(r.findings_total - r.findings.size()));
  std::printf("%s: %llu findings; checked %llu rows: %llu orders, %llu SKUs, %llu events%s\n",
    r.findings_total == 0 ? "sound" : "broken", static_cast<unsigned long long>(r.findings_total),
    static_cast<unsigned long long>(r.rows), static_cast<unsigned long long>(r.orders),
    static_cast<unsigned long long>(r.skus), static_cast<unsigned long long>(r.events),
    with_ledger ? ", and the provider's ledger" : " (no provider's ledger is at hand)");
}

exit_code failed(const storage::failure& why) {
  std::fprintf(stderr, "jumun check: %s\n", why.detail.c_str());
  return exit_code_of(why.code);
}
} // namespace

exit_code run_check(const config& c) {
  const auto opened = storage::open_rocks({c.check_dir, c.memory_mb << 20, /*create=*/false,
    /*read_only=*/true});
  if (const auto* why = std::get_if<storage::failure>(&opened)) return failed(*why);
  const auto ledger = read_simulator_ledger(c.check_dir);
  if (const auto* why = std::get_if<storage::failure>(&ledger)) return failed(*why);
  std::optional<std::vector<storage::ledger_line>> lines;
  if (const auto& entries = std::get<0>(ledger)) lines = lines_of(*entries);

  std::signal(SIGINT, [](int) { interrupted = true; });
  const auto on_terminal = ::isatty(STDERR_FILENO) == 1;
  const auto report = storage::check_store(*std::get<0>(opened), lines, [&](std::uint64_t rows) {
    std::fprintf(stderr, on_terminal ? "\rchecking: %llu rows" : "checking: %llu rows\n",
      static_cast<unsigned long long>(rows));
    return !interrupted;
  });
  if (on_terminal) std::fputc('\n', stderr);
  if (interrupted) {
    std::fputs("jumun check: stopped before its end; nothing can be said\n", stderr);
    return exit_code::usage;
  }
  c.check_json ? print_json(report) : print_text(report, lines.has_value());
  return report.findings_total == 0 ? exit_code::ok : exit_code::failed_check;
}
} // namespace jumun::app
