#include "http/json.hpp"
#include "tests/catch.hpp"
#include <algorithm>
#include <tuple>

using namespace jumun::http;

namespace {
bool parses(std::string_view text) { return std::holds_alternative<json_value>(parse_json(text)); }
json_value value_of(std::string_view text) { return std::get<json_value>(parse_json(text)); }
std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[')
         + std::string(static_cast<std::size_t>(depth), ']');
}
} // namespace

TEST_CASE("JSON is taken strictly or not at all", "[http][json]") {
  const auto table = std::vector<std::tuple<const char*, std::string, bool>>{
    {"object", R"({"a":1,"b":[true,false,null,"x"]})", true},
    {"whitespace around", " \r\n\t{} \n", true},
    {"16 levels", nested(16), true},
    {"17 levels", nested(17), false},
    {"a bomb of brackets", std::string(60'000, '['), false},
    {"a bomb of braces", std::string(10'000, '{'), false},
    {"duplicate key", R"({"a":1,"a":1})", false},
    {"duplicate key, escaped", R"({"a":1,"\u0061":2})", false},
    {"duplicate key, far apart", R"({"a":1,"b":{"a":2},"c":3,"a":4})", false},
    {"same key in two objects", R"([{"a":1},{"a":1}])", true},
    {"nothing", "", false},
    {"a NUL behind the document", std::string("{}\0", 3), false},
    {"a NUL, and something behind it", std::string("{}\0{\"a\":1}", 10), false},
    {"only whitespace", "  ", false},
    {"trailing bytes", "{} x", false},
    {"two documents", "{}{}", false},
    {"trailing comma", R"({"a":1,})", false},
    {"comment", "{/**/}", false},
    {"single quotes", "{'a':1}", false},
    {"bare word", "{a:1}", false},
    {"NaN", "NaN", false},
    {"leading zero", "01", false},
    {"plus sign", "+1", false},
    {"byte order mark", "\xef\xbb\xbf{}", false},
    {"cut", R"({"a":)", false},
    {"overlong UTF-8", "\"\xc0\xaf\"", false},
    {"lone continuation", "\"\x80\"", false},
    {"cut UTF-8", "\"\xe2\x82\"", false},
    {"surrogate in UTF-8", "\"\xed\xa0\x80\"", false},
    {"beyond Unicode", "\"\xf4\x90\x80\x80\"", false},
    {"lone surrogate escape", R"("\ud800")", false},
    {"surrogate pair escape", R"("\ud83d\ude00")", true},
    {"raw control character", "\"a\nb\"", false},
    {"UTF-16", std::string{"{\0}\0", 4}, false},
    {"number beyond a double", "1e999", false},
  };
  for (const auto& [name, text, good] : table) {
    CAPTURE(name);
    CHECK(parses(text) == good);
  }
}

TEST_CASE("only a whole number in 64 bits is an integer", "[http][json]") {
  using kind = json_value::kind;
  CHECK(value_of("9223372036854775807").integer == INT64_MAX);
  CHECK(value_of("-9223372036854775808").integer == INT64_MIN);
  CHECK(value_of("-0").is == kind::integer);
  for (const auto* text : {"1.0", "1e2", "9223372036854775808", "18446744073709551616",
         "-9223372036854775809", "0.5", "1E0"}) {
    CAPTURE(text);
    CHECK(value_of(text).is == kind::fraction);
  }
}

TEST_CASE("an object's broken rules are all listed, each with what is allowed", "[http][json]") {
  const auto body = value_of(
    R"({"name":"a\u0007","count":2.0,"many":11,"extra":1,"a/b~c":2,"list":[],"inner":7,"none":null})");
  std::vector<field_error> errors;
  object_reader in{body, "", errors};
  (void)in.text("name", 1, 8);
  (void)in.integer("count", 1, 5);
  (void)in.integer("many", 1, 10);
  (void)in.array("list", 1, 3);
  (void)in.object("inner");
  (void)in.text("missing", 1, 8);
  CHECK(in.text_or_empty("none", 8).empty());
  CHECK(in.text_or_empty("absent", 8).empty());
  in.finish();
  const std::string allowed = "is not a known field; allowed: "
                              "name, count, many, list, inner, missing, none, absent";
  const std::vector<field_error> expected{
    {"/name", "must be a string of 1..8 bytes without control characters"},
    {"/count", "must be an integer in 1..5"},
    {"/many", "must be an integer in 1..10"},
    {"/list", "must be an array of 1..3 items"},
    {"/inner", "must be an object"},
    {"/missing", "is required: a string of 1..8 bytes without control characters"},
    {"/extra", allowed},
    {"/a~1b~0c", allowed},
  };
  CHECK(errors == expected);
}

TEST_CASE("a body that is no object is one error, at its root", "[http][json]") {
  const auto body = value_of("[1]");
  std::vector<field_error> errors;
  object_reader in{body, "", errors};
  (void)in.text("name", 1, 8);
  in.finish();
  CHECK(errors == std::vector<field_error>{{"", "must be an object"}});
}

TEST_CASE("errors stay in proportion, and a long name is not echoed", "[http][json]") {
  std::string text = "{";
  for (int i = 0; i < 5'000; ++i) text += "\"f" + std::to_string(i) + "\":1,";
  text += '"' + std::string(5'000, 'x') + "\":1}";
  const auto body = value_of(text);
  std::vector<field_error> errors;
  object_reader{body, "", errors}.finish();
  CHECK(errors.size() == 256);
  const auto one = value_of("{\"" + std::string(5'000, 'x') + "\":1}");
  errors.clear();
  object_reader{one, "/inner", errors}.finish();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].pointer == "/inner");
}

TEST_CASE("UTF-8 is told from what only looks like it", "[http][json]") {
  CHECK(is_utf8("caf\xc3\xa9 \xec\xa3\xbc\xeb\xac\xb8 \xf0\x9f\x98\x80"));
  for (const auto* bad : {"\xff", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
         "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80"})
    CHECK_FALSE(is_utf8(bad));
}
