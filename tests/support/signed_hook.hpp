#pragma once
#include "tests/support/shop_client.hpp"
#include <array>
#include <ctime>
#include <openssl/hmac.h>

namespace jumun::tests {
inline std::string hmac_hex(const std::string& secret, const std::string& text) {
  std::array<unsigned char, 32> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
    reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  std::string out;
  for (const unsigned char c : mac) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}
/// What Stripe puts into Stripe-Signature at that time.
inline std::string hook_signature(
  const std::string& secret, const std::string& body, std::int64_t unix_s) {
  const auto t = std::to_string(unix_s);
  return "t=" + t + ",v1=" + hmac_hex(secret, t + "." + body);
}
/// An event of the provider's; `object` needs metadata.order_id.
inline std::string hook_body(const std::string& id, const std::string& type, json object) {
  return json{{"id", id}, {"object", "event"}, {"type", type}, {"data", {{"object", object}}}}
    .dump();
}
inline response send_hook(client& to, const std::string& secret, const std::string& body,
  const std::string& provider = "simulator") {
  return to.send("POST", "/v1/hooks/payments/" + provider, body,
    {{"Stripe-Signature", hook_signature(secret, body, std::time(nullptr))}});
}
} // namespace jumun::tests
