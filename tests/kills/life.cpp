#include "tests/kills/life.hpp"
#include <csignal>

namespace jumun::tests::kills {
namespace {
std::vector<std::string> serve_on(
  const std::filesystem::path& data_dir, const std::vector<std::string>& more) {
  std::vector<std::string> args{
    "serve", "--data-dir", data_dir.string(), "--port", "0", "--ops-port", "0"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}
/// N in `public=http://127.0.0.1:N`.
std::uint16_t port_in(const std::string& line, const std::string& name) {
  const std::string before = name + "=http://127.0.0.1:";
  const auto at = line.find(before);
  if (at == std::string::npos) throw fault("no " + name + " in: " + line);
  return static_cast<std::uint16_t>(std::stoul(line.substr(at + before.size())));
}
std::chrono::milliseconds rounded_up(std::chrono::microseconds t) {
  return std::chrono::ceil<std::chrono::milliseconds>(t);
}
} // namespace

life::life(const std::filesystem::path& data_dir, const std::filesystem::path& log,
  const std::vector<std::string>& args)
    : child_({serve_on(data_dir, args), log, {}, {}}) {}

bool life::wait_ready(std::chrono::microseconds within) {
  const auto deadline = born_ + within;
  for (;;) {
    std::optional<std::string> line;
    try {
      const auto left = deadline - std::chrono::steady_clock::now();
      line = child_.read_line(std::chrono::floor<std::chrono::milliseconds>(left));
    } catch (const std::runtime_error&) {
      return false;
    }
    if (!line) ended_by_itself(child_.wait(), "before it was ready");
    if (!line->starts_with("ready ")) continue;
    took_ = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - born_);
    where_.shop = port_in(*line, "public");
    where_.ops = port_in(*line, "ops");
    return true;
  }
}

void life::kill() {
  child_.send(SIGKILL); // of one that has ended and is not waited for: no effect, and no error
  const auto how = child_.wait();
  if (how.signal != SIGKILL) ended_by_itself(how, "before it was killed");
}

bool life::stop(std::chrono::microseconds within) {
  child_.send(SIGTERM);
  ending how;
  try {
    how = child_.wait(rounded_up(within));
  } catch (const std::runtime_error&) { // it takes longer
    child_.send(SIGKILL);
    how = child_.wait();
    if (how.signal == SIGKILL) return false;
  }
  if (how.exit_code != 0) ended_by_itself(how, "after SIGTERM");
  return true;
}

void life::ended_by_itself(const ending& how, const std::string& when) {
  throw fault("the server ended by itself " + when + ": "
              + (how.exit_code >= 0 ? "exit code " + std::to_string(how.exit_code)
                                    : "signal " + std::to_string(how.signal)));
}

std::string check_offline(const std::filesystem::path& data_dir) {
  const auto checked = run_jumun({"check", data_dir.string()});
  if (checked.how.exit_code == 0) return {};
  return "jumun check: exit code " + std::to_string(checked.how.exit_code) + ", signal "
         + std::to_string(checked.how.signal) + "\n" + checked.out + checked.err;
}
} // namespace jumun::tests::kills
