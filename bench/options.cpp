#include "bench/options.hpp"
#include "bench/scenarios.hpp"
#include <algorithm>
#include <CLI/CLI.hpp>
#include <sstream>

namespace jumun::bench {
namespace {
constexpr const char* about =
  "Measures this binary: starts `jumun serve` on a data folder of its own, puts load on it, and\n"
  "verifies afterwards that stock and money add up. A row that does not is worth nothing, and the\n"
  "exit code is 1 then. Figures are also given as ratios to what was measured right before: GET\n"
  "/livez by the same client, and appending and syncing records one by one on the same disk.\n"
  "Flags behind -- go to `jumun serve`.";

std::string list_of_scenarios() {
  std::ostringstream out;
  out << "\nScenarios (without any: those marked with *):\n";
  for (const auto& s : all_scenarios())
    out << (s.usual ? "  * " : "    ") << s.name << std::string(12 - s.name.size(), ' ') << s.about
        << '\n';
  return out.str();
}

void add_flags(CLI::App& app, options& o) {
  app.add_option("SCENARIO", o.scenarios, "what to measure; see below");
  app.option_defaults()->take_last(); // so that a script's flag can be overruled
  app.add_option("-c,--connections", o.connections, "kept-open connections, one request at a time")
    ->check(CLI::Range(1, 30'000))
    ->capture_default_str();
  app.add_option("-t,--threads", o.threads, "threads of the load")
    ->check(CLI::Range(1, 64))
    ->capture_default_str();
  app.add_option("-s,--seconds", o.seconds, "that count, of each scenario")
    ->check(CLI::Range(0.1, 86'400.0))
    ->capture_default_str();
  app.add_option("--warmup", o.warmup, "seconds before them")
    ->check(CLI::Range(0.0, 3'600.0))
    ->capture_default_str();
  app
    .add_option("-r,--rate", o.rate,
      "requests a second, by a schedule: an open loop, where a latency counts from the time on the "
      "schedule; without it a closed loop")
    ->check(CLI::Range(1.0, 10'000'000.0));
  app.add_option("--skus", o.skus, "SKUs that orders are spread over")
    ->check(CLI::Range(1, 1'000))
    ->capture_default_str();
  app.add_option("--readers", o.readers, "of the event stream, in `events`")
    ->check(CLI::Range(1, 256))
    ->capture_default_str();
  app.add_option("--nodes", o.nodes, "of the largest cluster, in `cluster`: 2, 4, 8")
    ->check(CLI::IsMember({2, 4, 8}))
    ->capture_default_str();
  app.add_option("--orders", o.orders, "for growth, in-flight and start: how many");
  app.add_flag("--idempotency-keys", o.keyed, "each order has an Idempotency-Key of its own");
  app.add_flag("--syscalls", o.syscalls,
    "count the server's system calls by the kernel's tracepoints (needs root; a little slower)");
  app.add_option("--dir", o.dir, "where the data folders go; default $TMPDIR or /tmp")
    ->check(CLI::ExistingDirectory);
  app.add_flag("--keep", o.keep, "leave them there");
  app.add_option("--url", o.url,
    "load a server that runs already, at http://HOST:PORT; its books "
    "must be at rest");
  app.add_option("--ops-url", o.ops, "its ops listener; goes with --url");
  app.add_flag("--yes", o.yes, "--url may be another machine: load it, and sell its stock");
  app.add_option("--json", o.json, "write all figures to this file");
  app.add_option("--plot", o.plot,
    "measure accept and settle at 10..100 % of their peaks, by a "
    "schedule, and draw latency against load into this SVG file");
  app.add_option("--commit", o.commit, "noted in the JSON");
}

std::string what_is_wrong(const options& o) {
  for (const auto& name : o.scenarios)
    if (!find_scenario(name)) return name + ": no such scenario";
  if (o.url.empty() != o.ops.empty()) return "--url and --ops-url go together";
  if (o.threads > o.connections) return "--threads: more than --connections";
  if (o.url.empty()) return {};
  if (!o.server_args.empty()) return "flags for `jumun serve`, but --url says where one runs";
  for (const auto& name : o.scenarios)
    if (find_scenario(name)->own_server) return name + ": needs a server of its own, not --url";
  return {};
}
} // namespace

std::variant<options, no_run> parse_options(const std::vector<std::string>& args) {
  options o;
  const auto mark = std::find(args.begin(), args.end(), "--");
  if (mark != args.end()) o.server_args.assign(mark + 1, args.end());
  CLI::App app{about, "jumun bench"};
  app.footer(list_of_scenarios());
  add_flags(app, o);
  try {
    app.parse(std::vector<std::string>(std::make_reverse_iterator(mark), args.rend()));
  } catch (const CLI::ParseError& e) {
    std::ostringstream out, err;
    const bool fine = app.exit(e, out, err) == 0;
    return no_run{fine ? 0 : 2, fine ? out.str() : "jumun bench: " + err.str()};
  }
  if (const auto wrong = what_is_wrong(o); !wrong.empty())
    return no_run{2, "jumun bench: " + wrong + "; see jumun bench --help\n"};
  return o;
}
} // namespace jumun::bench
