#include "tests/sim/run.hpp"
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

// swarm: many seeds, side by side in processes of their own, so that an aborting invariant is a
// finding like any other. The seeds' outcomes don't depend on the clock; only the progress line
// does.
namespace {
using namespace jumun::sim;

constexpr const char* usage =
  "usage: swarm [--first N] [--count N] [--jobs N] [--keep-going]   runs seeds, stops at a "
  "failure\n"
  "       swarm --seed N [--only FAULT:N,…] [--trace]                one seed, with its story\n"
  "       swarm --seed N --minimise                                 the fewest faults that break "
  "it\n"
  "       --nodes N with any of them: a cluster of N nodes; N is 1 to 9, by itself 1\n";

struct arguments {
  std::uint64_t first = 0, count = 1'000;
  std::size_t nodes = 1;
  unsigned jobs = 2;
  bool keep_going = false, trace = false, minimise = false;
  std::optional<std::uint64_t> seed;
  std::optional<std::set<fired>> only;
};

std::optional<arguments> parse(int argc, char** argv) {
  arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--trace") {
      a.trace = true;
      continue;
    }
    if (name == "--minimise") {
      a.minimise = true;
      continue;
    }
    if (name == "--keep-going") {
      a.keep_going = true;
      continue;
    }
    if (++i >= argc) return {};
    const auto number = std::strtoull(argv[i], nullptr, 10);
    if (name == "--first")
      a.first = number;
    else if (name == "--count")
      a.count = number;
    else if (name == "--jobs")
      a.jobs = static_cast<unsigned>(std::max<std::uint64_t>(1, number));
    else if (name == "--nodes" && number >= 1 && number <= 9)
      a.nodes = number;
    else if (name == "--seed")
      a.seed = number;
    else if (name == "--only") {
      a.only = parse_fired(argv[i]);
      if (!a.only) return {};
    } else
      return {};
  }
  return a;
}

/// What a worker tells of each seed: fixed size, so that a pipe never tears it.
struct told {
  std::uint64_t seed = 0, steps = 0, events = 0, fingerprint = 0;
  std::uint32_t orders = 0, lives = 0, moves = 0;
  std::uint32_t wrong = 0; // so many; of them, the first:
  std::uint32_t faults[fault_count] = {};
  char code[48] = {}, what[200] = {};
};
static_assert(sizeof(told) < 4'096 /* PIPE_BUF: a write is atomic */);

told summary(const outcome& o) {
  told t;
  t.seed = o.seed;
  t.steps = o.steps;
  t.events = o.events;
  t.fingerprint = o.fingerprint;
  t.orders = static_cast<std::uint32_t>(o.orders);
  t.lives = static_cast<std::uint32_t>(o.lives);
  t.moves = static_cast<std::uint32_t>(o.moves);
  t.wrong = static_cast<std::uint32_t>(o.wrong.size());
  for (const auto& f : o.faults) ++t.faults[static_cast<std::size_t>(f.what)];
  if (o.wrong.empty()) return t;
  std::strncpy(t.code, o.wrong[0].code.c_str(), sizeof t.code - 1);
  std::strncpy(t.what, o.wrong[0].what.c_str(), sizeof t.what - 1);
  return t;
}

struct worker {
  pid_t pid = -1;
  int from = -1;
  std::uint64_t next = 0; // the seed that it is at
};

worker start(const arguments& a, unsigned number) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const auto pid = ::fork();
  if (pid == 0) {
    ::signal(SIGINT, SIG_IGN); // the parent decides
    for (auto s = a.first + number; s < a.first + a.count; s += a.jobs) {
      run_options how;
      how.nodes = a.nodes;
      const auto t = summary(run(s, how));
      if (::write(ends[1], &t, sizeof t) != sizeof t) break;
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  return {pid, ends[0], a.first + number};
}

volatile std::sig_atomic_t interrupted = 0;

class tally {
public:
  void add(const told& t) {
    ++seeds;
    steps += t.steps, events += t.events, orders += t.orders, lives += t.lives;
    moves += t.moves;
    for (std::size_t f = 0; f < fault_count; ++f) faults[f] += t.faults[f];
    digest ^= mix(t.seed, t.fingerprint);
  }
  void print(double seconds) const {
    std::printf(
      "\r%llu seeds (%.0f/h), %llu orders, %llu lives, %llu moves, %llu events, %llu steps",
      static_cast<unsigned long long>(seeds), static_cast<double>(seeds) / seconds * 3600,
      static_cast<unsigned long long>(orders), static_cast<unsigned long long>(lives),
      static_cast<unsigned long long>(moves), static_cast<unsigned long long>(events),
      static_cast<unsigned long long>(steps));
    std::fflush(stdout);
  }
  void print_faults() const {
    std::printf("faults by kind:");
    std::uint64_t all = 0;
    for (std::size_t f = 0; f < fault_count; ++f) {
      all += faults[f];
      std::printf(" %s=%llu", std::string{name_of(static_cast<fault>(f))}.c_str(),
        static_cast<unsigned long long>(faults[f]));
    }
    std::printf("\n%llu faults in all; digest %016llx\n", static_cast<unsigned long long>(all),
      static_cast<unsigned long long>(digest));
  }
  std::uint64_t seeds = 0, failed = 0;

private:
  std::uint64_t steps = 0, events = 0, orders = 0, lives = 0, moves = 0, digest = 0;
  std::uint64_t faults[fault_count] = {};
};

void failed(std::uint64_t seed, std::size_t nodes, const char* code, const char* what) {
  const auto options_of = "--nodes " + std::to_string(nodes) + " --seed " + std::to_string(seed);
  std::printf("\nFAILED seed=%llu %s: %s\n  replay:   swarm %s --trace\n"
              "  minimise: swarm %s --minimise\n  options: %s\n",
    static_cast<unsigned long long>(seed), code, what, options_of.c_str(), options_of.c_str(),
    options(seed, nodes).text().c_str());
}

int many(const arguments& a) {
  using clock = std::chrono::steady_clock; // determinism: for the progress line alone
  const auto began = clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(clock::now() - began).count(); };
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::vector<worker> workers;
  for (unsigned i = 0; i < a.jobs; ++i) workers.push_back(start(a, i));
  tally all;
  double printed = 0;
  std::size_t running = workers.size();
  while (running > 0 && interrupted == 0 && (all.failed == 0 || a.keep_going)) {
    std::vector<pollfd> ready;
    for (const auto& w : workers) ready.push_back({w.from, POLLIN, 0});
    (void)::poll(ready.data(), ready.size(), 1'000);
    for (std::size_t i = 0; i < workers.size(); ++i) {
      auto& w = workers[i];
      if (w.from < 0 || ready[i].revents == 0) continue;
      told t;
      if (::read(w.from, &t, sizeof t) == sizeof t) {
        all.add(t);
        w.next = t.seed + a.jobs;
        if (t.wrong > 0) ++all.failed, failed(t.seed, a.nodes, t.code, t.what);
        continue;
      }
      ::close(std::exchange(w.from, -1));
      --running;
      int status = 0;
      (void)::waitpid(std::exchange(w.pid, -1), &status, 0);
      if (status != 0)
        ++all.failed,
          failed(w.next, a.nodes, "aborted", "the process died; its own words are above");
    }
    if (seconds() - printed > (::isatty(1) ? 1 : 15)) all.print(printed = seconds());
  }
  for (const auto& w : workers)
    if (w.pid > 0) ::kill(w.pid, SIGKILL);
  all.print(seconds());
  std::printf("\n");
  all.print_faults();
  std::printf("swarm: %llu passed, %llu failed%s\n",
    static_cast<unsigned long long>(all.seeds - std::min(all.seeds, all.failed)),
    static_cast<unsigned long long>(all.failed), interrupted != 0 ? " (interrupted)" : "");
  return all.failed > 0 || all.seeds == 0 ? 1 : 0;
}

int one(const arguments& a) {
  run_options how;
  how.only = a.only;
  how.nodes = a.nodes;
  if (a.trace)
    how.trace = [](const std::string& line) {
      std::puts(line.c_str());
      std::fflush(stdout); // it may abort
    };
  std::printf("seed=%llu %s\n", static_cast<unsigned long long>(*a.seed),
    options(*a.seed, a.nodes).text().c_str());
  const auto o = run(*a.seed, how);
  std::printf("%zu orders, %zu lives, %zu moves, %zu steps, %llu events, %zu faults, fingerprint "
              "%016llx\n",
    o.orders, o.lives, o.moves, o.steps, static_cast<unsigned long long>(o.events), o.faults.size(),
    static_cast<unsigned long long>(o.fingerprint));
  for (const auto& w : o.wrong) std::printf("WRONG %s: %s\n", w.code.c_str(), w.what.c_str());
  if (o.wrong.empty()) return std::puts("every promise was kept"), 0;
  if (!a.minimise) return 1;
  const auto few = minimise(o, a.nodes, [](const std::string& line) { std::puts(line.c_str()); });
  std::string list;
  for (const auto& f : few) list += (list.empty() ? "" : ",") + to_text(f);
  std::printf("replay: swarm --nodes %zu --seed %llu --trace --only %s\n", a.nodes,
    static_cast<unsigned long long>(*a.seed), list.empty() ? "''" : list.c_str());
  return 1;
}
} // namespace

int main(int argc, char** argv) {
  const auto a = parse(argc, argv);
  if (!a) return std::fputs(usage, stderr), 2;
  return a->seed ? one(*a) : many(*a);
}
