#include "http/json.hpp"
#include "domain/limits.hpp"
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace jumun::http {
namespace {
constexpr std::size_t errors_max = 256;    // an answer stays in proportion to its request
constexpr std::size_t name_bytes_max = 32; // of an unknown field, to be named

/// Builds the tree from nlohmann's events; false stops the parser.
class builder final : public nlohmann::json_sax<nlohmann::json> {
public:
  json_value root;
  std::string why;
  bool beyond_limits = false;

  bool null() override { return put({}); }
  bool boolean(bool v) override {
    json_value j;
    j.is = json_value::kind::boolean, j.truth = v;
    return put(std::move(j));
  }
  bool number_integer(number_integer_t v) override { return put_integer(v); }
  bool number_unsigned(number_unsigned_t v) override {
    const bool fits = v <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return fits ? put_integer(static_cast<std::int64_t>(v)) : put_fraction(static_cast<double>(v));
  }
  bool number_float(number_float_t v, const string_t&) override { return put_fraction(v); }
  bool string(string_t& v) override {
    json_value j;
    j.is = json_value::kind::text, j.text = std::move(v);
    return put(std::move(j));
  }
  bool binary(binary_t&) override { return stop("binary is not JSON"); }
  bool start_object(std::size_t) override { return open(json_value::kind::object); }
  bool start_array(std::size_t) override { return open(json_value::kind::array); }
  bool key(string_t& v) override {
    open_.back()->members.push_back({std::move(v), {}});
    return true;
  }
  bool end_object() override {
    const bool unique = keys_unique(open_.back()->members);
    open_.pop_back();
    return unique || stop_at_limit("an object has the same key twice");
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool parse_error(
    std::size_t at, const std::string&, const nlohmann::detail::exception&) override {
    return stop("not JSON from byte " + std::to_string(at) + " on");
  }

private:
  bool stop(std::string because) {
    if (why.empty()) why = std::move(because);
    return false;
  }
  bool stop_at_limit(std::string because) {
    beyond_limits = true;
    return stop(std::move(because));
  }
  json_value& slot() {
    if (open_.empty()) return root;
    auto& parent = *open_.back();
    if (parent.is == json_value::kind::object) return parent.members.back().value;
    return parent.items.emplace_back();
  }
  bool put(json_value v) {
    slot() = std::move(v);
    return true;
  }
  bool put_integer(std::int64_t v) {
    json_value j;
    j.is = json_value::kind::integer, j.integer = v;
    return put(std::move(j));
  }
  bool put_fraction(double v) {
    json_value j;
    j.is = json_value::kind::fraction, j.fraction = v;
    return put(std::move(j));
  }
  bool open(json_value::kind kind) {
    if (open_.size() == limits::json_depth_max)
      return stop_at_limit("nested deeper than 16 levels");
    auto& at = slot();
    at.is = kind;
    open_.push_back(&at); // stays valid: its siblings come only after it is closed
    return true;
  }
  static bool keys_unique(const std::vector<json_value::member>& members) {
    std::vector<std::string_view> keys;
    keys.reserve(members.size());
    for (const auto& m : members) keys.push_back(m.name);
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) == keys.end();
  }

  std::vector<json_value*> open_;
};

std::string between(std::int64_t min, std::int64_t max) {
  return std::to_string(min) + ".." + std::to_string(max);
}
} // namespace

const json_value* json_value::find(std::string_view name) const {
  for (const auto& m : members)
    if (m.name == name) return &m.value;
  return nullptr;
}

std::variant<json_value, json_malformed> parse_json(std::string_view bytes) {
  if (bytes.empty()) return json_malformed{"the body is empty"};
  // The parser would skip a byte order mark; RFC 8259 §8.1 forbids to send one.
  if (bytes.starts_with("\xef\xbb\xbf")) return json_malformed{"a byte order mark is not JSON"};
  // And it would take a NUL for the end, and read nothing behind it (found by
  // tests/fuzz/order_json).
  if (bytes.find('\0') != std::string_view::npos) return json_malformed{"a NUL byte is not JSON"};
  builder b;
  if (!nlohmann::json::sax_parse(bytes.begin(), bytes.end(), &b))
    return json_malformed{b.why.empty() ? "not JSON" : b.why, b.beyond_limits};
  return std::move(b.root);
}

std::string pointer_to(std::string_view pointer, std::string_view token) {
  std::string out{pointer};
  out += '/';
  for (const char c : token) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string pointer_to(std::string_view pointer, std::size_t index) {
  return pointer_to(pointer, std::to_string(index));
}

bool is_clean_text(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7f;
  });
}

bool is_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto lead = static_cast<unsigned char>(s[i++]);
    if (lead < 0x80) continue;
    const int more = lead >= 0xc2 && lead < 0xe0   ? 1
                     : (lead & 0xf0) == 0xe0       ? 2
                     : lead >= 0xf0 && lead < 0xf5 ? 3
                                                   : 0;
    if (more == 0 || i + static_cast<std::size_t>(more) > s.size()) return false;
    const auto second = static_cast<unsigned char>(s[i]);
    // Overlong forms, surrogates, and what lies beyond U+10FFFF show in the second byte.
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return false;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return false;
    for (int k = 0; k < more; ++k)
      if ((static_cast<unsigned char>(s[i++]) & 0xc0) != 0x80) return false;
  }
  return true;
}

object_reader::object_reader(
  const json_value& value, std::string pointer, std::vector<field_error>& errors)
    : value_(value), pointer_(std::move(pointer)), errors_(errors) {
  if (value.is != json_value::kind::object) errors_.push_back({pointer_, "must be an object"});
}

void object_reader::refuse(std::string_view name, std::string detail) {
  if (errors_.size() < errors_max) errors_.push_back({at(name), std::move(detail)});
}

const json_value* object_reader::take(
  std::string_view name, bool optional, json_value::kind kind, std::string_view must) {
  known_.push_back(name);
  if (value_.is != json_value::kind::object) return nullptr;
  const auto* v = value_.find(name);
  if (!v || (optional && v->is == json_value::kind::null)) {
    if (!optional) refuse(name, "is required: " + std::string{must});
    return nullptr;
  }
  if (v->is == kind) return v;
  refuse(name, "must be " + std::string{must});
  return nullptr;
}

std::string object_reader::text(std::string_view name, std::size_t min, std::size_t max) {
  const auto must = "a string of "
                    + between(static_cast<std::int64_t>(min), static_cast<std::int64_t>(max))
                    + " bytes without control characters";
  const auto* v = take(name, min == 0, json_value::kind::text, must);
  if (!v) return {};
  if (v->text.size() < min || v->text.size() > max || !is_clean_text(v->text)) {
    refuse(name, "must be " + must);
    return {};
  }
  return v->text;
}

std::string object_reader::text_or_empty(std::string_view name, std::size_t max) {
  return text(name, 0, max);
}

std::int64_t object_reader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto must = "an integer in " + between(min, max);
  const auto* v = take(name, false, json_value::kind::integer, must);
  if (!v) return min;
  if (v->integer >= min && v->integer <= max) return v->integer;
  refuse(name, "must be " + must);
  return min;
}

std::optional<std::int64_t> object_reader::integer_or_none(
  std::string_view name, std::int64_t min, std::int64_t max) {
  const auto* v = value_.find(name);
  if (v && v->is != json_value::kind::null) return integer(name, min, max);
  known_.push_back(name);
  return {};
}

double object_reader::number_or(std::string_view name, double min, double max, double otherwise) {
  known_.push_back(name);
  const auto* v = value_.find(name);
  if (!v || v->is == json_value::kind::null) return otherwise;
  const bool whole = v->is == json_value::kind::integer;
  const auto n = whole ? static_cast<double>(v->integer) : v->fraction;
  const bool number = whole || v->is == json_value::kind::fraction;
  if (number && n >= min && n <= max) return n;
  std::ostringstream must;
  must << "must be a number in " << min << ".." << max;
  refuse(name, must.str());
  return otherwise;
}

const json_value* object_reader::object(std::string_view name, bool optional) {
  return take(name, optional, json_value::kind::object, "an object");
}

std::optional<bool> object_reader::truth_or_none(std::string_view name) {
  const auto* v = take(name, true, json_value::kind::boolean, "true or false");
  return v ? std::optional{v->truth} : std::nullopt;
}

const json_value* object_reader::array(
  std::string_view name, std::size_t min, std::size_t max, bool optional) {
  const auto must = "an array of "
                    + between(static_cast<std::int64_t>(min), static_cast<std::int64_t>(max))
                    + " items";
  const auto* v = take(name, optional, json_value::kind::array, must);
  if (!v) return nullptr;
  if (v->items.size() >= min && v->items.size() <= max) return v;
  refuse(name, "must be " + must);
  return nullptr;
}

void object_reader::finish() {
  std::string allowed;
  for (const auto name : known_) allowed.append(allowed.empty() ? "" : ", ").append(name);
  for (const auto& [name, unused] : value_.members) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (errors_.size() >= errors_max) return;
    // Only what looks like a name is echoed, and no number of a card, no key: else the pointer
    // names the object.
    const auto digits =
      std::count_if(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    const bool tellable = name.size() <= name_bytes_max && digits <= 4 && is_clean_text(name);
    errors_.push_back(
      {tellable ? at(name) : pointer_, "is not a known field; allowed: " + allowed});
  }
}
} // namespace jumun::http
