#pragma once
#include "cluster/tunnel/refusal.hpp"
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// What two tunnels say to each other inside of TLS: frames of a kind, one byte; a length, three
/// bytes, big endian; and so many bytes.
namespace jumun::cluster {
enum class frame_kind : std::uint8_t {
  hello = 1,   // the dialler's first word: a tunnel_greeting
  welcome = 2, // its answer: a tunnel_greeting; from here on all else may come
  data = 3,    // CAF's bytes, at least one, wherever they were cut
  grant = 4,   // 32 bits: so many bytes of data were taken, and as many more may be sent
  ping = 5,    // 64 bits that come back in a pong
  pong = 6,
  end = 7, // one byte, a refusal (none: CAF has closed): nothing follows
  // From 128 on: known to newer releases, and skipped by this one.
};
inline constexpr std::size_t frame_head_bytes = 4;
inline constexpr std::size_t frame_control_bytes_max = 512; // of anything but data
inline constexpr std::uint8_t frame_skippable = 128;

void append_frame(std::string& to, frame_kind kind, std::string_view payload);

/// Who speaks, to whom, and how much may be sent ahead of grants. What newer releases add stands
/// behind, and is skipped.
struct tunnel_greeting {
  std::uint8_t version = 1;
  std::uint32_t window = 0; // bytes
  std::string cluster, from, to;
};
[[nodiscard]] std::string render(const tunnel_greeting& greeting);
/// nullopt: it is none.
[[nodiscard]] std::optional<tunnel_greeting> parse_greeting(std::string_view payload);

/// Cuts a stream that comes in pieces of any size into frames; holds at most one control frame.
class frame_reader {
public:
  /// Called with a whole control frame, or with the next piece of a data frame. Anything but `none`
  /// ends the reading.
  using taking = std::function<tunnel_refusal(frame_kind kind, std::string_view payload)>;
  /// @returns `malformed` for a frame that is none, else what `take` said.
  [[nodiscard]] tunnel_refusal feed(std::string_view bytes, const taking& take);

private:
  tunnel_refusal begin();
  std::string head_;
  std::string control_;
  frame_kind kind_{};
  std::size_t left_ = 0; // of the payload
  bool inside_ = false;  // of a frame
};
} // namespace jumun::cluster
