#include "app/webhooks/signature.hpp"
#include <array>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace jumun::app {
namespace {
const unsigned char* bytes_of(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
std::string base64(const unsigned char* bytes, std::size_t count) {
  std::string out(4 * ((count + 2) / 3) + 1, '\0'); // EVP_EncodeBlock ends it with a NUL
  const auto length =
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(count));
  out.resize(static_cast<std::size_t>(length));
  return out;
}
} // namespace

std::string webhook_signature(std::string_view id, std::int64_t unix_s, std::string_view body,
  const std::vector<std::string_view>& secrets) {
  std::string signed_text{id};
  signed_text.append(1, '.').append(std::to_string(unix_s)).append(1, '.').append(body);
  std::string out;
  for (const auto secret : secrets) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(signed_text),
      signed_text.size(), mac.data(), &length);
    out.append(out.empty() ? "v1," : " v1,").append(base64(mac.data(), length));
  }
  return out;
}

std::string webhook_secret_text(std::string_view secret) {
  return "whsec_" + base64(bytes_of(secret), secret.size());
}
} // namespace jumun::app
