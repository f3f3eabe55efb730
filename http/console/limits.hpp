#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

/// The bounds of what the console asks for. The rest of domain/limits.hpp; a file of its own as
/// nobody else needs them.
namespace jumun::limits {
using namespace std::chrono_literals;

inline constexpr auto overview_step = 1s;           // between two samples
inline constexpr std::size_t overview_kept = 900;   // samples: a quarter of an hour
inline constexpr std::size_t rows_priced_max = 500; // blocked orders whose money is read at once

inline constexpr std::size_t actors_unasked = 2'000;     // rows of the list without a limit
inline constexpr std::size_t searched_max = 100'000;     // newest events, for what has no index
inline constexpr std::size_t blocked_looked_at = 50'000; // to group them
inline constexpr std::size_t reservations_looked_at = 50'000; // for one page of live ones
inline constexpr std::size_t stock_rows_max = 2'000'000; // for one check; more → not complete
inline constexpr std::size_t batch_orders_max = 200;     // of one batch of actions
inline constexpr std::size_t group_orders_max = 200;     // named in a group of blocked orders
inline constexpr std::size_t groups_max = 200;
/// Grouping reads each blocked order, and rests so many times as long as it took: an outage blocks
/// thousands, and whoever looks must not cost more than 1/40 of a core.
inline constexpr int groups_rest = 40;

inline constexpr std::int64_t recorded_default = 2'000; // messages of one; the newest stay
inline constexpr std::int64_t recorded_max = 5'000;
inline constexpr std::chrono::seconds recording_default{60};
inline constexpr std::chrono::seconds recording_max{600};
} // namespace jumun::limits
