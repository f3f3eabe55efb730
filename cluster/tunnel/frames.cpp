#include "cluster/tunnel/frames.hpp"
#include "cluster/tunnel/big_endian.hpp"
#include "domain/invariant.hpp"
#include "domain/limits.hpp"
#include <algorithm>

namespace jumun::cluster {
namespace {
/// Whether a frame of that kind may be so long. What is unknown and may not be skipped is none.
bool fits(std::uint8_t kind, std::size_t size) {
  if (kind >= frame_skippable) return size <= frame_control_bytes_max;
  switch (static_cast<frame_kind>(kind)) {
    case frame_kind::hello:
    case frame_kind::welcome: return size <= frame_control_bytes_max;
    case frame_kind::data: return size >= 1 && size <= limits::tunnel_frame_bytes_max;
    case frame_kind::grant: return size == 4;
    case frame_kind::ping:
    case frame_kind::pong: return size == 8;
    case frame_kind::end: return size == 1;
  }
  return false;
}

/// A length in one byte, then so many: nullopt where there aren't.
std::optional<std::string> take_text(std::string_view& from) {
  if (from.empty()) return {};
  const std::size_t size = static_cast<unsigned char>(from[0]);
  if (from.size() < 1 + size) return {};
  std::string text{from.substr(1, size)};
  from.remove_prefix(1 + size);
  return text;
}
} // namespace

void append_frame(std::string& to, frame_kind kind, std::string_view payload) {
  JUMUN_INVARIANT(fits(static_cast<std::uint8_t>(kind), payload.size()), "else the peer cuts us");
  put_big_endian(
    to, static_cast<std::uint32_t>(kind) << 24 | static_cast<std::uint32_t>(payload.size()));
  to += payload;
}

std::string render(const tunnel_greeting& greeting) {
  std::string out;
  out += static_cast<char>(greeting.version);
  put_big_endian(out, greeting.window);
  for (const auto* text : {&greeting.cluster, &greeting.from, &greeting.to}) {
    JUMUN_INVARIANT(text->size() <= limits::node_id_bytes_max, "names are checked at the edge");
    out += static_cast<char>(text->size());
    out += *text;
  }
  return out;
}

std::optional<tunnel_greeting> parse_greeting(std::string_view payload) {
  if (payload.size() < 5 || payload[0] < 1) return {};
  tunnel_greeting read;
  read.version = static_cast<std::uint8_t>(payload[0]);
  read.window = get_big_endian<std::uint32_t>(payload.data() + 1);
  payload.remove_prefix(5);
  for (auto* text : {&read.cluster, &read.from, &read.to}) {
    auto next = take_text(payload);
    if (!next) return {};
    *text = std::move(*next);
  }
  return read;
}

tunnel_refusal frame_reader::begin() {
  const auto word = get_big_endian<std::uint32_t>(head_.data());
  head_.clear();
  kind_ = static_cast<frame_kind>(word >> 24);
  left_ = word & 0xFF'FFFF;
  inside_ = true;
  control_.clear();
  return fits(static_cast<std::uint8_t>(kind_), left_) ? tunnel_refusal::none
                                                       : tunnel_refusal::malformed;
}

tunnel_refusal frame_reader::feed(std::string_view bytes, const taking& take) {
  while (!bytes.empty() || inside_) {
    if (!inside_) {
      const auto n = std::min(frame_head_bytes - head_.size(), bytes.size());
      head_ += bytes.substr(0, n);
      bytes.remove_prefix(n);
      if (head_.size() < frame_head_bytes) return tunnel_refusal::none;
      if (const auto why = begin(); why != tunnel_refusal::none) return why;
    }
    if (bytes.empty() && left_ > 0) return tunnel_refusal::none;
    const auto piece = bytes.substr(0, left_);
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    inside_ = left_ > 0;
    auto payload = piece;
    if (kind_ != frame_kind::data) {
      control_ += piece;
      if (inside_) return tunnel_refusal::none;
      payload = control_;
    }
    if (static_cast<std::uint8_t>(kind_) >= frame_skippable) continue;
    if (const auto why = take(kind_, payload); why != tunnel_refusal::none) return why;
  }
  return tunnel_refusal::none;
}
} // namespace jumun::cluster
