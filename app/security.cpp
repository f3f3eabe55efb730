#include "app/security.hpp"
#include "app/config_rules.hpp"
#include "app/log.hpp"
#include "app/node.hpp"

namespace jumun::app {
std::variant<std::unique_ptr<security>, std::string> security::open(const config& c) {
  std::unique_ptr<security> made{new security};
  if (has_auth(c)) {
    jwt_rules rules{c.jwt_issuer, c.jwt_audience, c.jwt_role_claim, c.jwt_principal_claim};
    made->bearer_ =
      std::make_unique<bearer>(std::move(rules), [] { return wall_clock_us() / 1000; });
  }
  if (auto why = made->read_keys(c)) return *why;
  if (auto why = made->read_jwt(c)) return *why;
  if (auto why = made->read_certificate(made->tls_, "tls-cert", c.tls_cert, c.tls_key)) return *why;
  if (auto why =
        made->read_certificate(made->ops_tls_, "ops-tls-cert", c.ops_tls_cert, c.ops_tls_key))
    return *why;
  made->files_.start();
  return made;
}

std::optional<std::string> security::read_keys(const config& c) {
  if (c.keys_file.empty()) return {};
  const auto why = files_.add({c.keys_file}, [this](const auto& bytes) {
    auto keys = parse_keys(bytes[0]);
    if (auto* wrong = std::get_if<std::string>(&keys)) return std::optional{std::move(*wrong)};
    auto ring = std::make_shared<const keyring>(std::get<0>(keys));
    log::info("auth.keys", {{"keys", ring->size()}});
    bearer_->take(std::move(ring));
    return std::optional<std::string>{};
  });
  if (!why) return {};
  return "keys: " + *why + "; make one with `jumun keys add --file " + c.keys_file
         + " --role admin --principal you`";
}

std::optional<std::string> security::read_jwt(const config& c) {
  const auto algorithm = parse_jwt_algorithm(c.jwt_algorithm);
  if (!algorithm) return {};
  const bool set = !c.jwt_jwks.empty();
  const auto why =
    files_.add({set ? c.jwt_jwks : c.jwt_key}, [this, set, algorithm](const auto& bytes) {
      auto keys =
        set ? jwt_keys::from_jwks(*algorithm, bytes[0]) : jwt_keys::from_file(*algorithm, bytes[0]);
      if (auto* wrong = std::get_if<std::string>(&keys)) return std::optional{std::move(*wrong)};
      bearer_->take(std::make_shared<const jwt_keys>(std::get<0>(std::move(keys))));
      return std::optional<std::string>{};
    });
  if (!why) return {};
  return std::string{set ? "jwt-jwks: " : "jwt-key: "} + *why;
}

std::optional<std::string> security::read_certificate(std::unique_ptr<http::tls_slot>& into,
  const std::string& setting, const std::string& cert, const std::string& key) {
  if (cert.empty()) return {};
  into = std::make_unique<http::tls_slot>();
  const auto why = files_.add(
    {cert, key}, [slot = into.get()](const auto& bytes) { return slot->take(bytes[0], bytes[1]); });
  return why ? std::optional{setting + ": " + *why} : std::nullopt;
}
} // namespace jumun::app
