#pragma once
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace jumun::http {
/// The certificate of a listener, which may be replaced while it serves: a connection keeps the one
/// it began with. TLS 1.2 and 1.3, forward secrecy and AEAD only, ALPN `http/1.1`, no
/// renegotiation, no session cache. Thread-safe.
class tls_slot {
public:
  using context = boost::asio::ssl::context;
  /// A chain in PEM, the server's own certificate first, and its private key, not encrypted.
  /// @returns why they cannot be used; then what was there stays.
  [[nodiscard]] std::optional<std::string> take(
    std::string_view certificates, std::string_view key);
  /// Null before the first take().
  [[nodiscard]] std::shared_ptr<context> current() const;

private:
  mutable std::mutex mutex_; // held for a copy of a pointer, once a connection
  std::shared_ptr<context> current_;
};
} // namespace jumun::http
