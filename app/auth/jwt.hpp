#pragma once
#include "app/auth/jwt_keys.hpp"
#include "http/authenticator.hpp"

namespace jumun::app {
/// What a token must say, besides being signed.
struct jwt_rules {
  std::string issuer, audience;
  std::string role_claim = "role", principal_claim = "sub";
};

/// Who a JSON Web Token (RFC 7519, signed as RFC 7515's compact form) belongs to. nullopt unless:
/// its `alg` is the keys' own (RFC 8725 §3.1) and it has no `crit`; its `kid` names a key, where
/// there are several; its signature fits; `iss` is the issuer; `aud` is, or has, the audience;
/// `exp` is there and to come, and `nbf`, if there, has passed (limits::jwt_leeway either way); the
/// principal's claim is a text that may be one; and the role's claim is a role, or a list that has
/// exactly one. `now_s`: unix seconds. Pure; keys named by the token itself (jwk, jku, x5u) are
/// never looked at.
[[nodiscard]] std::optional<http::identity> verify_jwt(
  std::string_view token, const jwt_keys& keys, const jwt_rules& rules, double now_s);
} // namespace jumun::app
