#include "app/auth/jwt_keys.hpp"
#include "domain/limits.hpp"
#include <array>
#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <utility>
#include <vector>

namespace jumun::app {
namespace {
using nlohmann::json;
using key = jwt_keys::key;
constexpr std::array<std::pair<jwt_algorithm, std::string_view>, 3> algorithms{
  {{jwt_algorithm::hs256, "HS256"}, {jwt_algorithm::rs256, "RS256"},
    {jwt_algorithm::es256, "ES256"}}};
constexpr std::size_t es256_half = 32;

template <auto Free> struct freeing {
  template <class T> void operator()(T* what) const { Free(what); }
};
template <class T, auto Free> using owned = std::unique_ptr<T, freeing<Free>>;
using owned_number = owned<BIGNUM, BN_free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
key shared(EVP_PKEY* made) {
  ERR_clear_error(); // what failed is told by its result; the queue is per thread, and others read
                     // it
  return made ? key{made, EVP_PKEY_free} : nullptr;
}
owned_number number_of(std::string_view big_endian) {
  return owned_number{
    BN_bin2bn(bytes_of(big_endian), static_cast<int>(big_endian.size()), nullptr)};
}

// -- making keys ----------------------------------------------------------------------------------

key secret_key(std::string_view bytes) {
  return shared(
    EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr, bytes_of(bytes), bytes.size()));
}
key public_key(const char* type, OSSL_PARAM_BLD* parts) {
  const owned<OSSL_PARAM, OSSL_PARAM_free> given{OSSL_PARAM_BLD_to_param(parts)};
  const owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> maker{
    EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* made = nullptr;
  if (!given || !maker || EVP_PKEY_fromdata_init(maker.get()) != 1
      || EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, given.get()) != 1)
    return shared(nullptr);
  return shared(made);
}
key rsa_key(const std::string& n, const std::string& e) {
  const owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts{OSSL_PARAM_BLD_new()};
  const auto modulus = number_of(n), exponent = number_of(e);
  if (!parts || !OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get())
      || !OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()))
    return nullptr;
  return public_key("RSA", parts.get());
}
key p256_key(const std::string& x, const std::string& y) {
  if (x.size() != es256_half || y.size() != es256_half) return nullptr; // RFC 7518 §6.2.1.2
  const auto point = '\x04' + x + y;
  const owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts{OSSL_PARAM_BLD_new()};
  if (!parts
      || !OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0)
      || !OSSL_PARAM_BLD_push_octet_string(
        parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()))
    return nullptr;
  return public_key("EC", parts.get());
}

/// Why the key cannot be used with the algorithm; empty: it can.
std::string unfit(jwt_algorithm pinned, const key& made, std::size_t secret_bytes = 0) {
  if (pinned == jwt_algorithm::hs256)
    return made && secret_bytes >= limits::jwt_hs256_bytes_min
             ? ""
             : "HS256 needs a secret of " + std::to_string(limits::jwt_hs256_bytes_min)
                 + " bytes at least, e.g. of `openssl rand -hex 32`";
  const bool rsa = pinned == jwt_algorithm::rs256;
  if (!made)
    return "it holds no public key in PEM (-----BEGIN PUBLIC KEY-----), such as "
           "`openssl pkey -pubout` writes";
  if (rsa)
    return EVP_PKEY_is_a(made.get(), "RSA")
               && EVP_PKEY_get_bits(made.get()) >= limits::jwt_rsa_bits_min
             ? ""
             : "RS256 needs an RSA key of " + std::to_string(limits::jwt_rsa_bits_min)
                 + " bits at least";
  std::array<char, 64> curve{};
  const bool p256 = EVP_PKEY_is_a(made.get(), "EC")
                    && EVP_PKEY_get_group_name(made.get(), curve.data(), curve.size(), nullptr) == 1
                    && std::string_view{curve.data()} == "prime256v1";
  return p256 ? "" : "ES256 needs an EC key on the curve P-256";
}

std::string text_in(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string{};
}
std::string decoded_in(const json& from, const char* name) {
  return base64url_decoded(text_in(from, name)).value_or("");
}

/// One JWK (RFC 7517 §4, RFC 7518 §6); null: not one that may verify this algorithm.
key of_jwk(jwt_algorithm pinned, const json& from) {
  const auto alg = text_in(from, "alg"), use = text_in(from, "use"), type = text_in(from, "kty");
  if ((!alg.empty() && alg != name_of(pinned)) || (!use.empty() && use != "sig")) return nullptr;
  key made;
  std::size_t secret_bytes = 0;
  if (pinned == jwt_algorithm::hs256 && type == "oct") {
    const auto secret = decoded_in(from, "k");
    made = secret_key(secret), secret_bytes = secret.size();
  } else if (pinned == jwt_algorithm::rs256 && type == "RSA") {
    made = rsa_key(decoded_in(from, "n"), decoded_in(from, "e"));
  } else if (pinned == jwt_algorithm::es256 && type == "EC" && text_in(from, "crv") == "P-256") {
    made = p256_key(decoded_in(from, "x"), decoded_in(from, "y"));
  }
  return made && unfit(pinned, made, secret_bytes).empty() ? made : nullptr;
}

// -- verifying ------------------------------------------------------------------------------------

using digesting = owned<EVP_MD_CTX, EVP_MD_CTX_free>;

bool hmac_fits(const key& with, std::string_view text, std::string_view signature) {
  const digesting run{EVP_MD_CTX_new()};
  std::array<unsigned char, EVP_MAX_MD_SIZE> ours{};
  std::size_t size = ours.size();
  if (!run || EVP_DigestSignInit(run.get(), nullptr, EVP_sha256(), nullptr, with.get()) != 1
      || EVP_DigestSign(run.get(), ours.data(), &size, bytes_of(text), text.size()) != 1)
    return false;
  return signature.size() == size && CRYPTO_memcmp(ours.data(), signature.data(), size) == 0;
}

/// RFC 7518 §3.4: two numbers of 32 bytes; OpenSSL wants them in DER. Empty: it is not that.
std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * es256_half) return {};
  const owned<ECDSA_SIG, ECDSA_SIG_free> pair{ECDSA_SIG_new()};
  auto r = number_of(signature.substr(0, es256_half)), s = number_of(signature.substr(es256_half));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  (void)r.release(), (void)s.release(); // they are the pair's now
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  std::string der(static_cast<std::size_t>(std::max(size, 0)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  return i2d_ECDSA_SIG(pair.get(), &out) == size ? der : std::string{};
}

bool signature_fits(const key& with, std::string_view text, std::string_view signature) {
  const digesting run{EVP_MD_CTX_new()};
  const bool fits =
    run && EVP_DigestVerifyInit(run.get(), nullptr, EVP_sha256(), nullptr, with.get()) == 1
    && EVP_DigestVerify(
         run.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size())
         == 1;
  ERR_clear_error(); // TLS on this thread would take it for its own
  return fits;
}
} // namespace

std::optional<jwt_algorithm> parse_jwt_algorithm(std::string_view name) {
  for (const auto& [algorithm, known] : algorithms)
    if (known == name) return algorithm;
  return {};
}
std::string_view name_of(jwt_algorithm one) {
  return algorithms.at(static_cast<std::size_t>(one)).second;
}

std::optional<std::string> base64url_decoded(std::string_view text) {
  constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  out.reserve(text.size() * 3 / 4);
  unsigned held = 0, bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == alphabet.npos) return {};
    held = (held << 6 | static_cast<unsigned>(value)) & 0xfff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 0xff);
  }
  if (bits == 6 || (held & ((1U << bits) - 1)) != 0) return {};
  return out;
}

std::variant<jwt_keys, std::string> jwt_keys::from_file(
  jwt_algorithm pinned, std::string_view bytes) {
  jwt_keys out{pinned};
  auto secret = bytes;
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  if (secret.ends_with('\r')) secret.remove_suffix(1);
  if (pinned == jwt_algorithm::hs256) {
    out.only_ = secret_key(secret);
  } else {
    const owned<BIO, BIO_free> in{BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
    const auto no_password = [](char*, int, int, void*) { return -1; }; // or it asks the terminal
    if (in) out.only_ = shared(PEM_read_bio_PUBKEY(in.get(), nullptr, no_password, nullptr));
  }
  if (auto why = unfit(pinned, out.only_, secret.size()); !why.empty()) return why;
  return out;
}

std::variant<jwt_keys, std::string> jwt_keys::from_jwks(
  jwt_algorithm pinned, std::string_view bytes) {
  const auto set = json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!set.is_object() || !set.contains("keys") || !set.at("keys").is_array())
    return R"(it is no JWK Set: a JSON object with a list "keys")";
  jwt_keys out{pinned};
  for (const auto& one : set.at("keys")) {
    if (!one.is_object()) return R"(each of "keys" must be an object)";
    const auto kid = text_in(one, "kid");
    auto made = of_jwk(pinned, one);
    if (!made || kid.empty()) continue;
    if (!out.by_id_.emplace(kid, std::move(made)).second)
      return R"(two of its keys have the same "kid")";
  }
  if (out.by_id_.empty())
    return "none of its keys has a \"kid\" and fits " + std::string{name_of(pinned)};
  return out;
}

bool jwt_keys::verifies(const std::optional<std::string>& kid, std::string_view signed_text,
  std::string_view signature) const {
  auto with = only_;
  if (!with && kid)
    if (const auto found = by_id_.find(*kid); found != by_id_.end()) with = found->second;
  if (!with) return false;
  if (pinned_ == jwt_algorithm::hs256) return hmac_fits(with, signed_text, signature);
  if (pinned_ == jwt_algorithm::rs256) return signature_fits(with, signed_text, signature);
  const auto der = der_of(signature);
  return !der.empty() && signature_fits(with, signed_text, der);
}
} // namespace jumun::app
