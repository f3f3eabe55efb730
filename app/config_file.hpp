#pragma once
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace jumun::app {
/// The file of --config: one `key = value` a line, `#` or `;` before a comment. A value is a bare
/// word, a "text" (\" and \\ inside), or a list ["a", "b"], which reads as a,b: the common ground
/// of INI and TOML. Every key once, no sections. Anything else is refused, with its line: a setting
/// that is skipped in silence is worse than a server that does not start. Pure.
[[nodiscard]] std::variant<std::map<std::string, std::string>, std::string> parse_config_file(
  std::string_view text);
/// `value` as parse_config_file() reads it back.
[[nodiscard]] std::string quote(std::string_view value);
} // namespace jumun::app
