#include "cluster/tunnel/peer_name.hpp"
#include "domain/names.hpp"

namespace jumun::cluster {
namespace {
constexpr std::string_view scheme = "jumun://";
} // namespace

std::string peer_uri(std::string_view cluster, std::string_view node) {
  return std::string{scheme}.append(cluster).append("/").append(node);
}

std::variant<std::string, tunnel_refusal> node_named(
  const std::vector<std::string>& uris, std::string_view cluster) {
  std::string_view name;
  for (const auto& uri : uris) {
    if (uri.compare(0, scheme.size(), scheme) != 0) continue;
    if (!name.empty()) return tunnel_refusal::no_name; // which of the two would it be?
    name = uri;
  }
  if (name.empty()) return tunnel_refusal::no_name;
  name.remove_prefix(scheme.size());
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return tunnel_refusal::no_name;
  const auto node = name.substr(slash + 1);
  if (!domain::is_node_name(name.substr(0, slash)) || !domain::is_node_name(node))
    return tunnel_refusal::no_name;
  if (name.substr(0, slash) != cluster) return tunnel_refusal::other_cluster;
  return std::string{node};
}
} // namespace jumun::cluster
