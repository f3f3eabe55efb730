#pragma once
#include "tests/kills/people.hpp"
#include "tests/support/process.hpp"
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jumun::tests::kills {
/// What went wrong with a process; its text is for a person.
struct fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One life of the real server, from its start to its end.
class life {
public:
  life(const std::filesystem::path& data_dir, const std::filesystem::path& log,
    const std::vector<std::string>& args);

  /// True once it is ready; false: `within` was over first. Throws fault when it ended by itself.
  bool wait_ready(std::chrono::microseconds within);
  [[nodiscard]] addresses where() const { return where_; }
  /// From the start to `ready`.
  [[nodiscard]] std::chrono::microseconds took() const { return took_; }

  /// SIGKILL. Throws fault when it had ended by itself before.
  void kill();
  /// SIGTERM, and SIGKILL where `patience` is over first. @returns whether it ended by itself;
  /// throws fault when that was with another exit code than 0.
  bool stop(std::chrono::microseconds within);

private:
  [[noreturn]] void ended_by_itself(const ending& how, const std::string& when);
  std::chrono::steady_clock::time_point born_ = std::chrono::steady_clock::now();
  std::chrono::microseconds took_{0};
  process child_;
  addresses where_;
};

/// `jumun check DIR` of a stopped server. Empty: exit 0; else what it said.
[[nodiscard]] std::string check_offline(const std::filesystem::path& data_dir);
} // namespace jumun::tests::kills
