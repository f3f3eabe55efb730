#pragma once
#include <string_view>
#include <vector>

namespace jumun::http {
/// A file that is part of the binary (cmake/Embed.cmake).
struct asset {
  std::string_view name; // such as openapi/base.json
  std::string_view bytes;
};
/// All of them, in the order that http/CMakeLists.txt has.
[[nodiscard]] std::vector<asset> embedded_assets();
} // namespace jumun::http
