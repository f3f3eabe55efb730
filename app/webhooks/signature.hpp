#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Standard Webhooks 1.0, "Signature scheme" (standardwebhooks.com), with OpenSSL's HMAC. Pure.
namespace jumun::app {
/// The value of `webhook-signature`: for each secret `v1,` and the base64 of HMAC-SHA256 over
/// `id.unix_s.body`, with spaces between.
[[nodiscard]] std::string webhook_signature(std::string_view id, std::int64_t unix_s,
  std::string_view body, const std::vector<std::string_view>& secrets);
/// How a secret is shown to its owner: `whsec_` and its base64.
[[nodiscard]] std::string webhook_secret_text(std::string_view secret);
} // namespace jumun::app
