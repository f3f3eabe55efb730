#pragma once
#include "http/problem.hpp"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Strict JSON for requests: depth ≤ limits::json_depth_max, no duplicate keys, valid UTF-8, no
/// BOM, nothing behind the document. The tree is our own: what a request may hold is less than JSON
/// allows (integers only), and the parser's headers stay in one .cpp.
namespace jumun::http {
struct json_value {
  /// fraction: a number with a point or an exponent, or one that 64 bits do not hold.
  enum class kind : std::uint8_t { null, boolean, integer, fraction, text, array, object };
  kind is = kind::null;
  bool truth = false;
  std::int64_t integer = 0;
  double fraction = 0;
  std::string text;
  std::vector<json_value> items;
  struct member; // no std::pair: clang 14 does not get through one of an incomplete type
  std::vector<member> members;

  /// Member of an object; null: there is none.
  [[nodiscard]] const json_value* find(std::string_view name) const;
};
struct json_value::member {
  std::string name;
  json_value value;
};

/// Why a document is malformed: a sentence that holds nothing of the document.
struct json_malformed {
  std::string why;
  bool beyond_limits = false; // nested too deep, or a key twice: it may be JSON all the same
};
[[nodiscard]] std::variant<json_value, json_malformed> parse_json(std::string_view bytes);

/// RFC 6901 §3: `pointer`/`token`, with ~ and / escaped.
[[nodiscard]] std::string pointer_to(std::string_view pointer, std::string_view token);
[[nodiscard]] std::string pointer_to(std::string_view pointer, std::size_t index);

/// Neither U+0000..001F nor U+007F.
[[nodiscard]] bool is_clean_text(std::string_view s);
[[nodiscard]] bool is_utf8(std::string_view s);

/// Reads the members of one object, and notes each broken rule in `errors`. A field is known once
/// it was asked for; finish() refuses all others. A null is as good as an absent field where it is
/// optional. Values that come back after an error are of no use: look at `errors` before they are
/// acted upon.
class object_reader {
public:
  /// `value` and `errors` must outlive this; a value that is no object is an error at once.
  object_reader(const json_value& value, std::string pointer, std::vector<field_error>& errors);

  /// Bytes of UTF-8 in [min, max], without control characters.
  [[nodiscard]] std::string text(std::string_view name, std::size_t min, std::size_t max);
  [[nodiscard]] std::string text_or_empty(std::string_view name, std::size_t max);
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  /// nullopt: absent.
  [[nodiscard]] std::optional<std::int64_t> integer_or_none(
    std::string_view name, std::int64_t min, std::int64_t max);
  /// Any JSON number in [min, max].
  [[nodiscard]] double number_or(std::string_view name, double min, double max, double otherwise);
  /// The members' values; null after an error. `optional`: null without one when it is absent.
  [[nodiscard]] const json_value* object(std::string_view name, bool optional = false);
  [[nodiscard]] const json_value* array(
    std::string_view name, std::size_t min, std::size_t max, bool optional = false);
  /// nullopt: absent, or an error.
  [[nodiscard]] std::optional<bool> truth_or_none(std::string_view name);
  void refuse(std::string_view name, std::string detail);
  /// Refuses each member that was not asked for.
  void finish();
  [[nodiscard]] std::string at(std::string_view name) const { return pointer_to(pointer_, name); }

private:
  const json_value* take(
    std::string_view name, bool optional, json_value::kind, std::string_view must);

  const json_value& value_;
  std::string pointer_;
  std::vector<field_error>& errors_;
  std::vector<std::string_view> known_;
};
} // namespace jumun::http
