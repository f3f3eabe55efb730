#pragma once
#include "http/listed.hpp"
#include "storage/queries.hpp"

namespace jumun::app {
/// A page of the store's as the edge's ports name it; nullopt stays: the cursor is not ours.
template <class Row> std::optional<http::listed<Row>> listed(std::optional<storage::page<Row>> p) {
  if (!p) return {};
  return http::listed<Row>{std::move(p->rows), std::move(p->next_cursor)};
}
} // namespace jumun::app
