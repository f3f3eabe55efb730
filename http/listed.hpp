#pragma once
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
};
} // namespace jumun::http
