#include "bench/bench.hpp"
#include "bench/interrupt.hpp"
#include "bench/report/plot.hpp"
#include "bench/report/text.hpp"
#include "bench/scenarios.hpp"
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/resource.h>

namespace jumun::bench {
namespace {
enum : int { fine = 0, wrong = 1, usage = 2, io_failed = 6 };

std::string now_text() {
  char text[32];
  const auto now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

/// Connections are files: as many as we may have.
void raise_file_limit() {
  ::rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out{path, std::ios::binary};
  out << text;
  out.close();
  if (!out) std::fprintf(stderr, "jumun bench: %s could not be written\n", path.c_str());
  return static_cast<bool>(out);
}

std::vector<const scenario*> wanted(const options& o) {
  std::vector<const scenario*> all;
  for (const auto& s : all_scenarios())
    if (o.scenarios.empty() ? s.usual && (o.url.empty() || !s.own_server)
                            : std::count(o.scenarios.begin(), o.scenarios.end(), s.name) > 0)
      all.push_back(&s);
  return all;
}

row run_one(const scenario& s, const options& o, progress& say) {
  try {
    stage on{o, say, std::string{s.name}};
    try {
      s.run(on, o);
    } catch (const std::exception& e) {
      on.result.wrong.emplace_back(e.what());
    }
    return std::move(on.result);
  } catch (const std::exception& e) { // not even a folder
    row r;
    r.scenario = s.name;
    r.wrong.emplace_back(e.what());
    return r;
  }
}

/// Empty: it may be loaded.
std::string refuse_url(const options& o) {
  if (o.url.empty() || o.yes) return {};
  for (const auto& url : {o.url, o.ops})
    if (!endpoint_of(url).address().is_loopback())
      return url + " is not this machine: with --yes it is loaded, and its stock sold";
  return {};
}

/// One SKU that everybody wants should not be much slower than many.
void aim_at_settle(whole_report& all) {
  const auto find = [&all](std::string_view name) {
    return std::find_if(
      all.rows.begin(), all.rows.end(), [name](const row& r) { return r.scenario == name; });
  };
  const auto settle = find("settle"), hot = find("hot");
  if (settle == all.rows.end() || hot == all.rows.end() || settle->result.per_second <= 0) return;
  hot->targets.push_back(
    {"of settle", hot->result.per_second / settle->result.per_second, 0.8, false});
}

whole_report measure_all(const options& o) {
  whole_report all;
  all.commit = o.commit, all.time = now_text(), all.version = JUMUN_VERSION;
  all.on = this_machine();
  all.binary_mb = static_cast<double>(std::filesystem::file_size("/proc/self/exe")) / (1 << 20);
  progress say;
  for (const auto* s : wanted(o)) {
    auto one = run_one(*s, o, say);
    if (interrupted()) break; // it is no whole row
    all.rows.push_back(std::move(one));
  }
  say.clear();
  aim_at_settle(all);
  return all;
}
} // namespace

int run(const std::vector<std::string>& args) {
  const auto parsed = parse_options(args);
  if (const auto* none = std::get_if<no_run>(&parsed)) {
    std::fputs(none->text.c_str(), none->exit_code == fine ? stdout : stderr);
    return none->exit_code;
  }
  const auto& o = std::get<options>(parsed);
  try {
    if (const auto why = refuse_url(o); !why.empty()) throw std::runtime_error(why);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "jumun bench: %s\n", e.what());
    return usage;
  }
  notice_interrupts();
  raise_file_limit();
  const auto all = measure_all(o);
  if (!interrupted() || !all.rows.empty()) std::fputs(table_text(all).c_str(), stdout);
  if (interrupted()) { // what was measured is told, but no file is written
    std::fputs("jumun bench: stopped before its end\n", stderr);
    return usage;
  }
  if (!o.json.empty() && !write_file(o.json, json_text(all))) return io_failed;
  if (!o.plot.empty() && !write_file(o.plot, plot_svg(all))) return io_failed;
  const bool sound =
    std::all_of(all.rows.begin(), all.rows.end(), [](const row& r) { return r.wrong.empty(); });
  return sound ? fine : wrong;
}
} // namespace jumun::bench
