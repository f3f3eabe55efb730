#include "bench/server/child_server.hpp"
#include "bench/client/control.hpp"
#include "bench/interrupt.hpp"
#include "bench/server/proc.hpp"
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

extern char** environ;

namespace jumun::bench {
namespace fs = std::filesystem;

namespace {
constexpr auto ready_max = std::chrono::minutes{10}; // a large folder after a crash
constexpr auto stop_max = std::chrono::seconds{90};
constexpr auto look_pause = std::chrono::milliseconds{1};
/// Sums alone, as JSON, on stderr when it ends.
constexpr const char* allocation_counts = "MALLOC_CONF=stats_print:true,stats_print_opts:Jgdablxe";

std::string last_words(const std::string& log) {
  constexpr std::size_t most = 1'000;
  return log.size() <= most ? log : "…" + log.substr(log.size() - most);
}
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& t : texts) all.push_back(t.data());
  all.push_back(nullptr);
  return all;
}

/// This binary with these arguments. In a process group of its own, so that a Ctrl-C is ours.
pid_t start_self(const std::vector<std::string>& args, const fs::path& out, const fs::path& err,
  const char* more_environment = nullptr) {
  std::vector<std::string> words{fs::read_symlink("/proc/self/exe")};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<std::string> environment;
  if (more_environment) environment.emplace_back(more_environment);
  for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);
  const auto argv = pointers(words), envp = pointers(environment);
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::system_category(), "fork");
  if (pid > 0) return pid;
  // Only what is safe after a fork.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);
  ::signal(SIGPIPE, SIG_DFL);
  const int in = ::open("/dev/null", O_RDONLY);
  const int o = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int e = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(in, 0), ::dup2(o, 1), ::dup2(e, 2);
  ::close_range(3, ~0U, 0);
  ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}
} // namespace

ran run_self(const std::vector<std::string>& args, const fs::path& err) {
  auto out = err;
  out += ".out";
  const auto pid = start_self(args, out, err);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
    if (interrupted()) ::kill(pid, SIGTERM);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out)};
}

child_server::child_server(
  fs::path data, fs::path work, const std::vector<std::string>& more_args, bool count_allocations)
    : log_(work / "server.log") {
  const auto address_file = work / "address";
  fs::remove(address_file);
  std::vector<std::string> args{"serve", "--data-dir", data, "--port", "0", "--ops-port", "0",
    "--address-file", address_file, "--log-level", "warn"};
  args.insert(args.end(), more_args.begin(), more_args.end());
  const auto begin = clock::now();
  pid_ =
    start_self(args, work / "server.out", log_, count_allocations ? allocation_counts : nullptr);
  try {
    await_ready(address_file);
    ready_after_ = clock::now() - begin;
  } catch (...) {
    kill();
    throw;
  }
}

child_server::~child_server() { kill(); }

void child_server::await_ready(const fs::path& address_file) {
  const auto deadline = clock::now() + ready_max;
  for (;;) {
    const auto text = read_file(address_file);
    const auto ops = text.find("ops=");
    if (text.starts_with("public=") && ops != std::string::npos && text.ends_with('\n')) {
      shop_ = endpoint_of(text.substr(7, text.find('\n') - 7));
      ops_ = endpoint_of(text.substr(ops + 4, text.find('\n', ops) - ops - 4));
      return;
    }
    if (reap(false)) throw std::runtime_error("the server ended at once: " + last_words(log()));
    if (interrupted()) throw std::runtime_error("interrupted");
    if (clock::now() > deadline) throw std::runtime_error("the server is not ready in time");
    std::this_thread::sleep_for(look_pause);
  }
}

bool child_server::reap(bool block) {
  if (pid_ < 0) return true;
  pid_t got = 0;
  do got = ::waitpid(pid_, &status_, block ? 0 : WNOHANG);
  while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  pid_ = -1;
  return true;
}

void child_server::stop() {
  if (pid_ < 0) throw std::runtime_error("the server is gone: " + last_words(log()));
  ::kill(pid_, SIGTERM);
  const auto deadline = clock::now() + stop_max;
  while (!reap(false)) {
    if (clock::now() > deadline) {
      kill();
      throw std::runtime_error("the server did not stop on SIGTERM");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0)
    throw std::runtime_error("the server ended badly: " + last_words(log()));
}

void child_server::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  (void)reap(true);
}

std::string child_server::log() const { return read_file(log_); }

scratch_dir::scratch_dir(const fs::path& parent, bool keep) : keep_(keep) {
  auto form = (parent / "jumun-bench.XXXXXX").string();
  if (::mkdtemp(form.data()) == nullptr)
    throw std::system_error(errno, std::system_category(), form);
  path_ = form;
}
scratch_dir::~scratch_dir() {
  std::error_code ignored;
  if (!keep_) fs::remove_all(path_, ignored);
}
} // namespace jumun::bench
