// The people of tests/kills around a cluster: each asks this node and that, and goes elsewhere when
// one breaks off or is silent ($JUMUN_TEST_SILENCE_MS). A line on stdin ends their day; then all
// must settle, and every book is audited. Tells one JSON object a line on stdout; exits 0 when all
// books hold. scripts/chaos.sh runs it.
#include "tests/kills/audit.hpp"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

namespace {
using namespace jumun::tests;
using namespace jumun::tests::kills;
using namespace std::chrono_literals;
constexpr auto settling_max = 180s * slowness;
constexpr std::uint64_t visit_max = 25; // questions to one node
constexpr const char* usage =
  "usage: JUMUN_KEY=KEY jumun_crowd --seed S --round N --rate QUESTIONS_PER_SECOND\n"
  "                                 --node PORT:OPS_PORT [--node …]\n"
  "The books are audited by way of the first node. A line on stdin ends the day.\n";

struct options {
  std::uint64_t seed = 0, round = 0, rate = 50;
  std::vector<addresses> nodes;
};

/// PORT:OPS_PORT
bool take_node(options& o, const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return false;
  addresses a;
  a.shop = static_cast<std::uint16_t>(std::strtoul(text.c_str(), nullptr, 10));
  a.ops = static_cast<std::uint16_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 10));
  if (const char* key = std::getenv("JUMUN_KEY")) a.bearer = key;
  o.nodes.push_back(a);
  return a.shop != 0 && a.ops != 0;
}
bool take(options& o, const std::string& name, const char* value) {
  if (name == "--node") return take_node(o, value);
  for (const auto& [known, into] :
    {std::pair{"--seed", &o.seed}, {"--round", &o.round}, {"--rate", &o.rate}}) {
    if (name != known) continue;
    char* end = nullptr;
    *into = std::strtoull(value, &end, 10);
    return end != value && *end == '\0';
  }
  return false;
}

/// The day of a crowd.
class day {
public:
  explicit day(const options& o) : how_(o), crowd_(make_crowd(o.seed, o.round, at_)) {
    at_.is_dying = true; // a connection may break at any time
    auto api = how_.nodes.front().to_shop();
    stock_up(api);
  }
  /// Until `ended` is set.
  void live() {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < crowd_.size(); ++i) threads.emplace_back([this, i] { live(i); });
    for (auto& t : threads) t.join();
  }
  void close_books() {
    const auto where = how_.nodes.front();
    for (auto& who : crowd_) who->finish(where);
    if (settle(at_, where, settling_max)) audit(at_, where, crowd_);
  }
  [[nodiscard]] json told() const {
    return {{"answers", at_.answers()}, {"orders", at_.orders()},
      {"in_flight", at_.in_flight.load()},
      {"oldest_open_s", static_cast<double>(at_.oldest_open().count()) / 1e3},
      {"wrong", at_.wrong()}};
  }
  void report(const std::string& what) { at_.report(what); }
  std::atomic<bool> ended{false};

private:
  void live(std::size_t number) {
    choices chance{how_.seed, 500 + number, how_.round};
    const auto pause = std::chrono::microseconds{1'000'000 * crowd_.size() / how_.rate};
    auto due = board::clock::now();
    const auto in_turn = [&] { // the pace of the load, whatever the answers
      due = std::max(due + pause, board::clock::now() - pause);
      std::this_thread::sleep_until(due);
      return !ended && at_.wrong().empty();
    };
    while (in_turn()) {
      auto questions = 1 + chance.pick(visit_max);
      crowd_[number]->live(chance.one_of(how_.nodes), [&] { return in_turn() && questions-- > 0; });
    }
  }

  const options& how_;
  board at_;
  std::vector<std::unique_ptr<person>> crowd_;
};

void print(const json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}
} // namespace

int main(int count, char** arguments) {
  options how;
  for (int i = 1; i < count; i += 2)
    if (i + 1 == count || !take(how, arguments[i], arguments[i + 1]))
      return std::fputs(usage, stderr), 2;
  if (how.nodes.empty() || how.rate == 0) return std::fputs(usage, stderr), 2;
  try {
    day one{how};
    std::thread people{[&] { one.live(); }};
    std::thread progress{[&] {
      for (; !one.ended; std::this_thread::sleep_for(1s)) print(one.told());
    }};
    std::string line;
    const bool is_asked = static_cast<bool>(std::getline(std::cin, line)); // else nobody listens
    one.ended = true;
    people.join();
    progress.join();
    try {
      if (is_asked && one.told().at("wrong").empty()) one.close_books();
    } catch (const std::exception& e) {
      one.report(std::string{"the audit: "} + e.what());
    }
    auto end = one.told();
    end["audited"] = is_asked;
    print(end);
    return is_asked && end.at("wrong").empty() ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "jumun_crowd: %s\n", e.what());
    return 1;
  }
}
