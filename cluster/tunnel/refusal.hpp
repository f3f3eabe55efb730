#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jumun::cluster {
/// Why a connection was refused, or a link cut. On the wire, in metrics and in the log: append,
/// never renumber.
enum class tunnel_refusal : std::uint8_t {
  none = 0,
  said_nothing,    // came and went: a port scan
  not_tls,         // garbage, HTTP
  bad_tls,         // TLS that we don't speak, or that broke off
  no_certificate,  // TLS without one
  expired,         // its certificate is, or it is not valid yet
  unknown_ca,      // signed by none of our authorities
  bad_certificate, // anything else that is wrong with it, such as its purpose
  no_name,         // it has not exactly one jumun:// name
  other_cluster,   // a certificate, or a greeting, of another cluster
  wrong_node,      // not the node that was expected there, or not who it says it is
  not_a_member,    // it proved its name, and nobody knows it
  timeout,         // too slow with its first byte or its greeting
  crowded,         // newer ones took its place
  malformed,       // breaks the rules of our frames or of CAF's
  too_large,       // a message above limits::tunnel_message_bytes_max
  silent,          // no heartbeat
  no_service,      // the CAF behind the tunnel does not answer
  not_loopback,    // plain, and from elsewhere
  stopping,        // the node goes down
};
/// By number.
inline constexpr std::array<std::string_view, 20> refusal_names{"none", "said_nothing", "not_tls",
  "bad_tls", "no_certificate", "expired", "unknown_ca", "bad_certificate", "no_name",
  "other_cluster", "wrong_node", "not_a_member", "timeout", "crowded", "malformed", "too_large",
  "silent", "no_service", "not_loopback", "stopping"};
inline constexpr std::size_t refusal_count = refusal_names.size();
static_assert(refusal_count == static_cast<std::size_t>(tunnel_refusal::stopping) + 1);

/// `other` for a number that only a newer release knows.
[[nodiscard]] constexpr std::string_view name_of(tunnel_refusal why) {
  const auto at = static_cast<std::size_t>(why);
  return at < refusal_count ? refusal_names[at] : "other";
}
} // namespace jumun::cluster
