#include "cluster/tunnel/basp_guard.hpp"
#include "cluster/tunnel/big_endian.hpp"
#include "domain/limits.hpp"
#include <algorithm>

namespace jumun::cluster {
namespace {
constexpr unsigned char last_operation = 6; // heartbeat
} // namespace

tunnel_refusal basp_guard::see(std::string_view bytes) {
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const auto n = std::min(payload_left_, bytes.size());
      payload_left_ -= n;
      bytes.remove_prefix(n);
      continue;
    }
    const auto n = std::min(header_bytes - head_seen_, bytes.size());
    if (head_seen_ < head_.size())
      std::copy_n(
        bytes.begin(), std::min(n, head_.size() - head_seen_), head_.begin() + head_seen_);
    head_seen_ += n;
    bytes.remove_prefix(n);
    if (static_cast<unsigned char>(head_[0]) > last_operation) return tunnel_refusal::malformed;
    if (head_seen_ < head_.size()) continue;
    const auto payload = get_big_endian<std::uint32_t>(head_.data() + 4);
    if (payload > limits::tunnel_message_bytes_max) return tunnel_refusal::too_large;
    if (head_seen_ == header_bytes) payload_left_ = payload, head_seen_ = 0;
  }
  return tunnel_refusal::none;
}
} // namespace jumun::cluster
