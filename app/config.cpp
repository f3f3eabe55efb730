#include "app/config.hpp"
#include "app/auth/jwt_keys.hpp"
#include "app/config_file.hpp"
#include "app/config_rules.hpp"
#include "app/cores.hpp"
#include "app/providers/secret_file.hpp"
#include "domain/names.hpp"
#include "http/cors.hpp"
#include "storage/rocks_store.hpp"
#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/version.hpp>
#include <caf/config.hpp>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace jumun::app {
namespace {
// -- how each kind of value is read and written --------------------------------------------------

/// A row of the table. `set` says false to what is not allowed, and then changes nothing.
struct field {
  std::string key, allowed, unit, doc;
  bool is_number = false;
  bool hidden = false;
  std::function<std::string(const config&)> get;
  std::function<bool(config&, std::string_view)> set;
  bool is_flag = false; // on the command line its name alone means true
  bool is_live = false; // see setting
};

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return n;
}

std::int64_t count_of(std::integral auto n) { return static_cast<std::int64_t>(n); }
std::int64_t count_of(std::chrono::milliseconds d) { return d.count(); }

template <auto Member> field number(
  std::string key, std::int64_t min, std::int64_t max, std::string unit, std::string doc) {
  field f{std::move(key), std::to_string(min) + ".." + std::to_string(max), std::move(unit),
    std::move(doc), /*is_number=*/true, false, {}, {}};
  f.get = [](const config& c) { return std::to_string(count_of(c.*Member)); };
  f.set = [min, max](config& c, std::string_view text) {
    const auto n = parse_number(text);
    if (!n || *n < min || *n > max) return false;
    using value = std::remove_reference_t<decltype(c.*Member)>;
    c.*Member = static_cast<value>(*n);
    return true;
  };
  return f;
}

bool printable(std::string_view text) {
  return std::none_of(
    text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}
template <auto Member>
field text(std::string key, std::string allowed, bool may_be_empty, std::string doc) {
  field f{std::move(key), std::move(allowed), "", std::move(doc), false, false, {}, {}};
  f.get = [](const config& c) { return c.*Member; };
  f.set = [may_be_empty](config& c, std::string_view value) {
    if (!printable(value) || (value.empty() && !may_be_empty)) return false;
    c.*Member = value;
    return true;
  };
  return f;
}

template <auto Member> field flag(std::string key, std::string doc) {
  field f{std::move(key), "true, false", "", std::move(doc), false, false, {}, {}};
  f.is_flag = true;
  f.get = [](const config& c) { return std::string{c.*Member ? "true" : "false"}; };
  f.set = [](config& c, std::string_view value) {
    if (value != "true" && value != "false") return false;
    c.*Member = value == "true";
    return true;
  };
  return f;
}

template <auto Member> field address(std::string key, std::string doc) {
  auto f = text<Member>(std::move(key), "an IPv4 or IPv6 address", false, std::move(doc));
  f.set = [](config& c, std::string_view value) {
    boost::system::error_code error;
    (void)boost::asio::ip::make_address(std::string{value}, error);
    if (error) return false;
    c.*Member = value;
    return true;
  };
  return f;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ",") + part;
  return all;
}
field countries() {
  field f{"delivery-countries", "ISO 3166 alpha-2 codes with commas between, or nothing", "",
    "countries that a delivery may go to; nothing: all", false, false, {}, {}};
  f.get = [](const config& c) { return joined(c.delivery_countries); };
  f.set = [](config& c, std::string_view value) {
    const auto upper = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
    std::vector<std::string> codes;
    for (std::size_t at = 0; at < value.size(); at += 3) {
      const auto code = value.substr(at, 2);
      const bool last = at + 2 == value.size();
      if (code.size() != 2 || !upper(code[0]) || !upper(code[1])) return false;
      if (!last && (value[at + 2] != ',' || at + 3 == value.size())) return false;
      codes.emplace_back(code);
    }
    c.delivery_countries = std::move(codes);
    return true;
  };
  return f;
}
field origins() {
  field f{"cors-origins",
    "at most " + std::to_string(limits::cors_origins_max)
      + " of https://HOST[:PORT] or http://…, exactly as browsers send them (no `*`, no path, "
        "lower case, no default port), with commas between, or nothing",
    "", "origins whose pages may read answers (CORS); nothing: none", false, false, {}, {}};
  f.get = [](const config& c) { return joined(c.cors_origins); };
  f.set = [](config& c, std::string_view value) {
    std::vector<std::string> all;
    while (!value.empty()) {
      const auto comma = std::min(value.find(','), value.size());
      all.emplace_back(value.substr(0, comma));
      const bool more = comma < value.size();
      value.remove_prefix(comma + (more ? 1 : 0));
      if (!http::is_origin(all.back()) || (more && value.empty())) return false;
    }
    if (all.size() > limits::cors_origins_max) return false;
    c.cors_origins = std::move(all);
    return true;
  };
  return f;
}
field node_id() {
  auto f = text<&config::node_id>("node-id", std::string{domain::node_names_allowed}, false,
    "this node's name in the map of shards; alone, another one takes over the folder's shards");
  f.set = [](config& c, std::string_view value) {
    if (!domain::is_node_name(value)) return false;
    c.node_id = value;
    return true;
  };
  return f;
}

// -- the cluster ----------------------------------------------------------------------------------

template <auto Member> field name_or_nothing(std::string key, std::string doc) {
  auto f = text<Member>(
    std::move(key), std::string{domain::node_names_allowed} + ", or nothing", true, std::move(doc));
  f.set = [](config& c, std::string_view value) {
    if (!value.empty() && !domain::is_node_name(value)) return false;
    c.*Member = value;
    return true;
  };
  return f;
}
field role() {
  auto f = text<&config::role>("role", "all, gateway, shard", false,
    "what a cluster's node does: owns shards, answers clients, or (all) both");
  f.set = [](config& c, std::string_view value) {
    if (value != "all" && value != "gateway" && value != "shard") return false;
    c.role = value;
    return true;
  };
  return f;
}
/// host:port, the host an address or a name; an IPv6 address in brackets.
bool is_endpoint(std::string_view value) {
  const auto colon = value.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = parse_number(value.substr(colon + 1));
  const auto host = value.substr(0, colon);
  const auto known = [](unsigned char c) {
    return std::isalnum(c) != 0
           || std::string_view{".-:[]"}.find(static_cast<char>(c)) != std::string_view::npos;
  };
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  return port && *port >= 1 && *port <= 65'535 && std::all_of(host.begin(), host.end(), known)
         && (bracketed || host.find(':') == std::string_view::npos);
}
field etcd() {
  field f{"etcd", "[http[s]://]HOST:PORT, several with commas between, or nothing", "",
    "where etcd's client port is, of each of its members", false, false, {}, {}};
  f.get = [](const config& c) { return joined(c.etcd); };
  f.set = [](config& c, std::string_view value) {
    std::vector<std::string> all;
    while (!value.empty()) {
      const auto comma = std::min(value.find(','), value.size());
      all.emplace_back(value.substr(0, comma));
      const bool more = comma < value.size();
      value.remove_prefix(comma + (more ? 1 : 0));
      std::string_view host = all.back();
      for (const std::string_view scheme : {"http://", "https://"})
        if (host.starts_with(scheme)) host.remove_prefix(scheme.size());
      if (!is_endpoint(host) || (more && value.empty())) return false;
    }
    c.etcd = std::move(all);
    return true;
  };
  return f;
}
field cluster_advertise() {
  auto f = text<&config::cluster_advertise>("cluster-advertise", "HOST:PORT, or nothing", true,
    "where the other nodes reach this one; nothing: cluster-bind and the port");
  f.set = [](config& c, std::string_view value) {
    if (!value.empty() && !is_endpoint(value)) return false;
    c.cluster_advertise = value;
    return true;
  };
  return f;
}
field log_level() {
  field f{"log-level", "debug, info, warn, error", "",
    "the least level that is written to stderr, as one JSON object a line", false, false, {}, {}};
  f.get = [](const config& c) { return std::string{log::name_of(c.log_level)}; };
  f.set = [](config& c, std::string_view value) {
    const auto level = log::parse_level(value);
    if (level) c.log_level = *level;
    return level.has_value();
  };
  return f;
}
template <auto Member> field path(std::string key, std::string doc) {
  return text<Member>(std::move(key), "a path, or nothing", true, std::move(doc));
}
field jwt_algorithm() {
  auto f = text<&config::jwt_algorithm>("jwt-algorithm", "HS256, RS256, ES256, or nothing", true,
    "the one algorithm of tokens (JWT) that are taken; nothing: none are");
  f.set = [](config& c, std::string_view value) {
    if (!value.empty() && !parse_jwt_algorithm(value)) return false;
    c.jwt_algorithm = value;
    return true;
  };
  return f;
}
field payment_provider() {
  field f{"payment-provider", "simulator, http", "",
    "who takes the money: the embedded simulator, or a provider that speaks Stripe's API", false,
    false, {}, {}};
  f.get = [](const config& c) {
    return c.payment_provider == payment_by::http ? "http" : "simulator";
  };
  f.set = [](config& c, std::string_view value) {
    if (value != "http" && value != "simulator") return false;
    c.payment_provider = value == "http" ? payment_by::http : payment_by::simulator;
    return true;
  };
  return f;
}
/// https://host[:port], or http:// to this machine: the key goes with every request.
bool is_provider_url(std::string_view url) {
  const auto plain = url.starts_with("http://");
  if (!plain && !url.starts_with("https://")) return false;
  url.remove_prefix(plain ? 7 : 8);
  if (url.ends_with('/')) url.remove_suffix(1);
  const auto known = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0
           || std::string_view{".-:[]"}.find(c) != std::string_view::npos;
  };
  if (url.empty() || !std::all_of(url.begin(), url.end(), known)) return false;
  const auto host =
    url.starts_with('[') ? url.substr(1, url.find(']') - 1) : url.substr(0, url.find(':'));
  if (!plain || host == "localhost") return !host.empty();
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(std::string{host}, failed);
  return !failed && address.is_loopback();
}
field payment_url() {
  auto f = text<&config::payment_url>("payment-url",
    "https://HOST[:PORT], http:// only to this machine, or nothing", true,
    "where the provider's API is, e.g. https://api.stripe.com");
  f.set = [](config& c, std::string_view value) {
    if (!value.empty() && !is_provider_url(value)) return false;
    if (value.ends_with('/')) value.remove_suffix(1);
    c.payment_url = value;
    return true;
  };
  return f;
}
field hidden(field f) {
  f.hidden = true;
  return f;
}
/// `serving` puts a new value in force.
field live(field f) {
  f.is_live = true;
  return f;
}

// -- the table: every setting of `jumun serve` ---------------------------------------------------

const std::vector<field>& table() {
  using c = config;
  static const std::vector<field> all{
    text<&c::data_dir>("data-dir", "a path", false, "folder of the database; made when absent"),
    address<&c::bind>("bind", "address of the public listener (/v1)"),
    number<&c::port>("port", 0, 65'535, "", "port of the public listener; 0: any free one"),
    address<&c::ops_bind>("ops-bind", "address of the ops listener (probes, /admin)"),
    number<&c::ops_port>("ops-port", 0, 65'535, "", "port of the ops listener; 0: any free one"),
    text<&c::backup_dir>("backup-dir", "a path, or nothing", true,
      "folder of the backups; nothing: `backups` in the data folder"),
    live(number<&c::backups_keep>("backups-keep", 1, 1'000, "backups", "how many are kept")),
    text<&c::restore_from>("restore-from", "a path, or nothing", true,
      "restore the newest backup of this folder first; the data folder must be empty"),
    node_id(),
    text<&c::address_file>("address-file", "a path, or nothing", true,
      "file that gets `public=URL` and `ops=URL` once the server is ready"),
    number<&c::http_threads>("http-threads", 1, 64, "threads", "threads of the HTTP edge"),
    number<&c::actor_threads>(
      "actor-threads", 0, 64, "threads", "threads of the actors; 0: they run on those of the edge"),
    number<&c::memory_mb>(
      "memory-mb", 64, 1'048'576, "MiB", "budget for the database's cache and write buffers"),
    number<&c::payment_timeout>("payment-timeout-ms", 50,
      count_of(std::chrono::milliseconds{limits::provider_timeout_max}), "ms",
      "how long the payment provider may take; then the outcome is unknown, and inquired"),
    payment_provider(),
    payment_url(),
    text<&c::payment_secret_file>("payment-secret-file", "a file with a secret, or nothing", true,
      "holds the provider's key for us (the first line); read again when it changes"),
    text<&c::payment_hook_secret_file>("payment-hook-secret-file",
      "a file with secrets, one a line, or nothing", true,
      "holds what the provider signs its hooks with; nothing: hooks are answered 404"),
    countries(),
    number<&c::max_requests>("max-requests", 1, count_of(limits::requests_waiting_max), "requests",
      "requests at work at once; more are answered 503"),
    number<&c::max_connections>("max-connections", 1, count_of(limits::connections_max),
      "connections", "open connections; more are closed at once"),
    live(number<&c::rate_limit>("rate-limit", 0, count_of(limits::rate_limit_max), "requests/s",
      "of each principal on the public listener; more are answered 429; 0: no limit")),
    origins(),
    number<&c::drain_grace>("drain-grace-ms", 0, 60'000, "ms",
      "on SIGTERM: time to go on serving, with /readyz failing, before the drain"),
    live(number<&c::disk_free_min_pct>("disk-free-min-pct", 0, 50, "%",
      "free disk below which new orders are answered 503; 0: never")),
    flag<&c::webhooks_allow_private>(
      "webhooks-allow-private", "webhooks may use http, and go to private and loopback addresses"),
    hidden(number<&c::webhooks_hurry>("webhooks-hurry", 1, 1'000'000'000, "",
      "divides the waits of the webhooks' schedule; for tests")),
    text<&c::outbound_ca_file>("outbound-ca-file", "a readable PEM file, or nothing", true,
      "certificate authorities that calls to others' servers trust; nothing: the system's"),
    path<&c::keys_file>("keys", "API keys, made by `jumun keys add`; re-read when it changes"),
    jwt_algorithm(),
    path<&c::jwt_key>("jwt-key", "HS256: the secret; RS256, ES256: the public key in PEM"),
    path<&c::jwt_jwks>("jwt-jwks", "a JWK Set, instead of jwt-key: the token's kid chooses"),
    text<&c::jwt_issuer>("jwt-issuer", "a text", true, "what a token's iss must be"),
    text<&c::jwt_audience>("jwt-audience", "a text", true, "what a token's aud must be, or have"),
    text<&c::jwt_role_claim>("jwt-role-claim", "a name", false, "the claim that has the role"),
    text<&c::jwt_principal_claim>(
      "jwt-principal-claim", "a name", false, "the claim that says who; a customer's customer_id"),
    path<&c::tls_cert>("tls-cert", "certificate chain in PEM of the public listener: then HTTPS"),
    path<&c::tls_key>("tls-key", "its private key in PEM"),
    path<&c::ops_tls_cert>("ops-tls-cert", "the same for the ops listener"),
    path<&c::ops_tls_key>("ops-tls-key", "its private key in PEM"),
    number<&c::events_keep_days>("events-keep-days", 0, 36'500, "days",
      "events older than this are archived and trimmed; 0: kept for ever"),
    number<&c::events_keep_mb>("events-keep-mb", 0, 1'048'576, "MiB",
      "the oldest events above this much are archived and trimmed; 0: kept for ever. Not in a "
      "cluster"),
    number<&c::breaker_window>("breaker-window-ms", 1'000, 600'000, "ms",
      "the payment provider's failures are counted over this long"),
    number<&c::breaker_failure_pct>("breaker-failure-pct", 1, 100, "%",
      "so much of the window's calls failed, and 20 or more ended: the breaker opens, orders wait"),
    number<&c::breaker_open>("breaker-open-ms", 50, 60'000, "ms",
      "how long it stays open at first; x2 for each probe that fails, up to 10 s or this"),
    number<&c::max_provider_calls>("max-provider-calls", 1, 1'000'000, "calls",
      "calls to the payment provider at once; more wait"),
    number<&c::drain_rate>("drain-rate", 1, 100'000, "calls/s",
      "orders that waited for the payment provider, let through once it is back"),
    number<&c::max_waiting_orders>("max-waiting-orders", 1, 1'000'000, "orders",
      "unpaid orders while some wait for the payment provider; more are answered 503"),
    flag<&c::enable_faults>(
      "enable-faults", "allows PUT /admin/v1/faults/{target}: this server can be made to fail"),
    name_or_nothing<&c::cluster>(
      "cluster", "the cluster that this node joins; nothing: it is alone, and owns all shards"),
    role(),
    etcd(),
    path<&c::etcd_ca>("etcd-ca", "authorities in PEM that etcd's https is trusted by; nothing: the "
                                 "system's"),
    path<&c::etcd_cert>("etcd-cert", "a certificate in PEM, for an etcd that asks for one"),
    path<&c::etcd_key>("etcd-key", "its private key in PEM"),
    text<&c::etcd_user>("etcd-user", "a name, or nothing", true, "who this node is to etcd"),
    path<&c::etcd_password_file>(
      "etcd-password-file", "holds that user's password (the first line)"),
    number<&c::cluster_owners_min>("cluster-owners-min", 1, 256, "nodes",
      "so many owners of shards are waited for before a new cluster gives its shards out"),
    address<&c::cluster_bind>("cluster-bind", "address of the listener for the other nodes"),
    number<&c::cluster_port>("cluster-port", 0, 65'535, "", "its port; 0: any free one"),
    cluster_advertise(),
    number<&c::cluster_owner_wait>("cluster-owner-wait-ms", 0, 60'000, "ms",
      "a request waits so long for a node that is away, such as one that is being restarted"),
    flag<&c::cluster_resume>("cluster-resume",
      "a start takes back a drain of this node that has not come to its end; else it goes on"),
    path<&c::cluster_cert>("cluster-cert",
      "this node's certificate in PEM, made by `jumun certs`; nothing: plain, this machine only"),
    path<&c::cluster_key>("cluster-key", "its private key in PEM"),
    path<&c::cluster_ca>(
      "cluster-ca", "the certificate in PEM that the other nodes' are signed by"),
    name_or_nothing<&c::simulator_node>("simulator-node",
      "the node whose payment simulator all nodes ask, as they would one bank; nothing: each its "
      "own"),
    live(log_level()),
    hidden(number<&c::event_heartbeat>("event-heartbeat-ms", 10,
      count_of(std::chrono::milliseconds{limits::event_heartbeat}), "ms",
      "pause between an event stream's comments; for tests")),
    hidden(number<&c::event_reader_bytes>("event-reader-bytes", 4'096,
      count_of(limits::event_reader_bytes_max), "bytes",
      "what may wait for a slow reader of events; for tests")),
    hidden(
      text<&c::failpoints>("failpoints", "see tests/", true, "makes named steps fail; for tests")),
  };
  return all;
}

config defaults(unsigned cores) {
  config c;
  c.cores = std::clamp(cores, 1U, 64U);
  // The journal and the ledger take the rest (ADR 0013). With the actors on its own threads the
  // edge comes late to whom it must refuse (ADR 0026).
  c.http_threads = c.actor_threads = std::max(1U, c.cores / 2);
  return c;
}

// -- messages ------------------------------------------------------------------------------------

said_and_done refuse(const std::string& why) { return {exit_code::usage, "jumun: " + why + "\n"}; }
std::string variable_of(const std::string& key) {
  std::string name = "JUMUN_" + key;
  for (char& c : name)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}
/// Where a value came from, as the person wrote it.
std::string spelled(const std::string& source, const std::string& key, const std::string& file) {
  if (source == "flag") return "--" + key;
  return source == "env" ? variable_of(key) : file + ": " + key;
}

// -- from all sources into one config -------------------------------------------------------------

using values = std::map<std::string, std::string>; // by key

/// Later calls win. @returns what is not allowed; nullopt: all of `given` is in `into`.
std::optional<std::string> take(
  config& into, const values& given, const std::string& source, const std::string& file) {
  for (const auto& f : table()) {
    const auto found = given.find(f.key);
    if (found == given.end()) continue;
    if (!f.set(into, found->second))
      return spelled(source, f.key, file) + ": \"" + found->second
             + "\" is not allowed; allowed: " + f.allowed + (f.unit.empty() ? "" : " " + f.unit);
    into.sources[f.key] = source;
  }
  return std::nullopt;
}

/// What a file says; or what is wrong with it.
std::variant<values, std::string> values_of(const std::string& path, const std::string& text) {
  auto parsed = parse_config_file(text);
  if (const auto* why = std::get_if<std::string>(&parsed)) return path + ": " + *why;
  auto& given = std::get<values>(parsed);
  std::string known;
  for (const auto& f : table())
    if (!f.hidden) known += (known.empty() ? "" : ", ") + f.key;
  for (const auto& [key, value] : given)
    if (std::none_of(table().begin(), table().end(), [&](const auto& f) { return f.key == key; }))
      return path + ": unknown key \"" + key + "\"; allowed: " + known;
  return std::move(given);
}

/// Found now, rather than by the first payment.
std::optional<std::string> why_unreadable(const config& c, const surroundings& around) {
  if (c.outbound_ca_file.empty() || around.read(c.outbound_ca_file)) return std::nullopt;
  return "outbound-ca-file: \"" + c.outbound_ca_file
         + "\" cannot be read; allowed: a readable PEM file, or nothing";
}

/// A provider that can't be asked would make every order wait.
std::optional<std::string> half_a_provider(const config& c, const surroundings& around) {
  const bool http = c.payment_provider == payment_by::http;
  if (http && c.payment_url.empty())
    return "payment-url: \"\" is not allowed with payment-provider http; allowed: "
           "https://HOST[:PORT]";
  for (const auto& [key, path, needed] :
    {std::tuple{"payment-secret-file", c.payment_secret_file, http},
      std::tuple{"payment-hook-secret-file", c.payment_hook_secret_file, false}}) {
    if (path.empty() && !needed) continue;
    const auto text = around.read(path);
    if (!text || !parse_secrets(*text))
      return std::string{key} + ": \"" + path
             + "\" is not allowed; allowed: a readable file with a secret on a line";
  }
  return std::nullopt;
}

/// What was given, by where: what is nearer to the person goes first.
struct given_by {
  std::string file_path;
  values file, environment, flags;
};
std::variant<config, std::string> combined(
  const given_by& all, unsigned cores, const surroundings& around) {
  auto c = defaults(cores);
  c.config_file = all.file_path;
  for (const auto& [source, given] : {std::pair{"file", &all.file},
         std::pair{"env", &all.environment}, std::pair{"flag", &all.flags}})
    if (auto why = take(c, *given, source, all.file_path)) return std::move(*why);
  if (auto why = why_unsafe(c)) return std::move(*why);
  if (auto why = why_unreadable(c, around)) return std::move(*why);
  if (auto why = half_a_provider(c, around)) return std::move(*why);
  return c;
}

struct serve_flags {
  values given;
  std::string config_file;
  bool print = false;
};
std::variant<config, said_and_done> settle(const serve_flags& flags, const surroundings& around) {
  given_by all{flags.config_file, {}, {}, flags.given};
  if (all.file_path.empty()) all.file_path = around.variable(variable_of("config")).value_or("");
  if (!all.file_path.empty()) {
    const auto text = around.read(all.file_path);
    if (!text)
      return refuse("--config: \"" + all.file_path + "\" cannot be read; allowed: a readable file");
    auto file = values_of(all.file_path, *text);
    if (const auto* why = std::get_if<std::string>(&file)) return refuse(*why);
    all.file = std::get<values>(std::move(file));
  }
  for (const auto& f : table())
    if (auto value = around.variable(variable_of(f.key)))
      all.environment[f.key] = std::move(*value);
  auto c = combined(all, around.cores, around);
  if (const auto* why = std::get_if<std::string>(&c)) return refuse(*why);
  if (flags.print) return said_and_done{exit_code::ok, effective_file(std::get<config>(c))};
  return std::get<config>(std::move(c));
}

// -- the command line ----------------------------------------------------------------------------

/// Adds every row of the table as a flag; CLI11 collects texts, `take` judges them.
void add_flags(CLI::App& serve, serve_flags& into, const config& standard) {
  for (const auto& f : table()) {
    const auto usual = f.get(standard);
    auto doc = f.doc + "\n[" + f.allowed + (f.unit.empty() ? "" : " " + f.unit) + "; default "
               + (usual.empty() ? "nothing" : usual) + "; " + variable_of(f.key) + "]";
    auto* option = serve.add_option_function<std::string>(
      "--" + f.key,
      [&into, key = f.key, on = f.is_flag](
        const std::string& v) { into.given[key] = on && v.empty() ? "true" : v; },
      doc);
    if (f.is_flag) option->expected(0, 1);
    option->type_name(f.is_number ? "N" : "TEXT");
    if (f.hidden) option->group("");
  }
  serve.add_option("--config", into.config_file,
    "a file of `key = value` lines, keys as above without --; JUMUN_CONFIG");
  serve.add_flag("--print-config", into.print, "print what is in force, and where it comes from");
}

/// CLI11's own words, with our exit codes.
said_and_done told_by(const CLI::App& app, const CLI::ParseError& e) {
  std::ostringstream out, err;
  const bool fine = app.exit(e, out, err) == 0;
  return {fine ? exit_code::ok : exit_code::usage, fine ? out.str() : "jumun: " + err.str()};
}
} // namespace

std::variant<config, said_and_done> parse_command_line(
  const std::vector<std::string>& args, const surroundings& around) {
  CLI::App app{"Jumun, an order server for shops: every order is a saga on disk.", "jumun"};
  app.require_subcommand(1);
  if (!args.empty() && args[0] == "bench") {
    config c = defaults(around.cores);
    c.what = command::bench, c.bench_args.assign(args.begin() + 1, args.end());
    return c;
  }
  serve_flags flags;
  auto* serve = app.add_subcommand("serve", "serve the shop on this machine, until SIGTERM");
  add_flags(*serve, flags, defaults(around.cores));
  config c = defaults(around.cores);
  auto* check = app.add_subcommand("check", "verify stopped servers' data folders");
  check->add_option("DIR", c.check_dirs, "the data folder; all of a cluster's: as one shop")
    ->required();
  check->add_flag("--json", c.check_json, "print one JSON object instead of text");
  const auto* keys = add_keys_command(app, c.keys);
  const auto* certs = add_certs_command(app, c.certs);
  const auto* cluster = add_cluster_command(app, c.of_cluster);
  app.add_subcommand("bench", "measure this binary; jumun bench --help");
  auto* version = app.add_subcommand("version", "print versions");
  try {
    app.parse(
      std::vector<std::string>{args.rbegin(), args.rend()}); // CLI11 wants the last one first
  } catch (const CLI::ParseError& e) {
    return told_by(app, e);
  }
  if (*version) return said_and_done{exit_code::ok, version_text()};
  if (*serve) return settle(flags, around);
  c.what = *keys      ? command::keys
           : *certs   ? command::certs
           : *cluster ? command::cluster
                      : command::check;
  return c;
}

surroundings this_process() {
  const auto text_of = [](const std::string& path) -> std::optional<std::string> {
    std::ifstream in{path, std::ios::binary};
    if (!in) return std::nullopt;
    std::string all{std::istreambuf_iterator<char>{in}, {}};
    return in.bad() ? std::nullopt : std::optional{std::move(all)};
  };
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>{value};
          },
    text_of, cores_within_quota(std::max(1U, std::thread::hardware_concurrency()), text_of)};
}

std::vector<setting> effective(const config& c) {
  const auto standard = defaults(c.cores);
  std::vector<setting> all;
  for (const auto& f : table()) {
    const auto source = c.sources.find(f.key);
    if (f.hidden && f.get(c) == f.get(standard)) continue;
    all.push_back(
      {f.key, f.get(c), f.get(standard), source == c.sources.end() ? "default" : source->second,
        f.allowed, f.unit, f.doc, f.is_number, f.is_live});
  }
  return all;
}

std::string effective_json(const config& c, const config& wanted) {
  std::map<std::string, std::string> later;
  for (const auto& s : effective(wanted)) later[s.key] = s.value;
  auto rows = nlohmann::ordered_json::array();
  for (const auto& s : effective(c)) {
    const auto value = [&s](const std::string& text) -> nlohmann::ordered_json {
      if (s.is_number) return *parse_number(text);
      return text;
    };
    rows.push_back({{"key", s.key}, {"value", value(s.value)}, {"default", value(s.default_value)},
      {"source", s.source}, {"live", s.is_live}, {"allowed", s.allowed}, {"unit", s.unit},
      {"doc", s.doc}});
    const auto after = later.find(s.key); // a hidden one is only listed where it is set
    if (after != later.end() && after->second != s.value)
      rows.back()["after_restart"] = value(after->second);
  }
  return nlohmann::ordered_json{{"data", std::move(rows)}}.dump(
    -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string effective_file(const config& c) {
  std::string all = "# jumun serve: what is in force. --config reads this file back.\n";
  for (const auto& s : effective(c)) {
    all += "\n# " + s.doc + "\n# allowed: " + s.allowed + (s.unit.empty() ? "" : " " + s.unit)
           + "; default: " + (s.default_value.empty() ? "nothing" : s.default_value)
           + "; from: " + s.source + "\n";
    all += s.key + " = " + (s.is_number ? s.value : quote(s.value)) + "\n";
  }
  return all;
}

std::variant<config, std::string> reread(
  const config& running, const std::string& text, const surroundings& around) {
  auto file = values_of(running.config_file, text);
  if (auto* why = std::get_if<std::string>(&file)) return std::move(*why);
  given_by all{running.config_file, std::get<values>(std::move(file)), {}, {}};
  for (const auto& f : table()) {
    const auto source = running.sources.find(f.key);
    if (source == running.sources.end() || source->second == "file") continue;
    (source->second == "env" ? all.environment : all.flags)[f.key] = f.get(running);
  }
  return combined(all, running.cores, around);
}

config with_live_of(const config& running, const config& wanted) {
  auto c = running;
  for (const auto& f : table()) {
    if (!f.is_live) continue;
    f.set(c, f.get(wanted));
    const auto source = wanted.sources.find(f.key);
    if (source == wanted.sources.end())
      c.sources.erase(f.key);
    else
      c.sources[f.key] = source->second;
  }
  return c;
}

std::string version_text() {
  return "jumun " JUMUN_VERSION "\ndata format " + std::to_string(storage::data_format) + "\nCAF "
         + std::to_string(CAF_VERSION / 10'000) + "." + std::to_string(CAF_VERSION / 100 % 100)
         + "." + std::to_string(CAF_VERSION % 100) + "\nBoost "
         + std::to_string(BOOST_VERSION / 100'000) + "."
         + std::to_string(BOOST_VERSION / 100 % 1'000) + "\n";
}
} // namespace jumun::app
