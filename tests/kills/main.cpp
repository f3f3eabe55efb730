// Kills the real server again and again; see README.md here. Exits 0 when all books held.
#include "tests/kills/epoch.hpp"
#include <csignal>
#include <cstdio>
#include <cstring>
#include <random>
#include <stdlib.h>
#include <thread>

namespace {
using namespace jumun::tests::kills;
using clock_type = std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

struct options {
  std::uint64_t cycles = 0, minutes = 0, seed = std::random_device{}(), lanes = 1, from_epoch = 1;
  std::uint64_t progress_s = 5;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
};
constexpr const char* usage =
  "usage: jumun_kills [--cycles N | --minutes N] [--seed S] [--from-epoch E] [--lanes N]\n"
  "                   [--folder DIR] [--progress SECONDS]\n";

/// False: it is none of ours, or no number.
bool take(options& o, const std::string& name, const char* value) {
  if (name == "--folder") return o.folder = value, true;
  const std::pair<const char*, std::uint64_t*> numbers[] = {{"--cycles", &o.cycles},
    {"--minutes", &o.minutes}, {"--seed", &o.seed}, {"--from-epoch", &o.from_epoch},
    {"--lanes", &o.lanes}, {"--progress", &o.progress_s}};
  for (const auto& [known, into] : numbers) {
    if (name != known) continue;
    char* end = nullptr;
    *into = std::strtoull(value, &end, 10);
    return end != value && *end == '\0';
  }
  return false;
}

/// What the lanes share.
struct campaign {
  explicit campaign(options o) : how(std::move(o)) {}
  options how;
  tally counted;
  clock_type::time_point began = clock_type::now();
  std::atomic<std::uint64_t> next_epoch{how.from_epoch}, left{how.cycles};
  std::atomic<bool> is_broken{false};
  std::atomic<std::uint64_t> running{how.lanes};
  std::mutex guard; // of stdout, and of the end
  std::condition_variable ended;

  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(clock_type::now() - began).count();
  }
  bool go_on() {
    if (interrupted != 0 || is_broken) return false;
    return how.minutes == 0 || seconds() < 60.0 * static_cast<double>(how.minutes);
  }
  /// One cycle of those that were asked for; false: there is none left.
  bool take_cycle() {
    if (!go_on()) return false;
    if (how.cycles == 0) return true;
    for (auto n = left.load(); n > 0;)
      if (left.compare_exchange_weak(n, n - 1)) return true;
    return false;
  }
};

void print_progress(campaign& c) {
  const auto& t = c.counted;
  const auto cycles = t.cycles.load();
  const std::lock_guard lock{c.guard};
  std::printf("kills: cycle %llu  epoch %llu  %.0f kills/h  orders %llu  in flight %llu  "
              "oldest open %.1f s  (start %.0f ms)\n",
    static_cast<unsigned long long>(cycles), static_cast<unsigned long long>(t.epochs.load() + 1),
    3'600.0 * static_cast<double>(cycles) / c.seconds(),
    static_cast<unsigned long long>(t.orders.load()),
    static_cast<unsigned long long>(t.last_in_flight.load()),
    static_cast<double>(t.oldest_open_ms.load()) / 1e3,
    static_cast<double>(t.start_us.load()) / 1e3
      / static_cast<double>(std::max<std::uint64_t>(t.starts.load(), 1)));
  std::fflush(stdout);
}

void print_failure(campaign& c, const epoch_plan& plan, const epoch_end& end) {
  const std::lock_guard lock{c.guard};
  std::printf("kills: FAILED in cycle %llu of epoch %llu, seed %llu\n",
    static_cast<unsigned long long>(end.cycle), static_cast<unsigned long long>(plan.number),
    static_cast<unsigned long long>(plan.seed));
  for (std::size_t i = 0; i < end.wrong.size(); ++i)
    std::printf("  %s\n", end.wrong[i].c_str());
  std::printf("kills: kept %s (data, server.log, notes.txt)\n"
              "kills: the same choices again: scripts/kills.sh --seed %llu --from-epoch %llu "
              "--cycles %llu\n",
    plan.folder.c_str(), static_cast<unsigned long long>(plan.seed),
    static_cast<unsigned long long>(plan.number),
    static_cast<unsigned long long>(std::max<std::uint64_t>(end.cycle, 1)));
}

void run_lane(campaign& c) {
  while (c.go_on() && (c.how.cycles == 0 || c.left > 0)) {
    epoch_plan plan;
    plan.seed = c.how.seed;
    plan.number = c.next_epoch++;
    plan.cycles_max = UINT64_MAX;
    plan.folder = c.how.folder / ("epoch-" + std::to_string(plan.number));
    plan.go_on = [&c] { return c.take_cycle(); };
    const auto end = run_epoch(plan, c.counted);
    if (end.wrong.empty()) continue;
    c.is_broken = true;
    print_failure(c, plan, end);
  }
  const std::lock_guard lock{c.guard};
  --c.running;
  c.ended.notify_all();
}

int print_verdict(campaign& c) {
  const auto& t = c.counted;
  const auto cycles = t.cycles.load();
  std::printf("kills: %s: %llu cycles in %.0f s (%.0f/h, %.0f/day), %llu epochs, %llu orders and "
              "%llu answers acknowledged, %.1f requests in flight at a kill, %llu offline checks, "
              "start %.0f ms, seed %llu\n",
    c.is_broken ? "FAILED" : "all books hold", static_cast<unsigned long long>(cycles), c.seconds(),
    3'600.0 * static_cast<double>(cycles) / c.seconds(),
    86'400.0 * static_cast<double>(cycles) / c.seconds(),
    static_cast<unsigned long long>(t.epochs.load()),
    static_cast<unsigned long long>(t.orders.load()),
    static_cast<unsigned long long>(t.answers.load()),
    static_cast<double>(t.in_flight.load())
      / static_cast<double>(std::max<std::uint64_t>(cycles - t.by_moment[1], 1)),
    static_cast<unsigned long long>(t.checks.load()),
    static_cast<double>(t.start_us.load()) / 1e3
      / static_cast<double>(std::max<std::uint64_t>(t.starts.load(), 1)),
    static_cast<unsigned long long>(c.how.seed));
  std::printf("kills: by moment:");
  for (std::size_t i = 0; i < moment_names.size(); ++i)
    std::printf("%s %s %llu", i == 0 ? "" : ",", moment_names[i],
      static_cast<unsigned long long>(t.by_moment[i].load()));
  std::printf("\n");
  return c.is_broken ? 1 : 0;
}
} // namespace

int main(int count, char** arguments) {
  options how;
  for (int i = 1; i < count; i += 2)
    if (i + 1 == count || !take(how, arguments[i], arguments[i + 1]))
      return std::fputs(usage, stderr), 2;
  if (how.cycles == 0 && how.minutes == 0) how.cycles = 200;
  auto folder = (how.folder / "jumun-kills-XXXXXX").string();
  if (how.lanes == 0) return std::fputs(usage, stderr), 2;
  if (::mkdtemp(folder.data()) == nullptr) return std::perror(folder.c_str()), 2;
  how.folder = folder;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, [](int) {
    interrupted = 1;
    std::signal(SIGINT, SIG_DFL); // asked twice: at once
  });
  std::printf("kills: seed %llu, %llu lanes, in %s\n", static_cast<unsigned long long>(how.seed),
    static_cast<unsigned long long>(how.lanes), folder.c_str());
  campaign c{how};
  std::vector<std::thread> lanes;
  for (std::uint64_t i = 0; i < how.lanes; ++i) lanes.emplace_back([&c] { run_lane(c); });
  for (;;) {
    std::unique_lock lock{c.guard};
    const auto all_ended = [&c] { return c.running == 0; };
    if (c.ended.wait_for(lock, std::chrono::seconds{how.progress_s}, all_ended)) break;
    lock.unlock();
    print_progress(c);
  }
  for (auto& lane : lanes) lane.join();
  std::error_code ignored;
  if (!c.is_broken) std::filesystem::remove_all(folder, ignored);
  return print_verdict(c);
}
