#include "bench/server/child_cluster.hpp"
#include "bench/client/control.hpp"
#include "bench/interrupt.hpp"
#include "bench/server/proc.hpp"
#include "bench/server/spawn.hpp"
#include "domain/ids.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace jumun::bench {
namespace fs = std::filesystem;

namespace {
constexpr auto served_max = std::chrono::seconds{60};
constexpr auto look_pause = std::chrono::milliseconds{50};

std::string name_of(std::size_t i) { return "n" + std::to_string(i + 1); }

/// By $PATH, or where scripts/setup.sh has unpacked it.
fs::path etcd_program() {
  const auto env = [](const char* of) {
    return std::string{std::getenv(of) ? std::getenv(of) : ""};
  };
  auto tools = env("JUMUN_TOOLS");
  if (tools.empty()) {
    const auto cache = env("XDG_CACHE_HOME");
    tools = (cache.empty() ? env("HOME") + "/.cache" : cache) + "/jumun/tools";
  }
  std::istringstream folders{env("PATH") + ":" + tools};
  for (std::string one; std::getline(folders, one, ':');)
    if (const auto found = fs::path{one} / "etcd"; ::access(found.c_str(), X_OK) == 0) return found;
  throw std::runtime_error("there is no etcd: scripts/setup.sh gets it");
}

/// Two ports of 127.0.0.1 that are free now.
std::pair<std::string, std::string> free_ports() {
  using boost::asio::ip::tcp;
  boost::asio::io_context none;
  const tcp::endpoint any{boost::asio::ip::address_v4::loopback(), 0};
  const tcp::acceptor one{none, any}, other{none, any};
  const auto port = [](const auto& of) { return std::to_string(of.local_endpoint().port()); };
  return {port(one), port(other)};
}

void must(const std::vector<std::string>& args, const fs::path& log) {
  if (run_self(args, log).exit_code != 0)
    throw std::runtime_error("jumun " + args.front() + ": " + read_file(log));
}
} // namespace

child_cluster::child_cluster(fs::path folder, const launch& how) : folder_{std::move(folder)} {
  fs::create_directories(folder_);
  for (std::size_t i = 0; i < how.nodes; ++i) nodes_.emplace_back();
  make_certificates();
  start_etcd(how.etcd_cpus);
  try {
    for (std::size_t i = 0; i < size(); ++i) start_node(i, how);
    for (auto& n : nodes_) n->await_ready();
    await_served();
  } catch (...) {
    ::kill(etcd_, SIGKILL);
    throw;
  }
}

child_cluster::~child_cluster() {
  nodes_.clear();
  if (etcd_ < 0) return;
  ::kill(etcd_, SIGKILL);
  ::waitpid(etcd_, nullptr, 0);
}

void child_cluster::make_certificates() const {
  const auto to = (folder_ / "certs").string();
  const auto log = folder_ / "certs.log";
  must({"certs", "ca", "--dir", to, "--cluster", "bench"}, log);
  for (std::size_t i = 0; i < size(); ++i)
    must({"certs", "node", "--dir", to, "--cluster", "bench", "--node", name_of(i)}, log);
}

void child_cluster::start_etcd(const std::vector<int>& cpus) {
  const auto [client_port, peer_port] = free_ports();
  const auto client = "http://127.0.0.1:" + client_port, peer = "http://127.0.0.1:" + peer_port;
  etcd_url_ = client;
  etcd_ = spawn({etcd_program(),
    {"--name", "bench", "--data-dir", folder_ / "etcd", "--listen-client-urls", client,
      "--advertise-client-urls", client, "--listen-peer-urls", peer,
      "--initial-advertise-peer-urls", peer, "--initial-cluster", "bench=" + peer},
    folder_ / "etcd.out", folder_ / "etcd.log", {}, cpus});
}

void child_cluster::start_node(std::size_t i, const launch& how) {
  const auto name = name_of(i);
  const auto work = folder_ / name;
  fs::create_directory(work);
  const auto certs = folder_ / "certs";
  std::vector<std::string> args{"--cluster", "bench", "--node-id", name, "--etcd", etcd_url_,
    "--cluster-port", "0", "--cluster-owners-min", std::to_string(size()), "--simulator-node",
    name_of(0), "--cluster-cert", certs / (name + ".pem"), "--cluster-key", certs / (name + ".key"),
    "--cluster-ca", certs / "ca.pem"};
  args.insert(args.end(), how.more_args.begin(), how.more_args.end());
  nodes_[i] = std::make_unique<child_server>(
    work / "data", work, args, child_server::launch{false, false, how.node_cpus});
}

void child_cluster::await_served() {
  const auto deadline = clock::now() + served_max;
  for (const auto& n : nodes_) {
    const control ops{n->ops()};
    for (;;) {
      owners_.clear();
      const auto all = nlohmann::json::parse(ops.get("/admin/v1/shards"));
      for (const auto& s : all.at("data"))
        if (s.at("state") == "running")
          owners_.push_back(std::stoul(s.at("owner").get<std::string>().substr(1)) - 1);
      if (owners_.size() == domain::shard_count) break;
      if (interrupted()) throw std::runtime_error("interrupted");
      if (clock::now() > deadline) throw std::runtime_error("not all shards are served in time");
      std::this_thread::sleep_for(look_pause);
    }
  }
}

void child_cluster::stop() {
  for (auto& n : nodes_) n->stop();
}

std::vector<std::string> child_cluster::data_folders() const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < size(); ++i) all.push_back(folder_ / name_of(i) / "data");
  return all;
}
} // namespace jumun::bench
