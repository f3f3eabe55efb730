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
      owners_(how_.node, std::move(stored), new_disk, around_ownership(node, agreed)),
      stock_(node.env, node.system, *link_, owners_),
      mover_(std::make_shared<mover>(around_mover(node))) {
  for (std::size_t i = 0; i < domain::shard_count; ++i)
    node.env.route.update(static_cast<domain::shard_id>(i),
      [this](actors::router::shard_actors& a) { a.inventory = stock_.stub(); });
  on_tell(
    [this](const auto& from, const auto& what, const auto&) { return stock_.take(from, what); });
  link_->on_tell(
    [this](const std::string& from, const cluster::envelope& what, const cluster::receipt& held) {
      if (!listening_) return;
      for (const auto& taker : tell_takers_)
        if (taker(from, what, held)) return;
    });
  link_->on_ask([this](const std::string& from, const cluster::envelope& what,
                  const cluster::reply_once& reply) {
    if (!listening_) return;
    if (mover::takes(what)) return mover_->take(from, what, reply);
    for (const auto& taker : ask_takers_)
      if (taker(from, what, reply)) return;
    reply.unsupported();
  });
  // Its answers may have been lost with the link.
  link_->on_change([this](const std::string& node, cluster::link_state now) {
    log::info("peer.link", {{"node", node}, {"up", now == cluster::link_state::up}});
    if (now == cluster::link_state::up && listening_) stock_.reachable(owners_.shards_of(node));
  });
  thread_ = std::thread{[this] { io_.run(); }};
}

cluster_side::~cluster_side() {
  quiet();
  link_.reset();
  tunnel_.stop();
  work_.reset();
  thread_.join();
}

ownership::surroundings cluster_side::around_ownership(
  const inside& node, cluster::coordinator& agreed) {
  const auto root = node.root;
  auto* env = &node.env;
  return {node.env.journal,
    [root](domain::shard_lease lease) { caf::anon_send(root, actors::own_shard{lease}); },
    [root](domain::shard_id shard, std::function<void()> done) {
      caf::anon_send(root, actors::give_up_shard{shard, std::move(done)});
    },
    [this, env](domain::shard_id shard) {
      env->route.update(shard, [this](actors::router::shard_actors& a) {
        a = {};
        a.inventory = stock_.stub();
      });
    },
    node.left, [this](const domain::shard_set& shards) { stock_.reachable(shards); },
    [&agreed](std::uint64_t version) { agreed.durable(version); },
    [](std::string_view event, const std::string& detail) {
      log::error(event, {{"detail", detail}});
    },
    [this](domain::shard_lease lease, bool held, bool fresh) {
      return mover_->may_serve(lease, held, fresh);
    },
    [this](domain::shard_lease lease) { return mover_->gave_away(lease); }};
}

mover::surroundings cluster_side::around_mover(const inside& node) {
  return {how_.node, node.env.journal, *link_,
    [this](std::function<void()> work) { boost::asio::post(moving_, std::move(work)); },
    [this](std::chrono::milliseconds pause, std::function<void()> work) {
      auto timer = std::make_shared<boost::asio::steady_timer>(io_, pause);
      timer->async_wait([timer, work = std::move(work)](const boost::system::error_code& failed) {
        if (!failed) work();
      });
    },
    [this](domain::shard_id shard, std::function<void()> done) {
      owners_.give_up(shard, std::move(done));
    },
    [this](domain::shard_id shard) { owners_.take_back(shard); },
    [this](domain::shard_id shard) {
      const auto owner = owners_.owner_of(shard);
      return std::pair{owner.node, owner.epoch};
    },
    [this](domain::shard_id shard, domain::epoch_id epoch, const std::string& to,
      std::function<void(cluster::passed)> done) {
      agreed_.pass(shard, epoch, to, std::move(done));
    },
    [] { return wall_clock_us() / 1000; }, random_bits,
    [](std::string_view event, const std::string& detail) {
      const bool usual =
        event == "shard.moved" || event == "shard.move_failed"; // it is tried again
      (usual ? log::info : log::warn)(event, {{"detail", detail}});
    },
    [at = how_.die_at](std::string_view step) {
      if (step == at) ::kill(::getpid(), SIGKILL);
    },
    [this] { return agreed_.link().up; }};
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
  listening_ = true;
  agreed_.publish(std::move(self));
  cluster::listener to;
  to.changed = [this](const cluster::view_ptr& now) { agreed(now); };
  to.refused = [this](const cluster::refusal& why) { refused(why); };
  to.noted = write_down;
  mover_->start();
  agreed_.start(std::move(to));
}

void cluster_side::agreed(const cluster::view_ptr& now) {
  std::vector<std::string> nodes;
  for (const auto& m : now->members)
    if (m.node != how_.node && !m.tunnel.empty()) nodes.push_back(m.node);
  link_->dial(nodes);
  owners_.follow(*now);
  if (!now->joined) return;
  domain::shard_set coming;
  for (std::size_t i = 0; i < domain::shard_count; ++i)
    coming[i] = now->map.shards[i].to == how_.node;
  mover_->want(domain::wanted_moves(now->map, how_.node), coming);
}

/// Another process may be at work under this name, or on newer data: nothing more is done here, not
/// even in an orderly way. What was answered is on disk.
void cluster_side::refused(const cluster::refusal& why) {
  log::error("cluster.refused",
    {{"detail", why.detail}, {"exit_code", static_cast<int>(exit_code::not_in_cluster)}});
  ::_exit(static_cast<int>(exit_code::not_in_cluster));
}

void cluster_side::quiet() {
  listening_ = false;
  agreed_.stop();
  mover_->stop();
  moving_.join();
  stock_.stop();
}
} // namespace jumun::app
