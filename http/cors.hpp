#pragma once
#include "http/head_check.hpp"
#include <string>
#include <string_view>
#include <vector>

/// Which pages of other origins may read our answers (the Fetch standard, "CORS protocol"). Exact
/// origins only, never `*`. Pure functions.
namespace jumun::http {
/// `https://host[:port]` or `http://…`, as a browser sends it in Origin: lower case, no path, and
/// no port where it is the scheme's own. What differs from that would never be met.
[[nodiscard]] bool is_origin(std::string_view text);

/// Appends the field lines of every answer while some origins are `allowed`; the origin itself is
/// named only where it is one of them.
void add_cors(const head& asked, const std::vector<std::string>& allowed, std::string& more);

/// The further field lines of a preflight's answer; none where it is no preflight of an allowed
/// origin. `methods`: those of the path, with commas between.
[[nodiscard]] std::string preflight_fields(
  const head& asked, const std::vector<std::string>& allowed, std::string_view methods);
} // namespace jumun::http
