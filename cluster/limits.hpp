#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

/// The bounds between nodes: what one peer may make us keep, and how long it is waited for. The
/// rest of domain/limits.hpp; a file of its own as only this room knows them.
namespace jumun::limits {
using namespace std::chrono_literals;

inline constexpr std::size_t envelope_bytes_max = 1 << 20; // of the message in it
inline constexpr std::size_t command_id_bytes_max = 128;
inline constexpr std::size_t message_text_bytes_max = 4 * 1024; // any text but a reply's body
inline constexpr std::size_t item_bytes_max = envelope_bytes_max + 1'024; // with its envelope
inline constexpr std::size_t frame_batch_bytes =
  256 * 1024; // envelopes go out together, up to this
inline constexpr std::size_t frame_items_max = 4'096;
inline constexpr std::size_t frame_bytes_max = 2 << 20; // longer → not read
static_assert(frame_batch_bytes + item_bytes_max + frame_items_max * 8 < frame_bytes_max);
inline constexpr std::uint64_t peer_envelopes_max = 1'024; // out and unhandled; more → not sent
inline constexpr std::uint64_t peer_bytes_max = 8 << 20;   // and their bytes
inline constexpr std::size_t peers_max = 256;              // nodes that may have a session here
inline constexpr auto peer_heartbeat = 1s;
inline constexpr auto peer_silent_max = 4s;    // then it is gone
inline constexpr auto peer_redial_min = 100ms; // ×2 each time, with jitter
inline constexpr auto peer_redial_max = 5s;
inline constexpr auto ask_default = 5s; // of an ask without a deadline
inline constexpr auto ask_max = 120s;
} // namespace jumun::limits
