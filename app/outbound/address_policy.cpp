#include "app/outbound/address_policy.hpp"
#include <algorithm>
#include <string>

namespace jumun::app {
namespace {
namespace ip = boost::asio::ip;

struct block4 {
  std::uint32_t first;
  unsigned bits;
};
constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c = 0) {
  return a << 24 | b << 16 | c << 8;
}
constexpr block4 special4[] = {
  {v4(0, 0), 8},          // this network
  {v4(10, 0), 8},         // private
  {v4(100, 64), 10},      // carrier-grade NAT
  {v4(127, 0), 8},        // loopback
  {v4(169, 254), 16},     // link-local, cloud metadata
  {v4(172, 16), 12},      // private
  {v4(192, 0, 0), 24},    // IETF protocols
  {v4(192, 0, 2), 24},    // documentation
  {v4(192, 88, 99), 24},  // 6to4 relays
  {v4(192, 168), 16},     // private
  {v4(198, 18), 15},      // benchmarks
  {v4(198, 51, 100), 24}, // documentation
  {v4(203, 0, 113), 24},  // documentation
  {v4(224, 0), 3},        // multicast, reserved, broadcast
};
bool is_public(const ip::address_v4& a) {
  return std::none_of(std::begin(special4), std::end(special4),
    [n = a.to_uint()](const block4& b) { return (n ^ b.first) >> (32 - b.bits) == 0; });
}

struct block6 {
  std::uint64_t first; // the upper half
  unsigned bits;       // at most 64
};
constexpr block6 special6[] = {
  {0x2001'0000'0000'0000, 23}, // IETF protocols, Teredo among them
  {0x2001'0db8'0000'0000, 32}, // documentation
  {0x2002'0000'0000'0000, 16}, // 6to4
  {0x3fff'0000'0000'0000, 20}, // documentation
};
bool is_public(const ip::address_v6& a) {
  const auto bytes = a.to_bytes();
  const ip::address_v4 low{{bytes[12], bytes[13], bytes[14], bytes[15]}};
  std::uint64_t high = 0, middle = 0;
  for (std::size_t i = 0; i < 8; ++i) high = high << 8 | bytes[i];
  for (std::size_t i = 8; i < 12; ++i) middle = middle << 8 | bytes[i];
  const bool mapped = high == 0 && middle == 0xffff;
  const bool nat64 = high == 0x0064'ff9b'0000'0000 && middle == 0;
  if (mapped || nat64) return is_public(low);
  return high >> 61 == 1 // 2000::/3: all that is global unicast today
         && std::none_of(std::begin(special6), std::end(special6),
           [high](const block6& b) { return (high ^ b.first) >> (64 - b.bits) == 0; });
}
} // namespace

bool publicly_routable(const ip::address& a) {
  return a.is_v4() ? is_public(a.to_v4()) : is_public(a.to_v6());
}
bool publicly_routable(std::string_view text) {
  boost::system::error_code failed;
  const auto a = ip::make_address(std::string{text}, failed);
  return !failed && publicly_routable(a);
}
} // namespace jumun::app
