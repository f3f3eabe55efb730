#include "tests/history/cases.hpp"
#include "tests/history/judge.hpp"
#include "tests/history/record.hpp"
#include "tests/history/synthetic.hpp"
#include "tests/support/temp_dir.hpp"
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>

// jumun_history record|check|generate|cases: see README.md. scripts/history.sh is the way in.
namespace {
using namespace jumun::tests::history;

std::atomic<bool> stopped{false};

struct arguments {
  std::map<std::string, std::string> named;
  std::vector<std::string> files;
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t otherwise) const {
    const auto found = named.find(name);
    return found == named.end() ? otherwise : std::stoull(found->second);
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = named.find(name);
    return found == named.end() ? otherwise : found->second;
  }
};
arguments read_arguments(int argc, char** argv) {
  arguments a;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--") && i + 1 < argc) a.named[word.substr(2)] = argv[++i];
    else a.files.push_back(word);
  }
  return a;
}

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int say(const judgement& j, double seconds, const std::string& file) {
  for (const auto& c : j.wrong) std::cout << c.text;
  std::printf("checked: %zu requests (%zu lines, of which %zu steps of orders and %zu without an "
              "answer) of %zu keys in %.1f s: %.0f lines/s, %llu steps, %llu configurations\n",
    j.calls, j.lines, j.hidden, j.unknown, j.keys, seconds, static_cast<double>(j.lines) / seconds,
    static_cast<unsigned long long>(j.steps), static_cast<unsigned long long>(j.remembered));
  if (j.passed()) {
    std::printf("verdict: linearizable\n");
    return 0;
  }
  std::printf("verdict: NOT linearizable, %zu keys; again: jumun_history check %s\n",
    j.wrong.size(), file.c_str());
  return 1;
}

judging how_to_judge(const arguments& a) {
  judging how;
  how.threads = static_cast<unsigned>(std::max<std::uint64_t>(1, a.number("threads", 2)));
  how.most.steps = a.number("steps", how.most.steps);
  return how;
}
int check(const story& s, const arguments& a, const std::string& file) {
  const auto begin = std::chrono::steady_clock::now();
  const auto found = judge(s, how_to_judge(a));
  return say(found, since(begin), file);
}

int record_and_check(const arguments& a) {
  recording_options how;
  how.seed = a.number("seed", static_cast<std::uint64_t>(
    std::chrono::system_clock::now().time_since_epoch().count() % 1'000'000));
  how.operations = a.number("operations", 1'000'000);
  how.kills = static_cast<unsigned>(a.number("kills", 0));
  how.clients = static_cast<unsigned>(a.number("clients", 16));
  how.stop = &stopped;
  how.progress = [&](std::size_t sent, unsigned kills) {
    std::printf("%zu of %zu requests, %u kills\n", sent, how.operations, kills);
    std::fflush(stdout);
  };
  std::printf("seed %llu\n", static_cast<unsigned long long>(how.seed));
  const jumun::tests::temp_dir tmp;
  const auto r = record(how, tmp.path());
  std::printf("recorded: %zu requests (%zu answered; %zu connections cut) in %.1f s: %.0f "
              "requests/s, %zu orders, %u kills\n",
    r.requests, r.answered, r.cut, r.seconds, static_cast<double>(r.requests) / r.seconds, r.orders,
    r.kills);
  const auto file = a.text("file", "history-" + std::to_string(how.seed) + ".jsonl");
  if (a.named.count("file") != 0) write(r.what, file);
  auto code = check(r.what, a, file);
  for (const auto& c : r.complaints) std::cout << "wrong: " << c << '\n';
  if (!r.complaints.empty()) code = 1;
  if (code != 0 && a.named.count("file") == 0) write(r.what, file);
  if (code != 0) std::cout << "kept: " << file << '\n';
  return code;
}

int generate(const arguments& a) {
  const synthetic how{a.number("seed", 1), a.number("operations", 1'000'000),
    a.number("shelves", 24), a.number("clients", 16),
    static_cast<unsigned>(a.number("lost", 2))};
  const auto begin = std::chrono::steady_clock::now();
  const auto s = synthetic_story(how);
  std::printf("made up, not recorded: %zu lines in %.1f s\n", s.calls.size(), since(begin));
  if (a.named.count("file") != 0) write(s, a.text("file", ""));
  return check(s, a, a.text("file", "…"));
}

/// Each as good-NN.jsonl or bad-NN.jsonl, for another checker.
int write_cases(const arguments& a) {
  const std::filesystem::path folder = a.files.at(0);
  std::filesystem::create_directories(folder);
  int number = 100;
  for (const auto& one : cases())
    write(one.what, folder / ((one.good ? "good-" : "bad-") + std::to_string(number++) + ".jsonl"));
  std::printf("%d histories in %s\n", number - 100, folder.c_str());
  return 0;
}
} // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { stopped = true; });
  try {
    const std::string what = argc > 1 ? argv[1] : "";
    const auto a = read_arguments(argc, argv);
    if (what == "record") return record_and_check(a);
    if (what == "check") return check(read(a.files.at(0)), a, a.files.at(0));
    if (what == "generate") return generate(a);
    if (what == "cases") return write_cases(a);
  } catch (const std::exception& why) {
    std::cerr << "jumun_history: " << why.what() << '\n';
    return 2;
  }
  std::cerr << "jumun_history record|check FILE|generate|cases FOLDER\n";
  return 2;
}
