#include "bench/server/child_server.hpp"
#include "bench/client/control.hpp"
#include "bench/interrupt.hpp"
#include "bench/server/proc.hpp"
#include "bench/server/spawn.hpp"
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

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
fs::path this_binary() { return fs::read_symlink("/proc/self/exe"); }
} // namespace

ran run_self(const std::vector<std::string>& args, const fs::path& err) {
  auto out = err;
  out += ".out";
  const auto pid = spawn({this_binary(), args, out, err, {}, {}});
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
    if (interrupted()) ::kill(pid, SIGTERM);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out)};
}

child_server::child_server(
  fs::path data, fs::path work, const std::vector<std::string>& more_args, launch how)
    : log_(work / "server.log"), address_file_(work / "address") {
  fs::remove(address_file_);
  std::vector<std::string> args{"serve", "--data-dir", data, "--port", "0", "--ops-port", "0",
    "--address-file", address_file_, "--log-level", "warn"};
  args.insert(args.end(), more_args.begin(), more_args.end());
  begun_ = clock::now();
  pid_ = spawn({this_binary(), args, work / "server.out", log_,
    how.count_allocations ? allocation_counts : std::string{}, how.cpus});
  if (how.wait) await_ready();
}

child_server::~child_server() { kill(); }

void child_server::await_ready() {
  try {
    look_for_address();
    ready_after_ = clock::now() - begun_;
  } catch (...) {
    kill();
    throw;
  }
}

void child_server::look_for_address() {
  const auto deadline = clock::now() + ready_max;
  for (;;) {
    const auto text = read_file(address_file_);
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
