#pragma once
#include "storage/queries.hpp"

/// What one SKU's rows say, for people who look for a difference. May block; thread-safe.
namespace jumun::storage {
/// Live reservations, by order. Looks at `rows_max` rows at most for a page, most of which may be
/// of orders that are done: it may be short, or empty, and have a cursor. nullopt: that is not
/// ours.
[[nodiscard]] std::optional<page<domain::reservation>> list_live_reservations(const store& disk,
  std::string_view sku, std::size_t limit, std::string_view cursor, std::size_t rows_max);

/// A SKU's stock row, and what all of its movements and live reservations add up to at the moment
/// of that row: on_hand and reserved, or some row is wrong.
struct stock_sums {
  domain::stock now;
  std::int64_t moved = 0, held = 0;
  std::uint64_t movements = 0, reservations = 0; // rows of each
  bool complete = true;                          // false: there are more than `rows_max`
};
/// nullopt: there is no stock row.
[[nodiscard]] std::optional<stock_sums> add_up_stock(
  const store& disk, std::string_view sku, std::size_t rows_max);
} // namespace jumun::storage
