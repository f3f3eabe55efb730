#include "transport/pem.hpp"
#include <boost/asio/buffer.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace jumun::transport {
namespace asio = boost::asio;

std::optional<std::string> use_identity(
  asio::ssl::context& in, std::string_view certificates, std::string_view key) {
  boost::system::error_code ec;
  const auto failed = [&](const char* what) {
    ERR_clear_error();
    return std::string{what} + (ec ? " (" + ec.message() + ")" : "");
  };
  // Or OpenSSL asks the terminal.
  in.set_password_callback([](std::size_t, auto) { return std::string{}; });
  in.use_certificate_chain(asio::buffer(certificates.data(), certificates.size()), ec);
  if (ec) return failed("the certificate is none in PEM");
  in.use_private_key(asio::buffer(key.data(), key.size()), asio::ssl::context::pem, ec);
  if (ec) return failed("the key is none in PEM, is encrypted, or is another certificate's");
  if (SSL_CTX_check_private_key(in.native_handle()) != 1)
    return failed("the key is not the certificate's");
  return {};
}
} // namespace jumun::transport
