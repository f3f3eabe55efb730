#pragma once
#include <cstddef>

/// The bounds of what is recorded of actors. The rest of domain/limits.hpp; a file of its own as
/// only this room knows them.
namespace jumun::limits {
inline constexpr std::size_t recordings_max = 4;       // kept; the oldest goes
inline constexpr std::size_t recorded_waiting_max = 10'000; // in mailboxes, whose time is known
} // namespace jumun::limits
