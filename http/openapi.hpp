#pragma once
#include <string>
#include <vector>

/// The machine-readable description (OpenAPI 3.1) of every route: http/openapi/*.json says what a
/// route is for, takes and answers; its roles, and the problems that follow from what it takes,
/// come from the route table that serves. http/openapi/README.md has the form of those files.
namespace jumun::http {
struct described {
  std::string document; // JSON
  /// What keeps the files and the route table from being the same, each with what to do about it. A
  /// test wants none.
  std::vector<std::string> faults;
};
/// Made at the first call, which takes some milliseconds. Thread-safe.
[[nodiscard]] const described& description();
} // namespace jumun::http
