#include "app/auth/jwt.hpp"
#include "app/auth/keys_file.hpp"
#include "domain/limits.hpp"
#include <nlohmann/json.hpp>

namespace jumun::app {
namespace {
using nlohmann::json;

/// A JSON object in base64url; null: it is none.
json object_in(std::string_view part) {
  const auto text = base64url_decoded(part);
  if (!text) return nullptr;
  auto parsed = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : json(nullptr);
}
std::optional<std::string> text_of(const json& from, const std::string& name) {
  const auto at = from.find(name);
  if (at == from.end() || !at->is_string()) return {};
  return at->get<std::string>();
}

bool in_time(const json& claims, double now_s) {
  constexpr auto leeway = static_cast<double>(std::chrono::seconds{limits::jwt_leeway}.count());
  const auto exp = claims.find("exp"), nbf = claims.find("nbf");
  if (exp == claims.end() || !exp->is_number() || now_s >= exp->get<double>() + leeway)
    return false;
  return nbf == claims.end() || (nbf->is_number() && now_s >= nbf->get<double>() - leeway);
}

bool is_for(const json& claims, const std::string& audience) {
  const auto aud = claims.find("aud");
  if (aud == claims.end()) return false;
  if (aud->is_string()) return *aud == audience;
  return aud->is_array() && std::find(aud->begin(), aud->end(), json(audience)) != aud->end();
}

/// Lists often hold other systems' roles, too; two of ours would leave open which one counts.
std::optional<http::role> role_in(const json& claims, const std::string& name) {
  const auto at = claims.find(name);
  if (at == claims.end()) return {};
  if (at->is_string()) return parse_role(at->get_ref<const std::string&>());
  std::optional<http::role> one;
  if (!at->is_array()) return {};
  for (const auto& entry : *at) {
    const auto role = entry.is_string() ? parse_role(entry.get_ref<const std::string&>()) : one;
    if (role && one && role != one) return {};
    if (role) one = role;
  }
  return one;
}
} // namespace

std::optional<http::identity> verify_jwt(
  std::string_view token, const jwt_keys& keys, const jwt_rules& rules, double now_s) {
  const auto first = token.find('.');
  const auto second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return {};
  const auto header = object_in(token.substr(0, first));
  if (header.is_null() || text_of(header, "alg") != name_of(keys.algorithm())
      || header.contains("crit"))
    return {};
  const auto signature = base64url_decoded(token.substr(second + 1));
  if (!signature || !keys.verifies(text_of(header, "kid"), token.substr(0, second), *signature))
    return {};
  const auto claims = object_in(token.substr(first + 1, second - first - 1));
  if (claims.is_null() || text_of(claims, "iss") != rules.issuer || !is_for(claims, rules.audience)
      || !in_time(claims, now_s))
    return {};
  const auto principal = text_of(claims, rules.principal_claim);
  const auto role = role_in(claims, rules.role_claim);
  if (!principal || !is_principal(*principal) || !role) return {};
  return http::identity{*principal, *role};
}
} // namespace jumun::app
