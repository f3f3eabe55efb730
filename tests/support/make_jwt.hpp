#pragma once
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <string>
#include <string_view>

/// Tokens as an identity provider makes them; by OpenSSL, and by none of the server's code.
namespace jumun::tests {
inline std::string base64url(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
    reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()))));
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

using jwt_signer = std::function<std::string(const std::string& text)>;
inline std::string make_jwt(
  const nlohmann::json& header, const nlohmann::json& claims, const jwt_signer& sign) {
  const auto text = base64url(header.dump()) + "." + base64url(claims.dump());
  return text + "." + base64url(sign(text));
}

inline jwt_signer hmac_signer(const std::string& secret) {
  return [secret](const std::string& text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
      reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return std::string{reinterpret_cast<const char*>(mac), size};
  };
}

/// A fresh key pair: "RSA" (2048 bits), "RSA-1024", "P-256", "P-384".
class signing_key {
public:
  explicit signing_key(const std::string& kind)
      : rsa_{kind.starts_with("RSA")}, curve_{kind}, key_{rsa_ ? EVP_RSA_gen(
                                                            kind == "RSA" ? 2048U : 1024U)
                                                               : EVP_EC_gen(kind.c_str()),
                                                       EVP_PKEY_free} {}

  [[nodiscard]] std::string public_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), BIO_free};
    PEM_write_bio_PUBKEY(out.get(), key_.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }
  [[nodiscard]] nlohmann::json jwk(const std::string& kid) const {
    if (rsa_)
      return {{"kty", "RSA"}, {"kid", kid}, {"alg", "RS256"}, {"use", "sig"},
        {"n", number(OSSL_PKEY_PARAM_RSA_N, 0)}, {"e", number(OSSL_PKEY_PARAM_RSA_E, 0)}};
    return {{"kty", "EC"}, {"kid", kid}, {"crv", curve_},
      {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, half())},
      {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, half())}};
  }
  /// SHA-256 in any case; an EC signature as two numbers of the curve's size (RFC 7518 §3.4).
  [[nodiscard]] jwt_signer signer() const {
    return [this](const std::string& text) {
      const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> run{
        EVP_MD_CTX_new(), EVP_MD_CTX_free};
      EVP_DigestSignInit(run.get(), nullptr, EVP_sha256(), nullptr, key_.get());
      const auto* in = reinterpret_cast<const unsigned char*>(text.data());
      std::size_t size = 0;
      EVP_DigestSign(run.get(), nullptr, &size, in, text.size());
      std::string out(size, '\0');
      EVP_DigestSign(
        run.get(), reinterpret_cast<unsigned char*>(out.data()), &size, in, text.size());
      out.resize(size);
      return rsa_ ? out : two_numbers(out);
    };
  }

private:
  [[nodiscard]] int half() const { return curve_ == "P-256" ? 32 : 48; }
  [[nodiscard]] std::string number(const char* name, int bytes) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    const auto out = padded(value, bytes ? bytes : BN_num_bytes(value));
    BN_free(value);
    return base64url(out);
  }
  static std::string padded(const BIGNUM* value, int bytes) {
    std::string out(static_cast<std::size_t>(bytes), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(out.data()), bytes);
    return out;
  }
  [[nodiscard]] std::string two_numbers(const std::string& der) const {
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair{
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())), ECDSA_SIG_free};
    return padded(ECDSA_SIG_get0_r(pair.get()), half())
           + padded(ECDSA_SIG_get0_s(pair.get()), half());
  }

  const bool rsa_;
  const std::string curve_;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};
} // namespace jumun::tests
