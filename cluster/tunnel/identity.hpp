#pragma once
#include "cluster/tunnel/refusal.hpp"
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace jumun::cluster {
/// What a node proves its name with, and judges its peers by: replaced while links run, each of
/// which keeps the one it began with. TLS 1.3 only, both sides show a certificate, the cluster's
/// own authorities and no others, no sessions to resume. Thread-safe.
class tunnel_identity {
public:
  struct held {
    boost::asio::ssl::context context{boost::asio::ssl::context::tls}; // for both roles
    std::int64_t until = 0; // unix seconds: the certificate's end
  };
  tunnel_identity(std::string cluster, std::string node)
      : cluster_{std::move(cluster)}, node_{std::move(node)} {}
  /// All in PEM. @returns why peers would not take it, or why it is not this node's; then what was
  /// there stays.
  [[nodiscard]] std::optional<std::string> take(
    std::string_view certificates, std::string_view key, std::string_view authorities);
  /// Null before the first take().
  [[nodiscard]] std::shared_ptr<held> current() const;

private:
  const std::string cluster_, node_;
  mutable std::mutex mutex_; // held for a copy of a pointer
  std::shared_ptr<held> current_;
};

/// The node of `cluster` that the other side has proved to be by its certificate, after the
/// handshake; or why it is none.
[[nodiscard]] std::variant<std::string, tunnel_refusal> proven_node(
  SSL* connection, std::string_view cluster);
/// Why a handshake failed, by our own judgement of the certificate first.
[[nodiscard]] tunnel_refusal why_refused(SSL* connection, const boost::system::error_code& failed);
} // namespace jumun::cluster
