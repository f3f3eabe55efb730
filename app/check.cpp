#include "storage/check.hpp"
#include "app/ledger_file.hpp"
#include "app/payment_simulator.hpp"
#include "app/serve.hpp"
#include "storage/rocks_store.hpp"
#include "storage/rows.hpp"
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
    {"events", r.events}, {"elsewhere", r.elsewhere}, {"findings_total", r.findings_total}};
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
  if (r.elsewhere > 0)
    std::printf("not compared: %llu claims on shards that other folders hold; check all of the "
                "cluster's folders at once\n",
      static_cast<unsigned long long>(r.elsewhere));
}

exit_code failed(const storage::failure& why) {
  std::fprintf(stderr, "jumun check: %s\n", why.detail.c_str());
  return exit_code_of(why.code);
}

/// One data folder, or those of a cluster's nodes as one shop.
struct books {
  std::shared_ptr<const storage::store> disk;
  std::optional<storage::holdings> held; // nullopt: what the one folder says
  std::optional<std::vector<storage::ledger_line>> ledger;
};

std::variant<books, storage::failure> open_one(const config& c, const std::string& dir) {
  auto opened = storage::open_rocks({dir, c.memory_mb << 20, /*create=*/false, /*read_only=*/true});
  if (auto* why = std::get_if<storage::failure>(&opened)) return std::move(*why);
  auto ledger = read_simulator_ledger(dir);
  if (auto* why = std::get_if<storage::failure>(&ledger)) return std::move(*why);
  books b{std::get<0>(std::move(opened)), {}, {}};
  if (const auto& entries = std::get<0>(ledger)) b.ledger = lines_of(*entries);
  return b;
}

/// A node's folder among those of its cluster.
struct member_folder {
  std::string dir;
  std::shared_ptr<const storage::store> disk;
  storage::holdings held;
  domain::shard_map map; // as the folder was left
};

storage::failure not_one_cluster(const std::string& dir, const std::string& why) {
  return {storage::errc::not_ours, dir + ": " + why};
}

std::variant<member_folder, storage::failure> member_of(
  std::string dir, std::shared_ptr<const storage::store> disk) {
  auto held = storage::read_holdings(*disk);
  const auto row = disk->get(storage::table::meta, storage::shard_map_key);
  auto map = row ? storage::decode<domain::shard_map>(*row) : domain::shard_map{};
  if (!held || !map) return not_one_cluster(dir, "which shards it holds can't be read");
  if (!held->of_cluster()) return not_one_cluster(dir, "it is of no cluster; check it alone");
  return member_folder{std::move(dir), std::move(disk), std::move(*held), std::move(*map)};
}

/// Each shard's rows are taken from the folder that holds it at the highest epoch: another one may
/// not have heard yet that it holds it no more.
std::variant<books, storage::failure> joined(const std::vector<member_folder>& members) {
  books all;
  all.held.emplace();
  all.held->cluster = members.front().held.cluster;
  all.held->shards.reset();
  std::vector<storage::joined_store::part> parts;
  for (const auto& m : members) parts.push_back({m.disk, {}});
  for (std::size_t s = 0; s < domain::shard_count; ++s) {
    std::optional<std::size_t> holder;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!members[i].held.shards[s]) continue;
      const auto epoch = members[i].map.shards[s].epoch;
      const auto best = holder ? members[*holder].map.shards[s].epoch : 0;
      if (holder && epoch == best)
        return not_one_cluster(members[i].dir, "it holds shard " + std::to_string(s) + " at epoch "
                                                 + std::to_string(epoch) + ", as does "
                                                 + members[*holder].dir + ": two owners");
      if (epoch > best) holder = i;
    }
    if (!holder) continue;
    parts[*holder].shards.set(s), all.held->shards.set(s);
    all.held->trimmed.of[s] = members[*holder].held.trimmed.of[s];
  }
  all.disk = std::make_shared<storage::joined_store>(std::move(parts));
  return all;
}

std::variant<books, storage::failure> open_all(const config& c) {
  std::vector<member_folder> members;
  std::optional<std::vector<storage::ledger_line>> ledger;
  for (const auto& dir : c.check_dirs) {
    auto one = open_one(c, dir);
    if (auto* why = std::get_if<storage::failure>(&one)) return std::move(*why);
    auto& opened = std::get<books>(one);
    auto member = member_of(dir, opened.disk);
    if (auto* why = std::get_if<storage::failure>(&member)) return std::move(*why);
    members.push_back(std::get<member_folder>(std::move(member)));
    if (members.back().held.cluster != members.front().held.cluster)
      return not_one_cluster(dir, "it is of another cluster than the first one");
    if (!opened.ledger) continue;
    if (!ledger) ledger.emplace();
    ledger->insert(ledger->end(), opened.ledger->begin(), opened.ledger->end());
  }
  auto all = joined(members);
  if (auto* b = std::get_if<books>(&all)) b->ledger = std::move(ledger);
  return all;
}
} // namespace

exit_code run_check(const config& c) {
  const auto opened = c.check_dirs.size() == 1 ? open_one(c, c.check_dirs[0]) : open_all(c);
  if (const auto* why = std::get_if<storage::failure>(&opened)) return failed(*why);
  const auto& b = std::get<books>(opened);

  std::signal(SIGINT, [](int) { interrupted = true; });
  const auto on_terminal = ::isatty(STDERR_FILENO) == 1;
  const auto tell = [&](std::uint64_t rows) {
    std::fprintf(stderr, on_terminal ? "\rchecking: %llu rows" : "checking: %llu rows\n",
      static_cast<unsigned long long>(rows));
    return !interrupted;
  };
  const auto report = storage::check_store(*b.disk, b.ledger, tell, b.held);
  if (on_terminal) std::fputc('\n', stderr);
  if (interrupted) {
    std::fputs("jumun check: stopped before its end; nothing can be said\n", stderr);
    return exit_code::usage;
  }
  c.check_json ? print_json(report) : print_text(report, b.ledger.has_value());
  return report.findings_total == 0 ? exit_code::ok : exit_code::failed_check;
}
} // namespace jumun::app
