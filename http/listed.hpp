#pragma once
#include "domain/shard_set.hpp"
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Words that every port speaks.
namespace jumun::http {
template <class T> using done = std::function<void(T)>; // exactly once, on any thread

/// A page of a list.
template <class Row> struct listed {
  std::vector<Row> rows;
  std::string next_cursor; // empty: that was the last one
  // What it takes to merge the pages of many nodes; a list that one node has whole leaves it empty.
  std::vector<std::string> keys = {};              // of the rows
  char kind = 0;                                   // of the cursor
  domain::shard_set served = domain::all_shards(); // whose rows these are
};
} // namespace jumun::http
