#pragma once
#include <boost/asio/ssl/context.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace jumun::transport {
/// Gives a context its certificate chain in PEM, the own certificate first, and its private key,
/// not encrypted. @returns why they cannot be used.
[[nodiscard]] std::optional<std::string> use_identity(
  boost::asio::ssl::context& in, std::string_view certificates, std::string_view key);
} // namespace jumun::transport
