#pragma once
#include "http/authenticator.hpp"
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

/// API keys: a secret is shown once, when it is made; the file has its SHA-256 alone. The secret is
/// 256 bits of chance, so that a fast hash is enough (OWASP: slow hashes are for what people
/// choose).
namespace jumun::app {
struct api_key {
  std::string id;     // key_…, what revoke names
  std::string sha256; // of the secret, 64 hex digits
  http::role role = http::viewer;
  std::string principal;
  std::int64_t created_ms = 0;            // unix
  std::optional<std::int64_t> expires_ms; // nullopt: never
};

[[nodiscard]] std::string_view name_of(http::role one);
/// One of the six names of API.md; nullopt: none of them.
[[nodiscard]] std::optional<http::role> parse_role(std::string_view name);
inline constexpr std::string_view role_names =
  "customer, inventory, courier, viewer, operator, admin";
/// 1..limits::principal_bytes_max bytes of UTF-8 without control characters: what a customer_id is.
[[nodiscard]] bool is_principal(std::string_view text);

/// The file: {"format":1,"keys":[{id, sha256, role, principal, created_at, expires_at|null}]}.
/// Anything else comes back as a sentence that names the key's place and field, and holds none of
/// its values. Pure.
[[nodiscard]] std::variant<std::vector<api_key>, std::string> parse_keys(std::string_view text);
[[nodiscard]] std::string render_keys(const std::vector<api_key>& keys);

struct made_key {
  api_key row;
  std::string secret; // jmn_ and 64 hex digits
};
/// @throws std::runtime_error when the system has no randomness.
[[nodiscard]] made_key make_key(http::role as, std::string principal, std::int64_t now_ms,
  std::optional<std::int64_t> expires_ms);

/// Reads the file, lets `change` change it (what it returns is why not; then nothing is written),
/// and puts the new one in its place in one step, mode 0600, synced. Other editors wait for their
/// turn, by a lock on `PATH.lock`. @returns why not. Blocks, on the lock for 10 s at most.
/// `create`: no file is as good as one without keys.
[[nodiscard]] std::optional<std::string> edit_keys_file(const std::string& path, bool create,
  const std::function<std::optional<std::string>(std::vector<api_key>&)>& change);

/// Keys by the hash of their secret. A look-up by hash needs no constant time: what its timing may
/// tell of a hash says nothing about a secret that hashes to it. Immutable: any thread.
class keyring {
public:
  explicit keyring(const std::vector<api_key>& keys);
  /// nullopt: no such key, or it has expired.
  [[nodiscard]] std::optional<http::identity> find(
    std::string_view secret, std::int64_t now_ms) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

private:
  struct entry {
    http::identity who;
    std::int64_t expires_ms;
  };
  std::unordered_map<std::string, entry> keys_; // by the 64 hex digits
};
} // namespace jumun::app
