#include "transport/issue.hpp"
#include "transport/freed.hpp"
#include <boost/asio/ip/address.hpp>
#include <ctime>
#include <memory>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace jumun::transport {
namespace {
using bio = std::unique_ptr<BIO, freed<BIO_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed<X509_free>>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, freed<GENERAL_NAMES_free>>;

/// OpenSSL can't do what it always can: no memory, no entropy.
void must(bool done) {
  if (!done) throw std::runtime_error{"OpenSSL cannot make a certificate"};
}

bio reading(const std::string& text) {
  return bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}
certificate_ptr read_certificate(const std::string& pem) {
  certificate_ptr read{PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr)};
  ERR_clear_error();
  return read;
}
key_ptr read_key(const std::string& pem) {
  // An encrypted key is none, rather than a question on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  key_ptr read{PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, no_password, nullptr)};
  ERR_clear_error();
  return read;
}

template <class Write> std::string pem(Write write) {
  const bio out{BIO_new(BIO_s_mem())};
  must(write(out.get()) == 1);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}
identity_pem text_of(X509* certificate, EVP_PKEY* key) {
  return {pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); }), pem([&](BIO* out) {
            return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

/// `issuer` null: it signs itself.
certificate_ptr blank(const subject& who, validity when, EVP_PKEY* key, X509* issuer) {
  certificate_ptr made{X509_new()};
  auto* const to = made.get();
  must(X509_set_version(to, X509_VERSION_3) == 1);
  unsigned char serial[16]; // RFC 5280 §4.1.2.2: positive, at most 20 bytes; chance enough
  must(RAND_bytes(serial, sizeof serial) == 1);
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7F) | 0x40);
  const std::unique_ptr<BIGNUM, freed<BN_free>> number{BN_bin2bn(serial, sizeof serial, nullptr)};
  must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(to)) != nullptr);
  must(ASN1_TIME_set(X509_getm_notBefore(to), when.from) != nullptr);
  must(ASN1_TIME_set(X509_getm_notAfter(to), when.until) != nullptr);
  must(X509_set_pubkey(to, key) == 1);
  const auto call = [&](int nid, const std::string& text) {
    must(
      X509_NAME_add_entry_by_NID(X509_get_subject_name(to), nid, MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()), -1, 0)
      == 1);
  };
  call(NID_organizationName, who.organization);
  call(NID_commonName, who.name);
  must(X509_set_issuer_name(to, X509_get_subject_name(issuer == nullptr ? to : issuer)) == 1);
  return made;
}

void extend(X509* with, X509* issuer, int nid, const char* value) {
  X509V3_CTX by;
  X509V3_set_ctx(&by, issuer, with, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, freed<X509_EXTENSION_free>> made{
    X509V3_EXT_conf_nid(nullptr, &by, nid, value)};
  must(made && X509_add_ext(with, made.get(), -1) == 1);
}

/// Not by X509V3_EXT_conf_nid: there a comma in a name would begin another name.
void name(X509* with, const member_wish& wish) {
  const names_ptr names{GENERAL_NAMES_new()};
  const auto add = [&](int type, const std::string& text) {
    auto* const one =
      a2i_GENERAL_NAME(nullptr, nullptr, nullptr, type, const_cast<char*>(text.c_str()), 0);
    must(one != nullptr && sk_GENERAL_NAME_push(names.get(), one) > 0);
  };
  for (const auto& uri : wish.uris) add(GEN_URI, uri);
  for (const auto& host : wish.hosts) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(host, ec);
    add(ec ? GEN_DNS : GEN_IPADD, host);
  }
  must(X509_add1_ext_i2d(with, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

std::int64_t seconds(const ASN1_TIME* at) {
  std::tm parts{};
  return ASN1_TIME_to_tm(at, &parts) == 1 ? ::timegm(&parts) : 0;
}
validity when_of(X509* certificate) {
  return {seconds(X509_get0_notBefore(certificate)), seconds(X509_get0_notAfter(certificate))};
}
} // namespace

identity_pem make_authority(const subject& who, validity when) {
  const key_ptr key{EVP_EC_gen("P-256")};
  must(key != nullptr);
  const auto made = blank(who, when, key.get(), nullptr);
  extend(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(made.get(), made.get(), NID_subject_key_identifier, "hash");
  must(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
  return text_of(made.get(), key.get());
}

std::variant<identity_pem, std::string> make_member(
  const identity_pem& authority, const member_wish& wish) {
  const auto issuer = read_certificate(authority.certificate);
  if (!issuer) return "the authority's certificate is none in PEM";
  const auto by = read_key(authority.key);
  if (!by) return "the authority's key is none in PEM, or is encrypted";
  if (X509_check_private_key(issuer.get(), by.get()) != 1) {
    ERR_clear_error();
    return "the authority's key is not its certificate's";
  }
  if (X509_check_ca(issuer.get()) != 1) return "the authority's certificate is no authority's";
  if (wish.when.until > when_of(issuer.get()).until) return "the authority itself ends before";
  const key_ptr key{EVP_EC_gen("P-256")};
  must(key != nullptr);
  const auto made = blank(wish.who, wish.when, key.get(), issuer.get());
  extend(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  extend(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature");
  extend(made.get(), issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  extend(made.get(), issuer.get(), NID_subject_key_identifier, "hash");
  extend(made.get(), issuer.get(), NID_authority_key_identifier, "keyid");
  name(made.get(), wish);
  must(X509_sign(made.get(), by.get(), EVP_sha256()) > 0);
  return text_of(made.get(), key.get());
}

std::variant<certificate_facts, std::string> facts_of(const std::string& certificate) {
  const auto read = read_certificate(certificate);
  if (!read) return "it is no certificate in PEM";
  const auto part = [&](int nid) {
    char text[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(read.get()), nid, text, sizeof text);
    return std::string{text};
  };
  return certificate_facts{{part(NID_organizationName), part(NID_commonName)}, when_of(read.get())};
}
} // namespace jumun::transport
