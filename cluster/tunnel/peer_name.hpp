#pragma once
#include "cluster/tunnel/refusal.hpp"
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace jumun::cluster {
/// A node's name in its certificate: the URI among its subjectAltNames (RFC 5280 §4.2.1.6)
/// `jumun://<cluster>/<node>`. Nothing else in a certificate names a node.
[[nodiscard]] std::string peer_uri(std::string_view cluster, std::string_view node);

/// Whom a certificate with these URIs names. Exactly one of them must be a jumun:// name, compared
/// byte by byte: no other spelling, port, query or upper case is the same. @returns the node, or
/// why it is none of this cluster. Pure.
[[nodiscard]] std::variant<std::string, tunnel_refusal> node_named(
  const std::vector<std::string>& uris, std::string_view cluster);
} // namespace jumun::cluster
