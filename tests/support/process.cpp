#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace jumun::tests {
namespace {
[[noreturn]] void fail(const std::string& what, int why = errno) {
  throw std::runtime_error(what + ": " + std::system_category().message(why));
}

std::string binary() {
  const char* path = std::getenv("JUMUN_BINARY");
  if (path == nullptr) throw std::runtime_error("JUMUN_BINARY is not set: run this by ctest");
  return path;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}
std::string tail_of(const std::string& text) {
  constexpr std::size_t most = 4'000;
  return text.size() <= most ? text : "…" + text.substr(text.size() - most);
}

/// Milliseconds until `deadline`, for poll(2); 0 once it is over.
int left_ms(std::chrono::steady_clock::time_point deadline) {
  const auto left =
    std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}
/// False: `deadline` came first.
bool readable(int fd, std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    ::pollfd wait{fd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, left_ms(deadline));
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) fail("poll");
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// Port N in `public=http://127.0.0.1:N`, or https.
std::uint16_t port_in(const std::string& line, const std::string& name) {
  const auto at = line.find("://", line.find(name + "=http"));
  const auto colon = at == std::string::npos ? at : line.find(':', at + 3);
  if (colon == std::string::npos) throw std::runtime_error("no " + name + " in: " + line);
  return static_cast<std::uint16_t>(std::stoul(line.substr(colon + 1)));
}
} // namespace

process::process(const options& how) {
  std::vector<std::string> args{how.program.empty() ? binary() : how.program};
  args.insert(args.end(), how.args.begin(), how.args.end());
  std::vector<std::string> environment = how.environment; // getenv finds the first: ours win
  for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  const auto log = how.log.empty() ? std::filesystem::path{"/dev/null"} : how.log;
  ::posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], 1);
  ::posix_spawn_file_actions_addopen(&files, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int why = ::posix_spawnp(
    &pid_, args[0].c_str(), &files, nullptr, pointers(args).data(), pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  stdout_ = ends[0];
  if (why != 0) {
    ::close(stdout_);
    fail("cannot start " + args[0], why);
  }
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) fail("pidfd_open");
}

process::~process() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  }
  ::close(stdout_);
  ::close(pidfd_);
}

std::optional<std::string> process::read_line(std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  for (;;) {
    if (const auto stop = held_.find('\n'); stop != std::string::npos) {
      auto line = held_.substr(0, stop);
      held_.erase(0, stop + 1);
      return line;
    }
    if (!readable(stdout_, deadline)) throw std::runtime_error("no line from the process in time");
    std::array<char, 4096> block{};
    const auto got = ::read(stdout_, block.data(), block.size());
    if (got < 0 && errno != EINTR) fail("read");
    if (got == 0) return std::nullopt;
    if (got > 0) held_.append(block.data(), static_cast<std::size_t>(got));
  }
}

void process::send(int signal) const {
  if (ended_) throw std::runtime_error("the process has ended: its id may be another's");
  if (::kill(pid_, signal) != 0) fail("kill");
}

ending process::wait(std::chrono::milliseconds within) {
  if (ended_) return *ended_;
  // A pidfd is readable once its process has ended.
  if (!readable(pidfd_, std::chrono::steady_clock::now() + within))
    throw std::runtime_error("the process did not end in time");
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) fail("waitpid");
  ended_ = WIFEXITED(status) ? ending{WEXITSTATUS(status), 0} : ending{-1, WTERMSIG(status)};
  return *ended_;
}

bool process::running() { return !ended_ && !readable(pidfd_, std::chrono::steady_clock::now()); }

server::server(std::filesystem::path data_dir, std::vector<std::string> args, std::string program)
    : data_dir_(std::move(data_dir)), log_(data_dir_.string() + ".log"), args_(std::move(args)),
      program_(std::move(program)) {
  restart();
}

void server::restart(const std::vector<std::string>& more) {
  std::vector<std::string> args{
    "serve", "--data-dir", data_dir_.string(), "--port", "0", "--ops-port", "0"};
  args.insert(args.end(), args_.begin(), args_.end());
  args.insert(args.end(), more.begin(), more.end());
  child_ = std::make_unique<process>(process::options{args, log_, {}, program_});
  while (const auto line = child_->read_line()) {
    if (!line->starts_with("ready ")) continue;
    public_port_ = port_in(*line, "public");
    ops_port_ = port_in(*line, "ops");
    return;
  }
  const auto how = child_->wait();
  throw std::runtime_error("the server ended (exit code " + std::to_string(how.exit_code)
                           + ") before it was ready:\n" + tail_of(log()));
}

void server::kill9() {
  child_->send(SIGKILL);
  child_->wait();
}

int server::stop() {
  child_->send(SIGTERM);
  const auto how = child_->wait();
  if (how.exit_code < 0)
    throw std::runtime_error(
      "killed by signal " + std::to_string(how.signal) + ":\n" + tail_of(log()));
  return how.exit_code;
}

std::string server::log() const { return read_file(log_); }

finished run_jumun(const std::vector<std::string>& args) {
  const temp_dir dir;
  const auto log = dir.path() / "stderr";
  process child{{args, log, {}, {}}};
  finished result;
  while (const auto line = child.read_line()) result.out += *line + "\n";
  result.how = child.wait();
  result.err = read_file(log);
  return result;
}
} // namespace jumun::tests
