#pragma once
#include "cluster/tunnel/refusal.hpp"
#include <array>
#include <cstddef>
#include <string_view>

namespace jumun::cluster {
/// Reads along what a peer says to our CAF, and stops a header that would make CAF 0.17.6 allocate
/// what it names, up to 4 GiB, before a byte of it has come. Their header
/// (caf/io/basp/header.hpp): operation, two bytes of padding and flags, one byte each; payload_len,
/// 32 bits; operation_data, source_actor, dest_actor, 64 bits each; all big endian. The payload
/// follows.
class basp_guard {
public:
  static constexpr std::size_t header_bytes = 32;

  /// The next bytes of the stream, in pieces of any size. Anything but `none`: these must not reach
  /// CAF, nor what follows.
  [[nodiscard]] tunnel_refusal see(std::string_view bytes);

private:
  std::array<char, 8> head_{}; // as much of a header as the judgement needs
  std::size_t head_seen_ = 0;  // bytes of the present header
  std::size_t payload_left_ = 0;
};
} // namespace jumun::cluster
