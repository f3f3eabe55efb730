#pragma once
#include "http/listed.hpp"
#include "storage/queries.hpp"

namespace jumun::app {
/// A page of the store's as the edge's ports name it; nullopt stays: the cursor is not ours.
/// `served`: the shards that it is of.
template <class Row> std::optional<http::listed<Row>> listed(
  std::optional<storage::page<Row>> p, const domain::shard_set& served = domain::all_shards()) {
  if (!p) return {};
  return http::listed<Row>{
    std::move(p->rows), std::move(p->next_cursor), std::move(p->keys), p->kind, served};
}

/// A list of what `inside` serves. A shard that leaves while it is read may have been read in part:
/// it is not among the page's.
template <class Node, class List> auto listed_by(const Node& inside, const List& list) {
  const auto before = inside.served();
  auto found = list(before);
  return listed(std::move(found), before & inside.served());
}
} // namespace jumun::app
