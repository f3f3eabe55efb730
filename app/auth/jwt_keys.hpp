#pragma once
#include <map>
#include <memory>
#include <openssl/evp.h>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// The keys that sign our JSON Web Tokens, as OpenSSL's; and the one place that calls OpenSSL for
/// them. docs/adr/0006-auth.md says why OpenSSL.
namespace jumun::app {
enum class jwt_algorithm : unsigned char { hs256, rs256, es256 };
/// HS256, RS256, ES256 (RFC 7518 §3.1); nullopt: none of them.
[[nodiscard]] std::optional<jwt_algorithm> parse_jwt_algorithm(std::string_view name);
[[nodiscard]] std::string_view name_of(jwt_algorithm one);

/// RFC 7515 §2: base64url without padding, and without bits that say nothing; nullopt: it is not.
[[nodiscard]] std::optional<std::string> base64url_decoded(std::string_view text);

/// Keys of one algorithm. Immutable: any thread.
class jwt_keys {
public:
  using key = std::shared_ptr<EVP_PKEY>;
  /// The one key of a file: HS256: its bytes, without a line end behind them, 32 at least; RS256,
  /// ES256: a public key in PEM. @returns why not. Pure.
  [[nodiscard]] static std::variant<jwt_keys, std::string> from_file(
    jwt_algorithm pinned, std::string_view bytes);
  /// A JWK Set (RFC 7517 §5): those of its keys that fit the algorithm; others are left out, as its
  /// §5 asks. @returns why not, also when none fits. Pure.
  [[nodiscard]] static std::variant<jwt_keys, std::string> from_jwks(
    jwt_algorithm pinned, std::string_view bytes);

  [[nodiscard]] jwt_algorithm algorithm() const { return pinned_; }
  /// Whether the signature of `signed_text` is by the key of that id. A single key of a file has
  /// none, and fits every id.
  [[nodiscard]] bool verifies(const std::optional<std::string>& kid, std::string_view signed_text,
    std::string_view signature) const;

private:
  explicit jwt_keys(jwt_algorithm pinned) : pinned_{pinned} {}
  jwt_algorithm pinned_;
  key only_; // or:
  std::map<std::string, key> by_id_;
};
} // namespace jumun::app
