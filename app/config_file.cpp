#include "app/config_file.hpp"
#include <algorithm>
#include <optional>

namespace jumun::app {
namespace {
constexpr std::string_view blanks = " \t\r";

void skip_blanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
}
bool skip(std::string_view& rest, char expected) {
  skip_blanks(rest);
  if (rest.empty() || rest.front() != expected) return false;
  rest.remove_prefix(1);
  return true;
}
/// True when nothing but a comment follows.
bool at_end(std::string_view rest) {
  skip_blanks(rest);
  return rest.empty() || rest.front() == '#' || rest.front() == ';';
}

/// What stands between two quotes; nullopt when the second is missing, or an escape is unknown.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  for (rest.remove_prefix(1); !rest.empty(); rest.remove_prefix(1)) {
    if (rest.front() == '"') {
      rest.remove_prefix(1);
      return value;
    }
    if (rest.front() == '\\') {
      rest.remove_prefix(1);
      if (rest.empty() || (rest.front() != '"' && rest.front() != '\\')) return std::nullopt;
    }
    value += rest.front();
  }
  return std::nullopt;
}
/// A text, or a bare word that ends at a blank, a comma, a bracket or a comment.
std::optional<std::string> take_item(std::string_view& rest) {
  skip_blanks(rest);
  if (!rest.empty() && rest.front() == '"') return take_quoted(rest);
  const auto word = rest.substr(0, rest.find_first_of(" \t\r,[]\"#;"));
  rest.remove_prefix(word.size());
  return word.empty() ? std::nullopt : std::optional<std::string>{word};
}
std::optional<std::string> take_list(std::string_view& rest) {
  std::string all;
  if (!skip(rest, '[')) return std::nullopt;
  if (skip(rest, ']')) return all;
  do {
    const auto item = take_item(rest);
    if (!item) return std::nullopt;
    all += (all.empty() ? "" : ",") + *item;
  } while (skip(rest, ','));
  return skip(rest, ']') ? std::optional{all} : std::nullopt;
}
/// What stands before the `=`.
std::string take_key(std::string_view& line) {
  skip_blanks(line);
  const auto word = line.substr(0, line.find_first_of(" \t\r=[]\"#;"));
  line.remove_prefix(word.size());
  return std::string{word};
}
/// A list, or items with commas between (KR,US needs no quotes).
std::optional<std::string> take_value(std::string_view rest) {
  skip_blanks(rest);
  const bool is_list = !rest.empty() && rest.front() == '[';
  auto value = is_list ? take_list(rest) : take_item(rest);
  while (value && !is_list && skip(rest, ',')) {
    const auto next = take_item(rest);
    if (!next) return std::nullopt;
    *value += "," + *next;
  }
  return at_end(rest) ? value : std::nullopt;
}
} // namespace

std::variant<std::map<std::string, std::string>, std::string> parse_config_file(
  std::string_view text) {
  std::map<std::string, std::string> all;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (at_end(line)) continue;
    const auto where = "line " + std::to_string(number) + ": ";
    const auto key = take_key(line);
    if (key.empty() || !skip(line, '=')) return where + "is no `key = value`";
    const auto value = take_value(line);
    if (!value) return where + key + ": is no bare word, \"text\" or [\"list\"]";
    if (!all.emplace(key, *value).second) return where + "a second \"" + key + "\"";
  }
  return all;
}

std::string quote(std::string_view value) {
  std::string all = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + "\"";
}
} // namespace jumun::app
