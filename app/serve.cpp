#include "app/serve.hpp"
#include "app/actor_threads.hpp"
#include "app/audit_adapter.hpp"
#include "app/backup_keeper.hpp"
#include "app/cluster/agreement.hpp"
#include "app/cluster/cluster_side.hpp"
#include "app/cluster/elsewhere_adapter.hpp"
#include "app/cluster_adapter.hpp"
#include "app/console/inspector.hpp"
#include "app/feed_adapter.hpp"
#include "app/live_config.hpp"
#include "app/log.hpp"
#include "app/monitoring/log_lines.hpp"
#include "app/monitoring/metrics_page.hpp"
#include "app/monitoring/overview_board.hpp"
#include "app/node.hpp"
#include "app/providers/hooks_adapter.hpp"
#include "app/saga_desk.hpp"
#include "app/security.hpp"
#include "app/shop_adapter.hpp"
#include "domain/limits.hpp"
#include "http/console/limits.hpp"
#include "http/server.hpp"
#include "storage/backup.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace jumun::app {
namespace {
namespace asio = boost::asio;
constexpr std::size_t reader_threads = 2;

node_options options_of(const config& c) {
  node_options how;
  how.data_dir = c.data_dir;
  how.node_id = c.node_id;
  how.memory_bytes = c.memory_mb << 20;
  how.threads = c.actor_threads;
  how.payment_timeout = c.payment_timeout;
  how.delivery_countries = c.delivery_countries;
  how.disk_free_min_pct = c.disk_free_min_pct;
  if (c.payment_provider == payment_by::http) {
    how.payment_url = c.payment_url;
    how.payment_secret_file = c.payment_secret_file;
  }
  how.outbound_ca_file = c.outbound_ca_file;
  how.events_keep = std::chrono::hours{24 * c.events_keep_days};
  how.events_keep_bytes = c.events_keep_mb << 20;
  how.breaker.window_ms = c.breaker_window.count();
  how.breaker.failure_pct = c.breaker_failure_pct;
  how.breaker.open_ms = c.breaker_open.count();
  how.breaker.open_ms_max = std::chrono::milliseconds{limits::breaker_open_max}.count();
  how.breaker.calls_min = limits::breaker_calls_min;
  how.breaker.in_flight_max = c.max_provider_calls;
  how.breaker.drain_per_s = static_cast<std::int64_t>(c.drain_rate);
  how.waiting_orders_max = c.max_waiting_orders;
  how.enable_faults = c.enable_faults;
  how.webhooks_allow_private = c.webhooks_allow_private;
  how.webhooks_hurry = c.webhooks_hurry;
  if (!c.cluster.empty())
    how.cluster = cluster_options{c.cluster, c.node_id, c.role,
      etcd_options{c.etcd, c.etcd_ca, c.etcd_cert, c.etcd_key, c.etcd_user, c.etcd_password_file},
      c.cluster_owners_min, c.cluster_bind, c.cluster_port, c.cluster_advertise, c.cluster_cert,
      c.cluster_key, c.cluster_ca, c.simulator_node,
      c.failpoints.starts_with("move.") ? c.failpoints : "", c.cluster_resume};
  constexpr std::string_view poison = "saga.throw:";
  if (c.failpoints.starts_with(poison)) how.poisoned_sku = c.failpoints.substr(poison.size());
  if (const auto times = how.poisoned_sku.find('*'); times != std::string::npos) {
    how.poison_times = std::atoi(how.poisoned_sku.c_str() + times + 1);
    how.poisoned_sku.resize(times);
  }
  return how;
}

http::server_options edge_of(const config& c) {
  http::server_options how;
  how.public_address = c.bind;
  how.public_port = c.port;
  how.ops_address = c.ops_bind;
  how.ops_port = c.ops_port;
  how.node = c.node_id;
  how.cluster = c.cluster;
  how.requests_waiting_max = c.max_requests;
  how.connections_max = c.max_connections;
  how.rate_limit = c.rate_limit;
  how.cors_origins = c.cors_origins;
  how.drain_grace = c.drain_grace;
  how.owner_wait = c.cluster_owner_wait;
  how.event_heartbeat = c.event_heartbeat;
  how.event_reader_bytes_max = c.event_reader_bytes;
  how.random = random_bits;
  return how;
}

std::string backup_dir_of(const config& c) {
  return c.backup_dir.empty() ? c.data_dir + "/backups" : c.backup_dir;
}

/// Null: no hooks are taken.
std::unique_ptr<hooks_adapter> hooks_of(const config& c, node& inside) {
  if (c.payment_hook_secret_file.empty()) return nullptr;
  return std::make_unique<hooks_adapter>(inside,
    c.payment_provider == payment_by::http ? "stripe" : "simulator", c.payment_hook_secret_file);
}

std::string url(const http::tls_slot* tls, const std::string& address, std::uint16_t port) {
  const auto host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

void print_welcome(const std::string& shop, const std::string& ops) {
  std::printf(
    "Jumun serves.\n"
    "  shop  %s/v1/\n"
    "  ops   %s/readyz, %s/admin/v1/actors\n"
    "Three lines to paste: put something on the menu, stock it, order it.\n"
    "  curl -sX PUT %s/v1/products/americano -H 'Content-Type: application/json' "
    "-d '{\"name\":\"Americano\",\"unit_price\":{\"amount\":4500,\"currency\":\"KRW\"}}'\n"
    "  curl -s %s/v1/inventory/americano/adjustments -H 'Content-Type: application/json' "
    "-d '{\"delta\":100,\"reason\":\"opening stock\"}'\n"
    "  curl -s %s/v1/orders -H 'Content-Type: application/json' -H 'Prefer: wait=5' "
    "-d '{\"customer_id\":\"c-42\",\"lines\":[{\"sku\":\"americano\",\"quantity\":2}],"
    "\"payment\":{\"method\":\"card\",\"token\":\"tok_approve\"},\"shipping_address\":"
    "{\"line1\":\"1 Sejong-daero\",\"city\":\"Seoul\",\"country\":\"KR\"}}'\n"
    "ready public=%s ops=%s\n",
    shop.c_str(), ops.c_str(), ops.c_str(), shop.c_str(), shop.c_str(), shop.c_str(), shop.c_str(),
    ops.c_str());
  std::fflush(stdout);
}

/// Written under another name first, so that whoever waits for it never reads a half.
bool write_address_file(const config& c, const std::string& shop, const std::string& ops) {
  if (c.address_file.empty()) return true;
  const auto half = c.address_file + ".part";
  {
    std::ofstream out{half};
    out << "public=" << shop << "\nops=" << ops << "\n";
    if (!out.flush()) return false;
  }
  return std::rename(half.c_str(), c.address_file.c_str()) == 0;
}

class serving {
public:
  serving(const config& c, node& inside, const security& guard)
      : config_(c), inside_(inside), readers_(reader_threads),
        adapter_(inside, io_, [this] { return settings_.json(); }), audit_(inside), desk_(inside),
        feed_(inside.disk(), inside.events()), others_(others_of(inside)),
        hooks_(hooks_of(c, inside)), metrics_(c, inside), overview_(inside), inspector_(inside),
        cluster_(inside), backups_(inside.shared_disk(), backup_dir_of(c), c.backups_keep),
        guard_(guard), server_(io_, readers_, ports_to_inside(), edge_of(c)), settings_(c) {}

  exit_code run() {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    if (const auto failed = server_.start()) {
      log::error("server.bind_failed", {{"detail", *failed}});
      return exit_code::bind_failed;
    }
    const auto shop = url(guard_.public_tls(), config_.bind, server_.public_port());
    const auto ops = url(guard_.ops_tls(), config_.ops_bind, server_.ops_port());
    if (!write_address_file(config_, shop, ops)) {
      log::error(
        "server.address_file", {{"path", config_.address_file}, {"allowed", "a writable path"}});
      return exit_code::usage;
    }
    if (guard_.who() == nullptr)
      log::warn("server.dev_mode",
        {{"detail", "no auth is configured: every request is admin; loopback addresses only"}});
    if (config_.enable_faults)
      log::warn("server.faults_enabled",
        {{"detail", "PUT /admin/v1/faults/{target} makes this server fail on purpose"}});
    if (others_) listen_to_others();
    inside_.join(reached_at(config_.bind, server_.public_port()),
      reached_at(config_.ops_bind, server_.ops_port()));
    settings_.follow([this](const config& before, const config& now) { turn(before, now); });
    log::info("server.ready", {{"public", shop}, {"ops", ops}, {"data_dir", config_.data_dir}});
    print_welcome(shop, ops);
    signals_.async_wait([this](const boost::system::error_code& failed, int which) {
      if (!failed) drain(which);
    });
    asio::post(one_at_a_time_, [this] { sample(std::chrono::steady_clock::now()); });
    if (config_.actor_threads == 0) inside_.threads().share(io_);
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < config_.http_threads; ++i) threads.emplace_back([this] { io_.run(); });
    io_.run();
    for (auto& t : threads) t.join();
    readers_.join();
    return exit_code::ok;
  }

private:
  /// What is live in the table of settings. On a thread of its own.
  void turn(const config& before, const config& now) {
    // PUT /admin/v1/log-level stays in force unless the file has another one by now.
    if (now.log_level != before.log_level) log::set_level(now.log_level);
    server_.set_rate_limit(now.rate_limit);
    inside_.space().set_free_min_pct(now.disk_free_min_pct);
    backups_.set_keep(now.backups_keep);
  }
  /// For the other nodes: a listener on every address is reached where this node says to be.
  [[nodiscard]] std::string reached_at(const std::string& bind, std::uint16_t port) const {
    const auto& said = config_.cluster_advertise;
    const bool any = asio::ip::make_address(bind).is_unspecified();
    const auto host = any && !said.empty()                  ? said.substr(0, said.rfind(':'))
                      : bind.find(':') == std::string::npos ? bind
                                                            : "[" + bind + "]";
    return host + ":" + std::to_string(port);
  }
  std::unique_ptr<elsewhere_adapter> others_of(node& inside) {
    auto* side = inside.side();
    if (!side) return nullptr;
    return std::make_unique<elsewhere_adapter>(elsewhere_adapter::surroundings{side->peers(),
      inside.coordinator(), side->owners(), inside.disk(), [] { return wall_clock_us() / 1000; },
      [this](std::function<void()> read) { asio::post(readers_, std::move(read)); }});
  }
  void listen_to_others() {
    others_->serve(
      [this](http::forwarded_request r, http::done<http::forwarded_answer> reply) {
        server_.take(std::move(r), std::move(reply));
      },
      [this](domain::audit_entry entry, http::done<bool> then) {
        audit_.record_here(std::move(entry), std::move(then));
      });
    audit_.when_without_shards([this](domain::audit_entry entry, http::done<bool> then) {
      others_->record(std::move(entry), std::move(then));
    });
    inside_.webhooks().join(*others_);
    inside_.side()->on_ask(
      [this](const std::string&, const cluster::envelope& what, const cluster::reply_once& reply) {
        return others_->take(what, reply);
      });
  }
  http::ports ports_to_inside() {
    http::ports to{adapter_};
    to.audit = &audit_;
    to.sagas = &desk_;
    to.others = others_.get();
    to.events = &feed_;
    to.monitor = &metrics_;
    to.overview = &overview_;
    to.inspector = &inspector_;
    to.logs = &logs_;
    to.cluster = &cluster_;
    to.backups = &backups_;
    to.who = guard_.who();
    to.public_tls = guard_.public_tls();
    to.ops_tls = guard_.ops_tls();
    to.breakers = &inside_.breakers();
    to.faults = inside_.faults();
    to.hooks = hooks_.get();
    to.webhooks = &inside_.webhooks();
    return to;
  }
  /// Figures of each second, whether anybody looks or not.
  void sample(std::chrono::steady_clock::time_point before) {
    seconds_.expires_at(before + limits::overview_step);
    seconds_.async_wait([this, before](const boost::system::error_code& cancelled) {
      if (cancelled || finished_) return;
      const auto now = std::chrono::steady_clock::now();
      overview_.take_sample(server_.counts(), std::chrono::duration<double>(now - before).count());
      sample(now);
    });
  }
  /// Readiness fails first; then what runs is finished; then, or after drain_max, everything is
  /// closed.
  void drain(int signal) {
    log::info("server.draining", {{"signal", signal}, {"sessions", server_.sessions()}});
    server_.begin_drain();
    patience_.expires_after(config_.drain_grace + limits::drain_max);
    patience_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) finish("time");
    });
    grace_.expires_after(config_.drain_grace);
    grace_.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled) return;
      server_.when_drained([this] { asio::post(one_at_a_time_, [this] { finish("drained"); }); });
    });
    signals_.async_wait([this](const boost::system::error_code& failed, int) {
      if (!failed) finish("asked twice");
    });
  }
  /// In the strand, as all of the drain: what it cancels, it must not race with.
  void finish(std::string_view why) {
    if (std::exchange(finished_, true)) return;
    log::info("server.stopping", {{"because", why}, {"sessions", server_.sessions()}});
    patience_.cancel();
    grace_.cancel();
    seconds_.cancel();
    signals_.cancel();
    server_.stop();
    inside_.threads().leave();
    asio::post(io_, [this] { work_.reset(); });
  }

  const config& config_;
  node& inside_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::thread_pool readers_;
  asio::strand<asio::io_context::executor_type> one_at_a_time_{asio::make_strand(io_)};
  asio::signal_set signals_{one_at_a_time_};
  asio::steady_timer patience_{one_at_a_time_}, grace_{one_at_a_time_}, seconds_{one_at_a_time_};
  bool finished_ = false;
  shop_adapter adapter_;
  audit_adapter audit_;
  saga_desk desk_;
  feed_adapter feed_;
  std::unique_ptr<elsewhere_adapter> others_; // null: alone
  std::unique_ptr<hooks_adapter> hooks_;      // null: no hooks are taken
  metrics_page metrics_;
  overview_board overview_;
  inspector inspector_;
  process_logs logs_;
  cluster_adapter cluster_;
  backup_keeper backups_;
  const security& guard_;
  http::server server_;
  live_config settings_; // last: its thread uses the others
};
} // namespace

exit_code run_serve(const config& c) {
  log::set_level(c.log_level);
  // A log nobody reads any more, or a limit on file sizes: a failed write, no reason to be
  // killed.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const auto guard = security::open(c); // before the folder is touched
  if (const auto* why = std::get_if<std::string>(&guard)) {
    std::fprintf(stderr, "jumun: %s\n", why->c_str());
    return exit_code::usage;
  }
  if (!c.restore_from.empty()) {
    log::info("storage.restoring", {{"from", c.restore_from}, {"data_dir", c.data_dir}});
    if (const auto failed = storage::restore_newest_backup(c.restore_from, c.data_dir)) {
      log::error("storage.restore_failed", {{"detail", failed->detail}});
      return exit_code_of(failed->code);
    }
  }
  const auto how = options_of(c);
  if (const auto why = how.cluster ? why_no_etcd(how.cluster->etcd) : std::nullopt) {
    std::fprintf(stderr, "jumun: %s\n", why->c_str());
    return exit_code::usage;
  }
  auto opened = node::open(how);
  if (const auto* failed = std::get_if<storage::failure>(&opened)) {
    log::error("storage.open_failed", {{"data_dir", c.data_dir}, {"detail", failed->detail}});
    return exit_code_of(failed->code);
  }
  auto inside = std::get<0>(std::move(opened));
  if (const auto why = inside->open_wire()) {
    log::error("cluster.bind_failed", {{"detail", *why}});
    return exit_code::bind_failed;
  }
  // The answers that actors still owe go through the edge: it must outlive them.
  auto edge = std::make_unique<serving>(c, *inside, *std::get<0>(guard));
  const auto code = edge->run();
  inside.reset();
  edge.reset();
  log::info("server.stopped", {{"exit_code", static_cast<int>(code)}});
  return code;
}
} // namespace jumun::app
