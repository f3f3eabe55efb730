#include "bench/server/spawn.hpp"
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace jumun::bench {
namespace {
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& t : texts) all.push_back(t.data());
  all.push_back(nullptr);
  return all;
}
cpu_set_t set_of(const std::vector<int>& cpus) {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (const auto n : cpus) CPU_SET(static_cast<std::size_t>(n), &all);
  return all;
}
} // namespace

pid_t spawn(const child_program& what) {
  std::vector<std::string> words{what.program}, environment;
  words.insert(words.end(), what.args.begin(), what.args.end());
  if (!what.environment.empty()) environment.push_back(what.environment);
  for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);
  const auto argv = pointers(words), envp = pointers(environment);
  const auto cpus = set_of(what.cpus);
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::system_category(), "fork");
  if (pid > 0) return pid;
  // Only what is safe after a fork.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);
  ::signal(SIGPIPE, SIG_DFL);
  if (!what.cpus.empty()) ::sched_setaffinity(0, sizeof cpus, &cpus);
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(what.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int err = ::open(what.err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(in, 0), ::dup2(out, 1), ::dup2(err, 2);
  ::close_range(3, ~0U, 0);
  ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

std::vector<int> processors() {
  cpu_set_t all;
  CPU_ZERO(&all);
  ::sched_getaffinity(0, sizeof all, &all);
  std::vector<int> out;
  for (int n = 0; n < CPU_SETSIZE; ++n)
    if (CPU_ISSET(static_cast<std::size_t>(n), &all)) out.push_back(n);
  return out;
}

void run_on(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  const auto set = set_of(cpus);
  ::sched_setaffinity(0, sizeof set, &set);
}
} // namespace jumun::bench
