#include "app/config_rules.hpp"
#include <boost/asio/ip/address.hpp>

namespace jumun::app {
namespace {
/// An IPv6 address may be in brackets; a name is none.
bool is_loopback(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(host, failed);
  return !failed && address.is_loopback();
}

bool has_jwt(const config& c) {
  return !(c.jwt_algorithm.empty() && c.jwt_key.empty() && c.jwt_jwks.empty()
           && c.jwt_issuer.empty() && c.jwt_audience.empty());
}

/// A token that is not checked in full is no token: there is no way to leave a part of it out.
std::optional<std::string> half_a_jwt(const config& c) {
  if (!has_jwt(c)) return {};
  for (const auto& [key, value] : {std::pair{"jwt-algorithm", c.jwt_algorithm},
         std::pair{"jwt-issuer", c.jwt_issuer}, std::pair{"jwt-audience", c.jwt_audience}})
    if (value.empty())
      return std::string{key} + ": \"\" is not allowed while other jwt- settings are there";
  if (c.jwt_key.empty() == c.jwt_jwks.empty())
    return "jwt-key, jwt-jwks: one of them must name a file, and only one";
  return {};
}

std::optional<std::string> half_a_certificate(const config& c) {
  for (const auto& [prefix, cert, key] :
    {std::tuple{"", c.tls_cert, c.tls_key}, std::tuple{"ops-", c.ops_tls_cert, c.ops_tls_key}})
    if (cert.empty() != key.empty())
      return std::string{prefix} + "tls-cert, " + prefix
             + "tls-key: both must name a file, or neither";
  return {};
}

/// A setting that has no effect is a misunderstanding.
std::optional<std::string> cluster_setting_without_cluster(const config& c) {
  const auto is_of_cluster = [](const std::string& key) {
    return key == "role" || key == "simulator-node" || key.starts_with("etcd")
           || key.starts_with("cluster-");
  };
  for (const auto& s : effective(c))
    if (is_of_cluster(s.key) && s.value != s.default_value)
      return s.key
             + ": is not allowed without cluster; allowed: a name for the cluster, the same on all "
               "of its nodes";
  return {};
}

/// Between machines only what both ends prove to each other.
std::optional<std::string> half_a_cluster(const config& c) {
  if (c.cluster.empty()) return cluster_setting_without_cluster(c);
  if (c.etcd.empty())
    return "etcd: \"\" is not allowed with cluster; allowed: [http[s]://]HOST:PORT, several with "
           "commas between";
  if (c.sources.find(std::string_view{"node-id"}) == c.sources.end())
    return "node-id: must be set with cluster; allowed: a name that no other node has, the same at "
           "each start on this data folder";
  if (c.events_keep_mb > 0) // shards that come and go: no node can tell how much it has
    return "events-keep-mb: " + std::to_string(c.events_keep_mb)
           + " is not allowed with cluster; allowed: 0. Use events-keep-days";
  const auto given = [](const std::string& path) { return path.empty() ? 0 : 1; };
  const auto parts = given(c.cluster_cert) + given(c.cluster_key) + given(c.cluster_ca);
  if (parts != 0 && parts != 3)
    return "cluster-cert, cluster-key, cluster-ca: all must name a file, or none";
  if (parts == 3) return {};
  const auto advertised = c.cluster_advertise.substr(0, c.cluster_advertise.rfind(':'));
  for (const auto& [key, value] :
    {std::pair{"cluster-bind", c.cluster_bind}, std::pair{"cluster-advertise", advertised}})
    if (!value.empty() && !is_loopback(value))
      return std::string{"no certificates are configured: "} + key + ": \"" + value
             + "\" is not allowed; allowed: a loopback address. For others, make certificates with "
               "`jumun certs`, and name them in cluster-cert, cluster-key and cluster-ca";
  return {};
}

/// Without auth, whoever reaches a listener may do everything: only this machine may reach one.
std::optional<std::string> unguarded(const config& c) {
  if (has_auth(c)) return {};
  for (const auto& [key, value] : {std::pair{"bind", c.bind}, std::pair{"ops-bind", c.ops_bind}})
    if (!is_loopback(value))
      return std::string{"no auth is configured: "} + key + ": \"" + value
             + "\" is not allowed; allowed: a loopback address (127.0.0.0/8 or ::1). For others, "
               "make a key with `jumun keys add --file keys.json --role admin --principal you`, "
               "and serve with `--keys keys.json`";
  return {};
}
} // namespace

bool has_auth(const config& c) { return !c.keys_file.empty() || has_jwt(c); }

std::optional<std::string> why_unsafe(const config& c) {
  if (auto why = half_a_jwt(c)) return why;
  if (auto why = half_a_certificate(c)) return why;
  if (auto why = half_a_cluster(c)) return why;
  return unguarded(c);
}
} // namespace jumun::app
