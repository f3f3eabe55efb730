#include "cluster/tunnel/identity.hpp"
#include "cluster/tunnel/peer_name.hpp"
#include "transport/freed.hpp"
#include "transport/issue.hpp"
#include "transport/pem.hpp"
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace jumun::cluster {
namespace {
namespace asio = boost::asio;
using store_context = std::unique_ptr<X509_STORE_CTX, transport::freed<X509_STORE_CTX_free>>;
using general_names = std::unique_ptr<GENERAL_NAMES, transport::freed<GENERAL_NAMES_free>>;

/// False: OpenSSL does not know one of the names.
bool set_rules(SSL_CTX* with) {
  SSL_CTX_set_verify(with, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_cache_mode(with, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(with, 0); // each connection proves its name anew
  SSL_CTX_set_mode(with, SSL_MODE_RELEASE_BUFFERS);
  return SSL_CTX_set_min_proto_version(with, TLS1_3_VERSION) == 1
         && SSL_CTX_set_ciphersuites(
              with, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")
              == 1;
}

std::vector<std::string> uris_of(X509* certificate) {
  const general_names names{static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::vector<std::string> uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* text = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return uris;
}

/// What peers will say of our own certificate, said now, to whoever can repair it.
std::optional<std::string> fault_of(SSL_CTX* with) {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(with, &chain);
  for (const auto* role : {"ssl_client", "ssl_server"}) {
    const store_context judge{X509_STORE_CTX_new()};
    X509_STORE_CTX_init(
      judge.get(), SSL_CTX_get_cert_store(with), SSL_CTX_get0_certificate(with), chain);
    X509_STORE_CTX_set_default(judge.get(), role);
    if (X509_verify_cert(judge.get()) == 1) continue;
    return std::string{"the certificate does not pass by the cluster's authorities: "}
           + X509_verify_cert_error_string(X509_STORE_CTX_get_error(judge.get()));
  }
  return {};
}
tunnel_refusal judged(long verdict) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return tunnel_refusal::expired;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return tunnel_refusal::unknown_ca;
    default: return tunnel_refusal::bad_certificate;
  }
}
} // namespace

std::optional<std::string> tunnel_identity::take(
  std::string_view certificates, std::string_view key, std::string_view authorities) {
  const auto made = std::make_shared<held>();
  auto* const raw = made->context.native_handle();
  ERR_clear_error();
  if (!set_rules(raw)) return "OpenSSL refuses our TLS settings";
  if (auto why = transport::use_identity(made->context, certificates, key)) return why;
  boost::system::error_code ec;
  made->context.add_certificate_authority(asio::buffer(authorities.data(), authorities.size()), ec);
  ERR_clear_error();
  if (ec || authorities.empty()) return "the authorities are no certificates in PEM";
  auto why = fault_of(raw);
  ERR_clear_error();
  if (why) return why;
  auto* const own = SSL_CTX_get0_certificate(raw);
  const auto node = node_named(uris_of(own), cluster_);
  if (const auto* named = std::get_if<std::string>(&node); !named || *named != node_)
    return "the certificate does not name this node: a subjectAltName must be URI:"
           + peer_uri(cluster_, node_);
  const auto facts = transport::facts_of(std::string{certificates});
  made->until = std::get<transport::certificate_facts>(facts).when.until;
  const std::lock_guard lock{mutex_};
  current_ = made;
  return {};
}

std::shared_ptr<tunnel_identity::held> tunnel_identity::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

std::variant<std::string, tunnel_refusal> proven_node(SSL* connection, std::string_view cluster) {
  auto* const shown = SSL_get0_peer_certificate(connection);
  if (shown == nullptr || SSL_get_verify_result(connection) != X509_V_OK)
    return tunnel_refusal::no_certificate;
  return node_named(uris_of(shown), cluster);
}

tunnel_refusal why_refused(SSL* connection, const boost::system::error_code& failed) {
  if (const auto verdict = SSL_get_verify_result(connection); verdict != X509_V_OK)
    return judged(verdict);
  if (failed.category() != asio::error::get_ssl_category()) return tunnel_refusal::bad_tls;
  const auto reason = ERR_GET_REASON(static_cast<unsigned long>(failed.value()));
  return reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? tunnel_refusal::no_certificate
                                                           : tunnel_refusal::bad_tls;
}
} // namespace jumun::cluster
