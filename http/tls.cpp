#include "http/tls.hpp"
#include "transport/pem.hpp"
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace jumun::http {
namespace {
/// RFC 7301 §3.2: a client that speaks something else only is told so.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
  const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, offered, offered_size)
      != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/// False: OpenSSL does not know one of the names.
bool set_rules(SSL_CTX* with) {
  SSL_CTX_set_options(with, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                              | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(with, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(with, SSL_MODE_RELEASE_BUFFERS); // idle connections hold little
  SSL_CTX_set_alpn_select_cb(with, choose_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(with, TLS1_2_VERSION) == 1
         && SSL_CTX_set_cipher_list(with, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}
} // namespace

std::optional<std::string> tls_slot::take(std::string_view certificates, std::string_view key) {
  const auto made = std::make_shared<context>(context::tls_server);
  if (!set_rules(made->native_handle())) {
    ERR_clear_error();
    return "OpenSSL refuses our TLS settings";
  }
  if (auto why = transport::use_identity(*made, certificates, key)) return why;
  const std::lock_guard lock{mutex_};
  current_ = made;
  return {};
}

std::shared_ptr<tls_slot::context> tls_slot::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}
} // namespace jumun::http
