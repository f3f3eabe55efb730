#include "http/rate_limit.hpp"
#include "tests/catch.hpp"

using namespace jumun;
using http::rate_limiter;
using std::chrono::milliseconds;

namespace {
const rate_limiter::clock::time_point start{std::chrono::hours{1}};
unsigned taken(rate_limiter& of, const std::string& whose, rate_limiter::clock::time_point now) {
  unsigned n = 0;
  while (of.take(whose, now).allowed && n < 1'000) ++n;
  return n;
}
} // namespace

TEST_CASE("a second's worth passes at once, then each again as its time comes", "[rate]") {
  rate_limiter rates{10};
  for (unsigned left = 10; left-- > 0;) {
    const auto s = rates.take("a", start);
    CHECK(s.allowed);
    CHECK(s.remaining == left);
  }
  CHECK_FALSE(rates.take("a", start).allowed);
  CHECK(rates.look("a", start).remaining == 0);
  CHECK_FALSE(rates.take("a", start + milliseconds{99}).allowed);
  CHECK(taken(rates, "a", start + milliseconds{100}) == 1);
  CHECK(taken(rates, "a", start + milliseconds{550}) == 4);
  CHECK(taken(rates, "a", start + milliseconds{60'000}) == 10); // what was not used is lost
}

TEST_CASE("another rate is in force at once, and none lets all pass", "[rate]") {
  rate_limiter rates{10};
  CHECK(taken(rates, "a", start) == 10);
  rates.set(100);
  CHECK(rates.on());
  CHECK(taken(rates, "b", start) == 100);
  CHECK(taken(rates, "a", start + milliseconds{1'000}) == 100);
  rates.set(2);
  CHECK(taken(rates, "c", start) == 2);
  CHECK(rates.fields(rates.look("c", start)).find("q=2;") != std::string::npos);
  rates.set(0);
  CHECK_FALSE(rates.on());
  CHECK(rates.take("a", start).allowed);
}

TEST_CASE("what is turned away takes nothing from the quota, and looking neither", "[rate]") {
  rate_limiter rates{3};
  CHECK(taken(rates, "a", start) == 3);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(rates.take("a", start).allowed);
  for (int i = 0; i < 100; ++i) (void)rates.look("b", start);
  CHECK(taken(rates, "a", start + milliseconds{1'000}) == 3);
  CHECK(taken(rates, "b", start) == 3);
}

TEST_CASE("whole quotas pass at any rate, however a second divides", "[rate]") {
  for (const unsigned n : {1U, 3U, 7U, 600U, 999U}) {
    CAPTURE(n);
    rate_limiter rates{n};
    CHECK(taken(rates, "a", start) == n);
    CHECK(taken(rates, "a", start + milliseconds{1'000}) == n);
  }
}

TEST_CASE("principals have quotas of their own, and the idle are forgotten", "[rate]") {
  rate_limiter rates{2, 160};
  for (int i = 0; i < 5'000; ++i) {
    const auto now = start + milliseconds{i * 20};
    CHECK(rates.take("p" + std::to_string(i), now).allowed);
    CHECK(rates.known() <= 160);
  }
}

TEST_CASE("where more principals are busy than are remembered, newcomers share", "[rate]") {
  rate_limiter rates{2, 16}; // one in each part
  unsigned allowed = 0;
  for (int i = 0; i < 1'000; ++i)
    allowed += rates.take("p" + std::to_string(i), start).allowed ? 1 : 0;
  CHECK(rates.known() == 16);
  CHECK(allowed == 16 + 2 * 16); // the sixteen, and two of each part's others
}

TEST_CASE("the fields are those of the IETF draft", "[rate]") {
  rate_limiter rates{100};
  CHECK(rates.fields(rates.look("a", start))
        == "RateLimit-Policy: \"default\";q=100;w=1\r\nRateLimit: \"default\";r=100;t=0\r\n");
  CHECK(rates.fields(rates.take("a", start))
        == "RateLimit-Policy: \"default\";q=100;w=1\r\nRateLimit: \"default\";r=99;t=1\r\n");
}
