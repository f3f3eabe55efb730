#pragma once
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <random>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace jumun::tests {
/// Ports of 127.0.0.1 that are free now, of those that the kernel gives to nobody by itself: a
/// server that comes back finds its port still free, whatever has connected to whom meanwhile.
inline std::vector<std::uint16_t> free_ports(std::size_t count) {
  constexpr int lowest = 10'000;
  int ephemeral = 32'768;
  std::ifstream{"/proc/sys/net/ipv4/ip_local_port_range"} >> ephemeral;
  if (ephemeral <= lowest) throw std::runtime_error{"no ports but the kernel's own"};
  std::random_device chance;
  std::uniform_int_distribution<int> any{lowest, ephemeral - 1};
  std::vector<std::uint16_t> ports;
  std::vector<int> held; // all at once, so that none is given twice
  for (int tries = 0; ports.size() < count && tries < 10'000; ++tries) {
    const auto port = static_cast<std::uint16_t>(any(chance));
    held.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET, at.sin_addr.s_addr = htonl(INADDR_LOOPBACK), at.sin_port = htons(port);
    if (::bind(held.back(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0)
      ports.push_back(port);
  }
  for (const int fd : held) ::close(fd);
  if (ports.size() < count) throw std::runtime_error{"no free port"};
  return ports;
}

/// `etcd` or `etcdctl`: by $PATH, or where scripts/setup.sh has put it.
inline std::string etcd_tool(const std::string& name) {
  const auto env = [](const char* of) {
    return std::string{std::getenv(of) ? std::getenv(of) : ""};
  };
  std::vector<std::string> folders;
  std::istringstream path{env("PATH")};
  for (std::string one; std::getline(path, one, ':');) folders.push_back(one);
  const auto cache =
    env("XDG_CACHE_HOME").empty() ? env("HOME") + "/.cache" : env("XDG_CACHE_HOME");
  folders.push_back(env("JUMUN_TOOLS").empty() ? cache + "/jumun/tools" : env("JUMUN_TOOLS"));
  for (const auto& folder : folders)
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
  throw std::runtime_error{"there is no " + name + ": run scripts/setup.sh"};
}

/// Debian's etcd (package etcd-server): a cluster of one or more on free ports of loopback, with
/// data in a temporary folder. Answers when the constructor returns.
class etcd_servers {
public:
  struct options {
    std::size_t count = 1;
    std::vector<std::string> more{};       // arguments of each server
    std::vector<std::string> ctl_more{};   // arguments of etcdctl
    std::string site = "http://127.0.0.1"; // of the clients' URLs: scheme and host
  };
  etcd_servers() : etcd_servers(options{}) {}
  explicit etcd_servers(options how) : how_{std::move(how)}, ports_{free_ports(2 * how_.count)} {
    all_.resize(how_.count);
    start_all();
  }
  [[nodiscard]] std::string url(std::size_t n = 0) const {
    return how_.site + ":" + std::to_string(ports_[2 * n]);
  }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  void stall(std::size_t n = 0) { all_[n]->send(SIGSTOP); }
  void go_on(std::size_t n = 0) { all_[n]->send(SIGCONT); }
  void kill(std::size_t n = 0) { all_[n].reset(); }
  void restart(std::size_t n = 0) { start(n), await(n); }
  /// As if it had never been: its data is gone.
  void wipe() {
    for (std::size_t n = 0; n < size(); ++n) kill(n), std::filesystem::remove_all(data(n));
    start_all();
  }
  /// etcdctl's output; throws when it fails.
  std::string ctl(std::vector<std::string> args, std::size_t n = 0) const {
    const auto what = args.at(0);
    args.insert(args.begin(), how_.ctl_more.begin(), how_.ctl_more.end());
    args.insert(args.begin(), {"--endpoints=" + url(n), "--command-timeout=2s"});
    process p{{args, dir_.path() / "etcdctl.log", {"ETCDCTL_API=3"}, etcd_tool("etcdctl")}};
    std::string out;
    while (auto line = p.read_line()) out += *line + "\n";
    if (p.wait().exit_code != 0) throw std::runtime_error{"etcdctl " + what + ": " + out};
    return out;
  }

private:
  [[nodiscard]] std::string name(std::size_t n) const { return "e" + std::to_string(n); }
  [[nodiscard]] std::filesystem::path data(std::size_t n) const { return dir_.path() / name(n); }
  [[nodiscard]] std::string peer(std::size_t n) const {
    return "http://127.0.0.1:" + std::to_string(ports_[2 * n + 1]);
  }
  void start_all() {
    for (std::size_t n = 0; n < size(); ++n) start(n);
    for (std::size_t n = 0; n < size(); ++n) await(n);
  }
  void start(std::size_t n) {
    std::string cluster;
    for (std::size_t i = 0; i < size(); ++i) cluster += (i ? "," : "") + name(i) + "=" + peer(i);
    std::vector<std::string> args{"--name", name(n), "--data-dir", data(n).string(),
      "--listen-client-urls", url(n), "--advertise-client-urls", url(n), "--listen-peer-urls",
      peer(n), "--initial-advertise-peer-urls", peer(n), "--initial-cluster", cluster,
      "--heartbeat-interval", "50", "--election-timeout", "500"};
    args.insert(args.end(), how_.more.begin(), how_.more.end());
    all_[n] = std::make_unique<process>(
      process::options{args, dir_.path() / (name(n) + ".log"), {}, etcd_tool("etcd")});
  }
  /// Until it answers, which takes a leader. etcdctl's own patience paces this.
  void await(std::size_t n) const {
    const auto due = std::chrono::steady_clock::now() + patience;
    for (;;) try {
        ctl({"get", "is-it-there"}, n);
        return;
      } catch (const std::runtime_error&) {
        if (std::chrono::steady_clock::now() > due) throw;
      }
  }

  temp_dir dir_;
  const options how_;
  const std::vector<std::uint16_t> ports_; // client, peer of each
  std::vector<std::unique_ptr<process>> all_;
};
} // namespace jumun::tests
