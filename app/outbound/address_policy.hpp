#pragma once
#include <boost/asio/ip/address.hpp>
#include <string_view>

namespace jumun::app {
/// Whether a host on the open Internet can have this address. False: private, loopback, link-local
/// (cloud metadata is there), CGNAT, multicast, reserved, for documentation, and any IPv6 form that
/// carries such an IPv4 address (mapped, NAT64); 6to4 and Teredo are refused whole. Source: the
/// IANA special-purpose address registries (RFC 6890 and its updates). Pure.
[[nodiscard]] bool publicly_routable(const boost::asio::ip::address& a);
/// The same for a text form; false for what is no address.
[[nodiscard]] bool publicly_routable(std::string_view text);
} // namespace jumun::app
