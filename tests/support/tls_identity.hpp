#pragma once
#include <filesystem>
#include <fstream>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string>

namespace jumun::tests {
/// A key, and a certificate that it signed itself: its own authority. PEM.
struct tls_identity {
  std::string key, certificate;
  /// Writes the certificate; @returns the path.
  [[nodiscard]] std::string write(const std::filesystem::path& to) const {
    std::ofstream{to} << certificate;
    return to.string();
  }
};

/// For the DNS name `host`, good for an hour.
inline tls_identity make_tls_identity(const std::string& host) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  const std::unique_ptr<X509, decltype(&X509_free)> made{X509_new(), X509_free};
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key.get());
  auto* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(
    name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  const auto add = [&](int nid, const std::string& value) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
  };
  add(NID_subject_alt_name, "DNS:" + host);
  add(NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(made.get(), key.get(), EVP_sha256());
  const auto text = [](auto write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), BIO_free};
    write(out.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &bytes);
    return std::string{bytes, static_cast<std::size_t>(size)};
  };
  return {text([&](BIO* out) {
            PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
    text([&](BIO* out) { PEM_write_bio_X509(out, made.get()); })};
}
} // namespace jumun::tests
