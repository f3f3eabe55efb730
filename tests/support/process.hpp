#pragma once
#include "tests/support/http_client.hpp"
#include "tests/support/slowness.hpp"
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

/// The real binary ($JUMUN_BINARY) as a process of its own, for integration tests. Every call
/// blocks; none sleeps. What can't be done throws std::runtime_error, with the tail of the server's
/// log.
namespace jumun::tests {
/// The longest that a test waits for anything that should happen.
inline constexpr auto patience = std::chrono::seconds{60} * slowness;

/// How a process ended: its exit code, or the signal that killed it.
struct ending {
  int exit_code = -1; // -1: it was killed
  int signal = 0;
};

/// A child process. Killed (SIGKILL) and waited for when it is destroyed. Its stdin is empty.
class process {
public:
  struct options {
    std::vector<std::string> args;        // without the program's name
    std::filesystem::path log;            // stderr is appended here
    std::vector<std::string> environment; // NAME=value, on top of this process's own
    std::string program = {};             // by $PATH; empty: $JUMUN_BINARY
  };
  explicit process(const options& how);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// The next line of stdout; nullopt: the process closed it, which means it ended.
  [[nodiscard]] std::optional<std::string> read_line(std::chrono::milliseconds within = patience);
  void send(int signal) const;
  /// Waits for its end. Throws when that takes longer.
  ending wait(std::chrono::milliseconds within = patience);
  [[nodiscard]] bool running();
  [[nodiscard]] pid_t pid() const { return pid_; }

private:
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int stdout_ = -1;
  std::string held_; // of stdout, not yet a line
  std::optional<ending> ended_;
};

/// One server on a data folder: `serve --port 0 --ops-port 0`, started and ready. Its stderr goes
/// to `<data_dir>.log`, so give it a folder inside of a temp_dir.
class server {
public:
  /// Starts it and waits for its line `ready public=… ops=…`. `args` go behind `serve`; `program`:
  /// see process::options.
  explicit server(
    std::filesystem::path data_dir, std::vector<std::string> args = {}, std::string program = {});

  /// New connections to it; keep one for several requests.
  [[nodiscard]] client api() const { return client{public_port_}; }
  [[nodiscard]] client ops() const { return client{ops_port_}; }
  [[nodiscard]] std::uint16_t public_port() const { return public_port_; }
  [[nodiscard]] std::uint16_t ops_port() const { return ops_port_; }

  void kill9();             // SIGKILL, and waits for the end
  [[nodiscard]] int stop(); // SIGTERM; the exit code
  /// Starts again on the same folder, after kill9() or stop(); `more` arguments are for this life.
  void restart(const std::vector<std::string>& more = {});
  /// Its next lives are another release's.
  void become(std::string program) { program_ = std::move(program); }
  [[nodiscard]] process& child() { return *child_; }
  /// The server's stderr so far, of all its lives.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] const std::filesystem::path& data_dir() const { return data_dir_; }

private:
  std::filesystem::path data_dir_, log_;
  std::vector<std::string> args_;
  std::string program_;
  std::unique_ptr<process> child_;
  std::uint16_t public_port_ = 0, ops_port_ = 0;
};

/// Runs the binary to its end: `jumun check DIR`, a start that must fail.
struct finished {
  ending how;
  std::string out, err;
};
[[nodiscard]] finished run_jumun(const std::vector<std::string>& args);
} // namespace jumun::tests
