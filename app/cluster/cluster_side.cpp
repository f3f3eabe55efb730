#include "app/cluster/cluster_side.hpp"
#include "app/exit_codes.hpp"
#include "app/log.hpp"
#include "app/node.hpp"
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <unistd.h>

namespace jumun::app {
namespace {
/// host:port, the host an address in brackets where it has colons.
std::string joined(const std::string& host, std::uint16_t port) {
  const bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<cluster::peer_address> address_in(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  if (colon == std::string::npos) return {};
  auto host = endpoint.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = std::atoi(endpoint.c_str() + colon + 1);
  if (host.empty() || port <= 0 || port > 65'535) return {};
  return cluster::peer_address{std::move(host), static_cast<std::uint16_t>(port)};
}

void write_down(const cluster::note& n) {
  using weight = cluster::note::weight;
  switch (n.at) {
    case weight::debug: return log::debug(n.event, {{"detail", n.detail}});
    case weight::info: return log::info(n.event, {{"detail", n.detail}});
    case weight::warn: return log::warn(n.event, {{"detail", n.detail}});
    case weight::error: return log::error(n.event, {{"detail", n.detail}});
  }
}
} // namespace

cluster_side::cluster_side(cluster_options how, cluster::coordinator& agreed,
  domain::shard_map stored, bool new_disk, inside node)
    : how_(std::move(how)), agreed_(agreed), tunnel_(io_, tunnel_of(), neighbours()),
      link_(std::make_unique<cluster::link::link>(link_of())),
      core_(around_core(), std::move(stored), new_disk, std::move(node)) {
  thread_ = std::thread{[this] { io_.run(); }};
}

cluster_side::~cluster_side() {
  quiet();
  link_.reset();
  tunnel_.stop();
  work_.reset();
  thread_.join();
}

cluster_core::outside cluster_side::around_core() {
  return {how_.node, agreed_, *link_,
    [this](std::function<void()> work) { boost::asio::post(moving_, std::move(work)); },
    [this](std::chrono::milliseconds pause, std::function<void()> work) {
      auto timer = std::make_shared<boost::asio::steady_timer>(io_, pause);
      timer->async_wait([timer, work = std::move(work)](const boost::system::error_code& failed) {
        if (!failed) work();
      });
    },
    [] { return wall_clock_us() / 1000; }, random_bits, write_down,
    [at = how_.die_at](std::string_view step) {
      if (step == at) ::kill(::getpid(), SIGKILL);
    }};
}

cluster::tunnel_options cluster_side::tunnel_of() const {
  cluster::tunnel_options t;
  t.cluster = how_.cluster;
  t.node = how_.node;
  t.bind = how_.bind;
  t.port = how_.port;
  t.plain = how_.cert_file.empty();
  return t;
}

cluster::tunnel_neighbours cluster_side::neighbours() {
  return {[this](const std::string& node) -> std::optional<cluster::peer_address> {
            for (const auto& m : agreed_.now()->members)
              if (m.node == node) return address_in(m.tunnel);
            return {};
          },
    [this](const std::string& node) {
      for (const auto& m : agreed_.now()->members)
        if (m.node == node) return true;
      return false;
    },
    [](std::string_view event, const cluster::tunnel_neighbours::fields& with) {
      std::string detail;
      for (const auto& [key, value] : with)
        detail += (detail.empty() ? "" : " ") + key + "=" + value;
      const bool usual = event == "tunnel.up" || event == "tunnel.down";
      (usual ? log::info : log::warn)(event, {{"detail", detail}});
    }};
}

cluster::link::link::options cluster_side::link_of() {
  cluster::link::link::options o;
  o.self = {how_.cluster, how_.node, random_bits(), JUMUN_VERSION};
  o.way_to = [this](const std::string& node) -> std::optional<std::uint16_t> {
    const auto port = tunnel_.way_to(node);
    return port == 0 ? std::nullopt : std::optional{port};
  };
  o.seed = random_bits();
  return o;
}

std::optional<std::string> cluster_side::read_certificates() {
  if (how_.cert_file.empty()) return {};
  auto why = certificates_.add(
    {how_.cert_file, how_.key_file, how_.ca_file}, [this](const std::vector<std::string>& bytes) {
      return tunnel_.take(bytes[0], bytes[1], bytes[2]);
    });
  if (why) return "cluster-cert, cluster-key, cluster-ca: " + *why;
  certificates_.start();
  return {};
}

std::optional<std::string> cluster_side::open() {
  if (auto why = read_certificates()) return why;
  try {
    link_->start();
  } catch (const std::runtime_error& why) {
    return std::string{"the way between nodes: "} + why.what();
  }
  if (auto why = tunnel_.start(link_->port())) return "cluster-bind, cluster-port: " + *why;
  return {};
}

void cluster_side::join(const std::string& http, const std::string& ops) {
  cluster::self_record self;
  self.role = how_.role;
  self.release = JUMUN_VERSION;
  self.protocol = cluster::protocol_now;
  self.tunnel = how_.advertise.empty() ? joined(how_.bind, tunnel_.port()) : how_.advertise;
  self.http = http;
  self.ops = ops;
  agreed_.publish(std::move(self));
  cluster::listener to;
  to.changed = [this](const cluster::view_ptr& now) { agreed(now); };
  to.refused = [this](const cluster::refusal& why) { refused(why); };
  to.noted = write_down;
  core_.open();
  agreed_.start(std::move(to));
}

void cluster_side::agreed(const cluster::view_ptr& now) {
  std::vector<std::string> nodes;
  for (const auto& m : now->members)
    if (m.node != how_.node && !m.tunnel.empty()) nodes.push_back(m.node);
  link_->dial(nodes);
  core_.follow(*now);
}

/// Another process may be at work under this name, or on newer data: nothing more is done here, not
/// even in an orderly way. What was answered is on disk.
void cluster_side::refused(const cluster::refusal& why) {
  log::error("cluster.refused",
    {{"detail", why.detail}, {"exit_code", static_cast<int>(exit_code::not_in_cluster)}});
  ::_exit(static_cast<int>(exit_code::not_in_cluster));
}

void cluster_side::quiet() {
  core_.quiet();
  moving_.join();
  core_.stop();
}
} // namespace jumun::app
