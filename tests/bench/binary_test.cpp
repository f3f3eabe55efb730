#include "tests/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include <array>
#include <cmath>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

// The real binary measures itself. No figure is judged here: this machine may be busy.
namespace {
using namespace jumun::tests;
namespace fs = std::filesystem;

nlohmann::json read_json(const fs::path& path) {
  std::ifstream in{path};
  return nlohmann::json::parse(in);
}
std::vector<std::string> bench(const temp_dir& in, std::vector<std::string> more) {
  std::vector<std::string> args{"bench", "--dir", in.path(), "--connections", "4", "--seconds", "1",
    "--warmup", "0.1", "--json", in.path() / "out.json"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}
/// Data folders that were left behind.
std::size_t left_in(const temp_dir& in) {
  std::size_t n = 0;
  for (const auto& f : fs::directory_iterator{in.path()}) n += f.is_directory() ? 1 : 0;
  return n;
}
} // namespace

TEST_CASE("jumun bench settle measures whole sagas and finds the books in order", "[bench]") {
  const temp_dir tmp;
  const auto run = run_jumun(bench(tmp, {"settle", "--commit", "abc"}));
  CAPTURE(run.out, run.err);
  REQUIRE(run.how.exit_code == 0);
  CHECK(run.out.find("verified") != std::string::npos);
  const auto json = read_json(tmp.path() / "out.json");
  CHECK(json.at("commit") == "abc");
  const auto& row = json.at("scenarios").at(0);
  CHECK(row.at("scenario") == "settle");
  CHECK(row.at("verdict") == "verified");
  CHECK(row.at("good") > 0);
  CHECK(row.at("failed") == 0);
  CHECK(row.at("ceilings").at("livez_per_second") > 0);
  CHECK(row.at("ceilings").at("fsync_per_second") > 0);
  CHECK(row.at("cost_each").at("cpu_us") > 0);
  CHECK(row.at("cost_each").at("bytes_of_rows") > 0);
  CHECK(left_in(tmp) == 0);
}

TEST_CASE("every usual scenario runs and is verified", "[bench]") {
  const std::vector<std::vector<std::string>> parts{
    {"livez", "fsync", "accept", "hot"}, {"mixed", "restock"}, {"events", "big"}};
  for (const auto& part : parts) {
    const temp_dir tmp;
    auto args =
      bench(tmp, {"--seconds", "0.2", "--warmup", "0", "--readers", "3", "--idempotency-keys"});
    args.insert(args.end(), part.begin(), part.end());
    const auto run = run_jumun(args);
    CAPTURE(run.out, run.err);
    REQUIRE(run.how.exit_code == 0);
    std::vector<std::string> names;
    const auto rows = read_json(tmp.path() / "out.json").at("scenarios");
    for (const auto& row : rows) {
      names.push_back(row.at("scenario"));
      CHECK(row.at("good") > 0);
    }
    CHECK(names == part);
    CHECK(left_in(tmp) == 0);
  }
}

TEST_CASE("a picture has ten steps of load, on books that are verified", "[bench]") {
  const temp_dir tmp;
  const auto svg = tmp.path() / "out.svg";
  const auto run = run_jumun(bench(tmp, {"settle", "--seconds", "0.2", "--plot", svg}));
  CAPTURE(run.out, run.err);
  REQUIRE(run.how.exit_code == 0);
  const auto row = read_json(tmp.path() / "out.json").at("scenarios").at(0);
  CHECK(row.at("steps").size() == 10);
  CHECK(row.at("targets").size() == 3); // of livez; and the p99 at 30 % and 80 %
  for (const auto& step : row.at("steps")) CHECK(step.at("loop") == "open");
  CHECK(fs::file_size(svg) > 1'000);
}

TEST_CASE("the questions of latency and of compactions have their targets beside them", "[bench]") {
  const temp_dir tmp;
  const auto run =
    run_jumun(bench(tmp, {"latency", "storm", "--orders", "50", "--seconds", "0.4"}));
  CAPTURE(run.out, run.err);
  REQUIRE(run.how.exit_code == 0);
  const auto rows = read_json(tmp.path() / "out.json").at("scenarios");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("targets").size() == 3);
  CHECK(rows[0].at("steps").size() == 2);
  CHECK(rows[1].at("targets").at(0).at("at_most") == 100);
  CHECK(rows[1].at("remarks").size() == 1); // so few orders make no compaction, and it says so
}

TEST_CASE("system calls are counted, or it is said why not", "[bench]") {
  const temp_dir tmp;
  const auto run = run_jumun(bench(tmp, {"accept", "--seconds", "0.4", "--syscalls"}));
  CAPTURE(run.out, run.err);
  REQUIRE(run.how.exit_code == 0);
  const auto row = read_json(tmp.path() / "out.json").at("scenarios").at(0);
  const auto& cost = row.at("cost_each");
  if (!cost.contains("syscalls")) {
    CHECK(row.at("remarks").size() == 1);
    return;
  }
  const auto& calls = cost.at("syscalls");
  CHECK(calls.at("send") >= 0.9); // an answer is one
  CHECK(calls.at("receive") >= 0.9);
  CHECK(calls.at("all") > calls.at("send"));
}

TEST_CASE("nodes of a cluster are measured against one, on books that are verified", "[bench]") {
  const temp_dir tmp;
  const auto run = run_jumun(bench(tmp, {"cluster", "--nodes", "2", "--seconds", "0.4"}));
  CAPTURE(run.out, run.err);
  REQUIRE(run.how.exit_code == 0);
  const auto row = read_json(tmp.path() / "out.json").at("scenarios").at(0);
  CHECK(row.at("verdict") == "verified");
  std::vector<std::string> names;
  for (const auto& s : row.at("steps")) {
    names.push_back(s.at("name"));
    CHECK(s.at("good") > 0);
  }
  CHECK(names == std::vector<std::string>{"alone", "1 node", "2 nodes", "2 remote"});
  const auto& more = row.at("figures");
  const auto each = [&](const char* node) {
    return more.at(std::string{"2 remote: of that "} + node + ", µs").get<double>();
  };
  CHECK(each("n1") > 0); // it has the stock, and no client
  CHECK(std::abs(more.at("2 remote: CPU each, µs").get<double>() - each("n1") - each("n2"))
        < 2); // each is rounded
  CHECK(row.at("targets").size() == 1);
}

TEST_CASE("a server can be killed under its sagas, and none is lost", "[bench]") {
  const temp_dir tmp;
  const auto run =
    run_jumun(bench(tmp, {"in-flight", "start", "growth", "--orders", "50", "--seconds", "0.2"}));
  CAPTURE(run.out, run.err);
  REQUIRE(run.how.exit_code == 0);
  const auto rows = read_json(tmp.path() / "out.json").at("scenarios");
  REQUIRE(rows.size() == 3);
  for (const auto& row : rows) CHECK(row.at("verdict") == "verified");
  CHECK(rows[0].at("steps").size() == 6); // growth; the order is the table's
  CHECK(rows[1].at("figures").at("sagas in flight") == 50);
}

TEST_CASE("what can't be measured is red, and leaves nothing behind", "[bench]") {
  const temp_dir tmp;
  // No order fits: each is refused, and no figure comes of that.
  const auto refused = run_jumun(bench(tmp, {"settle", "--", "--delivery-countries", "JP"}));
  CAPTURE(refused.out, refused.err);
  CHECK(refused.how.exit_code == 1);
  CHECK(refused.out.find("WRONG settle") != std::string::npos);
  CHECK(read_json(tmp.path() / "out.json").at("scenarios").at(0).at("verdict") == "wrong");
  const auto unable = run_jumun(bench(tmp, {"accept", "--", "--memory-mb", "1"}));
  CHECK(unable.how.exit_code == 1);
  CHECK(unable.out.find("--memory-mb") != std::string::npos); // the server's own words
  CHECK(run_jumun({"bench", "sleep"}).how.exit_code == 2);
  const auto far =
    run_jumun({"bench", "--url", "http://192.0.2.1:80", "--ops-url", "http://192.0.2.1:81"});
  CHECK(far.how.exit_code == 2);
  CHECK(far.err.find("--yes") != std::string::npos);
  CHECK(left_in(tmp) == 0);
}

TEST_CASE("a server that runs already can be measured, and is left as it was", "[bench]") {
  const temp_dir tmp;
  server at{tmp.path() / "data"};
  const auto url = [](std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); };
  const auto args =
    bench(tmp, {"hot", "--url", url(at.public_port()), "--ops-url", url(at.ops_port())});
  for (int i = 0; i < 2; ++i) { // also with what the first one left
    const auto run = run_jumun(args);
    CAPTURE(run.out, run.err);
    CHECK(run.how.exit_code == 0);
  }
  CHECK(at.stop() == 0);
}

TEST_CASE("an interrupted bench stops its server, says so, and cleans up", "[bench]") {
  const temp_dir tmp;
  const auto err = tmp.path() / "err";
  REQUIRE(::mkfifo(err.c_str(), 0600) == 0);
  const int told = ::open(err.c_str(), O_RDWR | O_CLOEXEC); // also to write: no end before ours
  REQUIRE(told >= 0);
  std::string text;
  const auto until = [&](const std::string& what) {
    while (text.find(what) == std::string::npos) {
      std::array<char, 1'000> part{};
      ::pollfd wait{told, POLLIN, 0};
      if (::poll(&wait, 1, std::chrono::milliseconds{patience}.count()) <= 0) return false;
      const auto n = ::read(told, part.data(), part.size());
      if (n > 0) text.append(part.data(), static_cast<std::size_t>(n));
    }
    return true;
  };
  process run{{bench(tmp, {"accept", "--seconds", "3600"}), err, {}}};
  CHECK(until("accept: the load"));
  run.send(SIGINT);
  CHECK(until("stopped before its end"));
  CHECK(run.wait().exit_code == 2);
  CHECK(left_in(tmp) == 0);
  ::close(told);
}
