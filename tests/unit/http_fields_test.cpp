#include "http/fields.hpp"
#include "tests/catch.hpp"
#include <tuple>

using namespace jumun;
using namespace jumun::http;

namespace {
struct parsed {
  std::string bytes;
  head h;
  explicit parsed(const std::string& fields)
      : bytes{"GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"} {
    REQUIRE_FALSE(check_head(bytes, h));
  }
};
int wait_of(const std::string& fields) {
  const parsed p{fields};
  const auto wait = prefer_wait(p.h);
  return wait ? static_cast<int>(wait->count()) : -1;
}
bool accepts(const std::string& fields) {
  const parsed p{fields};
  return accepts_json(p.h);
}
} // namespace

TEST_CASE("Prefer: wait is read as RFC 7240 writes it", "[http][fields]") {
  const auto table = std::vector<std::tuple<std::string, int>>{
    {"", -1},
    {"Prefer: wait=5\r\n", 5},
    {"Prefer: WAIT = 5\r\n", 5},
    {"Prefer: wait=\"7\"\r\n", 7},
    {"Prefer: respond-async, wait=10; x=1\r\n", 10},
    {"Prefer: foo=\"a, wait=3\", wait=4\r\n", 4},
    {"Prefer: respond-async\r\nPrefer: wait=6\r\n", 6},
    {"Prefer: wait=5, wait=9\r\n", 5},
    {"Prefer: wait=30\r\n", 30},
    {"Prefer: wait=31\r\n", 30},
    {"Prefer: wait=99999999999999999999999\r\n", 30},
    {"Prefer: wait=0\r\n", -1},
    {"Prefer: wait=-1\r\n", -1},
    {"Prefer: wait=1.5\r\n", -1},
    {"Prefer: wait\r\n", -1},
    {"Prefer: waiting=5\r\n", -1},
  };
  for (const auto& [fields, seconds] : table) {
    CAPTURE(fields);
    CHECK(wait_of(fields) == seconds);
  }
}

TEST_CASE("an Idempotency-Key is the same bare and quoted", "[http][fields]") {
  CHECK(idempotency_key("7b1-a_c.d/e+f=:") == "7b1-a_c.d/e+f=:");
  CHECK(idempotency_key("\"7b1\"") == "7b1");
  CHECK(idempotency_key(R"("a\"b\\c d")") == R"(a"b\c d)");
  CHECK(idempotency_key(std::string(255, 'k')) == std::string(255, 'k'));
  for (const auto& bad : std::vector<std::string>{"", "\"\"", "\"", "\"a", "a\"", "\"a\"b\"",
         "\"a\";x=1", "a b", "a,b", "a;b", "caf\xc3\xa9", "\"caf\xc3\xa9\"", R"("a\b")", R"("a\")",
         "a\tb", std::string(256, 'k')}) {
    CAPTURE(bad);
    CHECK_FALSE(idempotency_key(bad));
  }
}

TEST_CASE("a traceparent is honoured only when it is valid", "[http][fields]") {
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736", span = "00f067aa0ba902b7";
  const auto good = parse_traceparent("00-" + id + "-" + span + "-01");
  REQUIRE(good);
  CHECK(good->trace_id == id);
  CHECK(good->child(0xab) == "00-" + id + "-00000000000000ab-01");
  CHECK(parse_traceparent("00-" + id + "-" + span + "-00")->child(1).ends_with("-00"));
  CHECK(parse_traceparent("cc-" + id + "-" + span + "-01-what"));
  for (const auto& bad : {"ff-" + id + "-" + span + "-01", "00-" + id + "-" + span + "-01-x",
         "00-" + id + "-" + span, "00-" + id + "-0000000000000000-01",
         "00-00000000000000000000000000000000-" + span + "-01", "00-" + id + "x" + span + "-01",
         "0g-" + id + "-" + span + "-01", "00-" + std::string(32, 'A') + "-" + span + "-01",
         "cc-" + id + "-" + span + "-01.what", std::string{}}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_traceparent(bad));
  }
  CHECK(parse_traceparent(new_trace(0, 0).child(0)));
}

TEST_CASE("entity tags are compared weakly for reads and strongly for writes", "[http][fields]") {
  const auto list = parse_tags(R"("1", W/"2" , "x,y")");
  CHECK(list.valid);
  CHECK(list.has_weakly("2"));
  CHECK(list.has_weakly("x,y"));
  CHECK_FALSE(list.has_weakly("3"));
  CHECK(list.versions() == std::vector<std::uint64_t>{1});
  const auto parts = parse_tags(R"("7-12", W/"8-1", "9-", "-3", "5-x")");
  CHECK(parts.versions() == std::vector<std::uint64_t>{7});
  CHECK(parts.has_version(8));
  CHECK_FALSE(parts.has_strongly("8-1"));
  CHECK(parts.has_strongly("7-12"));
  CHECK_FALSE(parts.has_strongly("7"));
  CHECK(parse_tags("*").has_strongly("x"));
  CHECK(parse_tags("*").any);
  for (const auto* bad : {"", "1", "\"1", "\"1\" \"2\"", "w/\"1\""}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_tags(bad).valid);
  }
  CHECK(etag_of(7) == "\"7\"");
}

TEST_CASE("Accept leaves room for JSON, or does not", "[http][fields]") {
  const auto table = std::vector<std::tuple<std::string, bool>>{
    {"", true},
    {"Accept: */*\r\n", true},
    {"Accept: application/*\r\n", true},
    {"Accept: application/json\r\n", true},
    {"Accept: application/problem+json\r\n", true},
    {"Accept: text/html, application/json;q=0.9\r\n", true},
    {"Accept: text/html\r\nAccept: */*;q=0.1\r\n", true},
    {"Accept: text/html\r\n", false},
    {"Accept: text/event-stream\r\n", false},
    {"Accept: application/json;q=0\r\n", false},
    {"Accept: application/json;q=0, */*\r\n", false},
    {"Accept: */*;q=0.0\r\n", false},
  };
  for (const auto& [fields, good] : table) {
    CAPTURE(fields);
    CHECK(accepts(fields) == good);
  }
}

TEST_CASE("only JSON in UTF-8 is a JSON type", "[http][fields]") {
  for (const auto* good : {"application/json", "Application/JSON",
         "application/json; charset=utf-8", "application/json;charset=\"UTF-8\""})
    CHECK(is_json_type(good));
  for (const auto* bad : {"", "text/json", "application/jsonx", "application/json; charset=latin1",
         "application/x-www-form-urlencoded", "application/json, text/plain"})
    CHECK_FALSE(is_json_type(bad));
}

TEST_CASE("times are written in UTC and read with any offset", "[http][fields]") {
  CHECK(time_text(0) == "1970-01-01T00:00:00.000Z");
  CHECK(time_text(1'709'251'199'007) == "2024-02-29T23:59:59.007Z");
  CHECK(parse_time("2024-02-29T23:59:59.007Z") == 1'709'251'199'007);
  CHECK(parse_time("2024-03-01T08:59:59.007+09:00") == 1'709'251'199'007);
  CHECK(parse_time("2024-03-01T08:59:59.007 09:00") == 1'709'251'199'007);
  CHECK(parse_time("1970-01-01T00:00:01Z") == 1'000);
  CHECK(parse_time("1970-01-01T00:00:00.5Z") == 500);
  CHECK(parse_time("1970-01-01T00:00:00.123456789Z") == 123);
  for (const auto* bad : {"", "2024-02-30T00:00:00Z", "2024-02-29", "2024-02-29T24:00:00Z",
         "2024-02-29T00:00:00", "2024-02-29 00:00:00Z", "2024-02-29T00:00:00+9:00",
         "2024-02-29T00:00:00.Z", "2024-02-29T00:00:00Zx", "20240229T000000Z000000"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_time(bad));
  }
}
