#include "app/config_rules.hpp"
#include <boost/asio/ip/address.hpp>

namespace jumun::app {
namespace {
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

/// Without auth, whoever reaches a listener may do everything: only this machine may reach one.
std::optional<std::string> unguarded(const config& c) {
  if (has_auth(c)) return {};
  for (const auto& [key, value] : {std::pair{"bind", c.bind}, std::pair{"ops-bind", c.ops_bind}})
    if (!boost::asio::ip::make_address(value).is_loopback())
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
  return unguarded(c);
}
} // namespace jumun::app
