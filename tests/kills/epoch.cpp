#include "tests/kills/epoch.hpp"
#include "tests/kills/audit.hpp"
#include <algorithm>
#include <fstream>
#include <numeric>
#include <thread>

namespace jumun::tests::kills {
namespace {
using std::chrono::microseconds;
using std::chrono::seconds;
constexpr std::uint64_t cycles_of_an_epoch_max = 240, answers_max = 60;
constexpr seconds settling_max{240 * slowness};
// A soak runs at a low priority beside whatever else: late is not wrong until it is absurd.
constexpr auto very_late = 5 * patience;

/// How one life ends.
struct death {
  moment when = moment::under_load;
  std::uint64_t answers = 0;  // that the crowd gets first
  std::uint64_t after_us = 0; // then this; while starting: since the start, in 1/1000 of a start
  bool is_checked = false;    // `jumun check` before the next life
};
death draw_death(choices& chance) {
  death d;
  const auto what = chance.pick(100);
  d.when = what < 58   ? moment::under_load
           : what < 76 ? moment::while_starting
           : what < 84 ? moment::just_ready
           : what < 97 ? moment::while_stopping
                       : moment::clean;
  d.answers = d.when == moment::just_ready ? 0 : 1 + chance.pick(answers_max);
  d.after_us = chance.pick(d.when == moment::while_starting   ? 1'300
                           : d.when == moment::just_ready     ? 15'000
                           : d.when == moment::while_stopping ? 40'000
                                                              : 5'000);
  d.is_checked = chance.percent(6);
  return d;
}

std::vector<std::string> draw_arguments(choices& chance, bool has_faults) {
  std::vector<std::string> drawn{"--payment-timeout-ms", std::to_string(100 + 50 * chance.pick(4)),
    "--memory-mb", "64", "--http-threads", std::to_string(1 + chance.pick(2)), "--actor-threads",
    std::to_string(chance.pick(4)), "--log-level", chance.percent(25) ? "info" : "warn"};
  if (has_faults) drawn.emplace_back("--enable-faults");
  return drawn;
}

/// A disk that takes its time, so that more is half done when the end comes, and a provider with
/// whims. They last as long as the life.
void set_faults(const addresses& where, choices& chance) {
  auto ops = where.to_ops();
  const auto set = [&](const std::string& target, const json& f) {
    need(ops.put("/admin/v1/faults/" + target, f), 200);
  };
  if (chance.percent(80))
    set("journal", {{"mode", "slow"}, {"delay_ms", 1 + chance.pick(12)}, {"rate", 0.8}});
  // Not "decline": behind a kill it would decline what was charged in the life before, and no
  // provider does that to a payment's own id.
  static const std::vector<std::string> modes{"timeout", "error", "timeout_after_charge"};
  if (chance.percent(40)) set("payment-provider", {{"mode", chance.one_of(modes)}, {"rate", 0.2}});
}

class epoch {
public:
  epoch(const epoch_plan& plan, tally& counted)
      : plan_(plan), counted_(counted), chance_(plan.seed, 1, plan.number),
        crowd_(make_crowd(plan.seed, plan.number, at_)), notes_(plan.folder / "notes.txt"),
        has_faults_(chance_.percent(40)), arguments_(draw_arguments(chance_, has_faults_)) {}

  epoch_end run() {
    epoch_end end;
    try {
      open_shop();
      const auto cycles =
        std::min(plan_.cycles_max, 20 + chance_.pick(cycles_of_an_epoch_max - 19));
      while (end.cycle < cycles && plan_.go_on() && at_.wrong().empty()) {
        ++end.cycle;
        cycle(draw_death(chance_), end.cycle);
        ++counted_.cycles;
      }
      if (at_.wrong().empty()) close_books();
    } catch (const std::exception& e) {
      at_.report(e.what());
    }
    end.wrong = at_.wrong();
    if (!end.wrong.empty()) end.wrong.push_back("the last of its log:\n" + end_of_log());
    ++counted_.epochs;
    return end;
  }

private:
  [[nodiscard]] std::filesystem::path data() const { return plan_.folder / "data"; }
  [[nodiscard]] std::filesystem::path log() const { return plan_.folder / "server.log"; }

  std::unique_ptr<life> start() {
    auto one = std::make_unique<life>(data(), log(), arguments_);
    if (!one->wait_ready(very_late)) throw fault("the server did not get ready in time");
    counted_.start_us += static_cast<std::uint64_t>(one->took().count());
    ++counted_.starts;
    usual_start_ = (3 * usual_start_ + one->took()) / 4;
    return one;
  }

  void open_shop() {
    for (const auto& a : arguments_) notes_ << a << ' ';
    notes_ << std::endl;
    auto first = start();
    auto api = first->where().to_shop();
    stock_up(api);
    first->kill();
  }

  void cycle(const death& d, std::uint64_t number) {
    notes_ << number << ' ' << moment_names[static_cast<std::size_t>(d.when)]
           << " answers=" << d.answers << " after_us=" << d.after_us << std::endl;
    ++counted_.by_moment[static_cast<std::size_t>(d.when)];
    if (d.when == moment::while_starting)
      kill_while_starting(d);
    else
      kill_at_work(d);
    if (!d.is_checked) return;
    if (const auto why = check_offline(data()); !why.empty()) at_.report(why);
    ++counted_.checks;
  }

  void kill_while_starting(const death& d) {
    life one{data(), log(), arguments_};
    (void)one.wait_ready(usual_start_ * d.after_us / 1'000);
    one.kill();
  }

  void kill_at_work(const death& d) {
    auto one = start();
    if (has_faults_) set_faults(one->where(), chance_);
    at_.begin_life();
    std::vector<std::thread> threads;
    for (auto& who : crowd_)
      threads.emplace_back([&who, where = one->where()] { who->live(where); });
    const bool served = at_.wait_for_answers(d.answers, very_late);
    if (!served && at_.wrong().empty()) at_.report("the crowd was not answered in time");
    std::this_thread::sleep_for(microseconds{d.when == moment::while_stopping ? 0 : d.after_us});
    const auto in_flight = static_cast<std::uint64_t>(std::max(at_.in_flight.load(), 0));
    at_.is_dying = true;
    try {
      end(*one, d);
    } catch (const fault& e) {
      at_.report(e.what());
    }
    one.reset(); // dead by now, so that the crowd's connections break
    for (auto& t : threads) t.join();
    counted_.in_flight += in_flight;
    counted_.last_in_flight = in_flight;
    counted_.answers += at_.answers();
    counted_.orders += at_.orders() - std::exchange(orders_, at_.orders());
    counted_.oldest_open_ms = static_cast<std::uint64_t>(at_.oldest_open().count());
  }

  void end(life& one, const death& d) const {
    if (d.when == moment::while_stopping)
      (void)one.stop(microseconds{d.after_us});
    else if (d.when != moment::clean)
      one.kill();
    else if (!one.stop(very_late))
      throw fault("the server did not stop in time after SIGTERM");
  }

  /// All repeat what is open, all settles, every book is audited, and it stops as it should.
  void close_books() {
    const auto one = start();
    for (auto& who : crowd_) who->finish(one->where());
    if (settle(at_, one->where(), settling_max)) audit(at_, one->where(), crowd_);
    if (!one->stop(very_late)) at_.report("the server did not stop in time after SIGTERM");
    if (const auto why = check_offline(data()); !why.empty()) at_.report(why);
    ++counted_.checks;
    read_log();
  }

  /// A kill leaves no trace in the log: what is there was wrong while it lived.
  void read_log() {
    std::ifstream in{log()};
    for (std::string line; std::getline(in, line);)
      for (const auto* bad : {"\"level\":\"error\"", "actor.fell", "saga.fell"})
        if (line.find(bad) != std::string::npos) at_.report("the server's log says: " + line);
  }

  [[nodiscard]] std::string end_of_log() const {
    std::ifstream in{log()};
    std::deque<std::string> last;
    for (std::string line; std::getline(in, line); last.size() > 5 ? last.pop_front() : void())
      last.push_back("  " + line + "\n");
    return std::accumulate(last.begin(), last.end(), std::string{});
  }

  const epoch_plan& plan_;
  tally& counted_;
  choices chance_;
  board at_;
  std::vector<std::unique_ptr<person>> crowd_;
  std::ofstream notes_; // what it chose, for whoever looks at a failure
  bool has_faults_;
  std::vector<std::string> arguments_;
  microseconds usual_start_{150'000};
  std::uint64_t orders_ = 0;
};
} // namespace

epoch_end run_epoch(const epoch_plan& plan, tally& counted) {
  std::filesystem::create_directories(plan.folder);
  auto end = epoch{plan, counted}.run();
  std::error_code ignored;
  if (end.wrong.empty()) std::filesystem::remove_all(plan.folder, ignored);
  return end;
}
} // namespace jumun::tests::kills
