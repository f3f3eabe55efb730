#pragma once
#include <chrono>
#include <cstddef>

/// The bounds of what the edges of two nodes ask each other. The rest of domain/limits.hpp; a file
/// of its own as only this room knows them.
namespace jumun::limits {
using namespace std::chrono_literals;

inline constexpr auto forward_max = 10s; // one request at another node, besides what it waits for
inline constexpr auto part_max = 2s;     // a node's part of a list; later → `partial`
inline constexpr auto resend_max = 1s;   // to an owner, or an actor, that can't be reached, in all
inline constexpr auto owner_wait = 5s;   // for an owner that is away: it is being restarted
inline constexpr std::size_t owner_waiters_share = 4; // of all requests, one in so many at most
inline constexpr auto forward_pause = 10ms;           // before another try, ×2 each time
inline constexpr auto forward_pause_max = 160ms;
inline constexpr auto feed_wait = 10s;    // a node's answer to a reader at the feed's end
inline constexpr auto feed_again = 500ms; // before a node that didn't answer is asked again
inline constexpr std::size_t feed_ahead = 256 * 1024; // bytes that wait for a reader of all nodes
} // namespace jumun::limits
