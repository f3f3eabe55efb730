#pragma once
#include "app/auth/keys_command.hpp"
#include "app/certs_command.hpp"
#include "app/cluster/cluster_command.hpp"
#include "app/exit_codes.hpp"
#include "app/log.hpp"
#include "domain/limits.hpp"
#include "http/limits.hpp"
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What `jumun` was asked to do, and every setting of it. Parsed once, checked, then const.
namespace jumun::app {
enum class command : std::uint8_t { serve, check, keys, certs, cluster, bench };

/// simulator: the embedded one. http: an adapter of app/providers, at --payment-url.
enum class payment_by : std::uint8_t { simulator, http };

/// The settings of `jumun serve`. What each means, its unit and its bounds: the table in
/// config.cpp, which `jumun serve --help` and `--print-config` print. Settings tune inside
/// limits.hpp.
struct config {
  command what = command::serve;

  std::string data_dir = "./data";
  std::string node_id = "n1";
  std::string backup_dir; // empty: `backups` in data_dir
  std::uint32_t backups_keep = 7;
  std::string restore_from;       // empty: nothing is restored
  std::string bind = "127.0.0.1"; // an address, not a name
  std::uint16_t port = 8080;      // 0: any free one
  std::string ops_bind = "127.0.0.1";
  std::uint16_t ops_port = 9090;
  std::string address_file; // empty: none
  unsigned http_threads = 1;
  unsigned actor_threads = 1;
  std::uint64_t memory_mb = 256;
  std::chrono::milliseconds payment_timeout{1'000};
  payment_by payment_provider = payment_by::simulator;
  std::string payment_url;                     // http: of the provider's API
  std::string payment_secret_file;             // http: its key for us
  std::string payment_hook_secret_file;        // empty: no hooks are taken
  std::vector<std::string> delivery_countries; // ISO 3166 alpha-2; empty: all
  std::size_t max_requests = limits::requests_waiting_max;
  std::size_t max_connections = limits::connections_max;
  std::uint32_t rate_limit = 0;          // requests a second and principal; 0: no limit
  std::vector<std::string> cors_origins; // empty: no other origin's pages may read answers
  std::chrono::milliseconds drain_grace{0};
  unsigned disk_free_min_pct = limits::disk_free_min_pct;
  bool webhooks_allow_private = false;
  std::int64_t webhooks_hurry = 1; // for tests
  std::string outbound_ca_file;    // PEM; empty: the system's
  std::string keys_file;           // empty: no API keys
  std::string jwt_algorithm;       // empty: no JWT
  std::string jwt_key, jwt_jwks, jwt_issuer, jwt_audience;
  std::string jwt_role_claim = "role", jwt_principal_claim = "sub";
  std::string tls_cert, tls_key, ops_tls_cert, ops_tls_key; // empty: plain HTTP
  std::chrono::milliseconds event_heartbeat{limits::event_heartbeat};
  std::size_t event_reader_bytes = limits::event_reader_bytes_max;
  std::uint64_t events_keep_days = 0, events_keep_mb = 0; // 0: for ever
  std::chrono::milliseconds breaker_window{limits::breaker_window};
  unsigned breaker_failure_pct = 60;
  std::chrono::milliseconds breaker_open{1'000};
  std::size_t max_provider_calls = limits::provider_calls_max;
  std::size_t drain_rate = 500;
  std::size_t max_waiting_orders = limits::waiting_orders_max;
  bool enable_faults = false;
  std::string cluster;           // empty: this node is alone
  std::string role = "all";      // all | gateway | shard
  std::vector<std::string> etcd; // [http[s]://]host:port
  std::string etcd_ca, etcd_cert, etcd_key, etcd_user, etcd_password_file;
  std::size_t cluster_owners_min = 1;
  std::string cluster_bind = "127.0.0.1";
  std::uint16_t cluster_port = 7400; // 0: any free one
  std::string cluster_advertise;     // host:port; empty: cluster_bind and the port
  std::chrono::milliseconds cluster_owner_wait{limits::owner_wait};
  bool cluster_resume = false;
  std::string cluster_cert, cluster_key, cluster_ca; // empty: plain, this machine only
  log::level log_level = log::level::info;
  std::string simulator_node; // of a cluster; empty: each node has books of its own
  std::string failpoints;     // for tests; empty: none

  // jumun check
  std::vector<std::string> check_dirs; // several: the nodes of one cluster, as one shop
  bool check_json = false;

  keys_request keys;          // jumun keys
  certs_request certs;        // jumun certs
  cluster_request of_cluster; // jumun cluster

  std::vector<std::string> bench_args; // jumun bench: they are its own business

  unsigned cores = 1; // what the defaults of the threads were taken from
  std::map<std::string, std::string, std::less<>> sources; // key → flag | env | file; else default
  std::string config_file;                                 // of --config; empty: none
};

/// The end of a run that never began: help, a version, or what was wrong with what was asked.
struct said_and_done {
  exit_code code = exit_code::ok;
  std::string text; // for stdout when ok, for stderr otherwise; ends its line
};

/// What parsing may look at; a test brings its own.
struct surroundings {
  std::function<std::optional<std::string>(const std::string& name)> variable; // environment
  std::function<std::optional<std::string>(const std::string& path)> read;     // a file
  unsigned cores = 1;
};
/// The real ones. Reading a file blocks.
[[nodiscard]] surroundings this_process();

/// `args` without the program's name. A flag goes before JUMUN_… (the key in capitals, `-` as `_`),
/// that before the file of --config, that before the default. What is unknown, out of bounds or
/// unsafe comes back as exit_code::usage, with the key, the value and what is allowed. Pure but for
/// `around`.
[[nodiscard]] std::variant<config, said_and_done> parse_command_line(
  const std::vector<std::string>& args, const surroundings& around);

/// One setting as it is in force.
struct setting {
  std::string key, value, default_value;
  std::string source; // flag | env | file | default
  std::string allowed, unit, doc;
  bool is_number = false;
  bool is_live = false; // a running server takes a new value from its file; others need a restart
};
/// All of them, in the table's order; a hidden one only when it is set. Pure.
[[nodiscard]] std::vector<setting> effective(const config& c);
/// The same for GET /admin/v1/config: {"data":[{"key","value","default","source",…}]}. `wanted`:
/// what a start would have now; where that differs from `c`, it is `after_restart`. Pure.
[[nodiscard]] std::string effective_json(const config& c, const config& wanted);
/// The same for people, and for --config to read back. Pure.
[[nodiscard]] std::string effective_file(const config& c);

/// What a start like that of `running` would have if its file read `text`: the same flags and
/// variables go before it, and the same rules hold. @returns why it would not start. Pure but for
/// `around`.
[[nodiscard]] std::variant<config, std::string> reread(
  const config& running, const std::string& text, const surroundings& around);
/// `running`, with what is live and where it came from as in `wanted`. Pure.
[[nodiscard]] config with_live_of(const config& running, const config& wanted);

/// Name, version, data format, and the libraries that matter in a bug report; several lines.
[[nodiscard]] std::string version_text();
} // namespace jumun::app
