#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace jumun::domain {
/// Bytes as base64url (RFC 4648 §5) without padding.
[[nodiscard]] std::string base64url(std::string_view bytes);
/// The inverse; nullopt for what base64url() did not make.
[[nodiscard]] std::optional<std::string> parse_base64url(std::string_view text);

/// A page's end for the outside: one letter that says which list and format, then the key of the
/// last row (or of the last one looked at) as base64url. The same on every node.
[[nodiscard]] std::string cursor_text(char kind, std::string_view key);
/// The inverse; nullopt for what cursor_text(kind, …) did not make.
[[nodiscard]] std::optional<std::string> parse_cursor(char kind, std::string_view text);
} // namespace jumun::domain
