#pragma once
#include "domain/limits.hpp"
#include <algorithm>
#include <string_view>

namespace jumun::domain {
/// What nodes and clusters may be called, for those who are told otherwise.
inline constexpr std::string_view node_names_allowed = "1..63 of a-z, 0-9 and -";

/// What a DNS label may be, so that a pod's name is one.
[[nodiscard]] constexpr bool is_node_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::node_id_bytes_max
         && std::all_of(text.begin(), text.end(),
           [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}
} // namespace jumun::domain
