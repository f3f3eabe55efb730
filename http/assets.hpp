#pragma once
#include "http/embedded.hpp"
#include "http/exchange.hpp"

/// Files that are part of the binary (cmake/Embed.cmake): the description, and the pages of /docs.
namespace jumun::http {
/// nullopt: there is none of that name.
[[nodiscard]] std::optional<asset> find_asset(std::string_view name);

/// By the file's name; empty: none that we serve.
[[nodiscard]] std::string_view media_type_of(std::string_view name);

/// 200 with the bytes, their hash as ETag, to be asked for again each time (no-cache); 304, 412.
/// `content_policy`: static text; empty: that of all answers. `more`: further field lines.
void send_file(const exchange_ptr& ex, std::string_view bytes, std::string media_type,
  std::string_view content_policy = {}, std::string more = {});
} // namespace jumun::http
