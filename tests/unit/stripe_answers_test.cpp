#include "app/providers/stripe_answers.hpp"
#include "tests/catch.hpp"

using namespace jumun;
using namespace jumun::app::stripe;
using app::outbound_response;
using domain::payment_said;

namespace {
outbound_response answered(int status, std::string body) {
  return {status, {}, std::move(body), "", false};
}
std::string intent_json(const std::string& status, const std::string& more = "") {
  return R"({"id":"pi_1","status":")" + status
         + R"(","amount":9000,"currency":"krw","metadata":{"payment_id":"pay_A"})" + more + "}";
}
const actors::provider_charge asked{{1, 2}, "pay_A", 9'000, "KRW", "pm_1"};
} // namespace

TEST_CASE("each answer about a payment means one thing", "[stripe]") {
  struct row {
    int status;
    std::string body;
    heard what;
    std::string reason;
  };
  const std::string declined =
    R"({"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card"}})";
  const auto table = std::vector<row>{
    {200, intent_json("succeeded"), heard::intent, ""},
    {200, "", heard::unclear, "the provider's answer is none of its own"},
    {200, "<html>", heard::unclear, "the provider's answer is none of its own"},
    {200, "[]", heard::unclear, "the provider's answer is none of its own"},
    {200, R"({"id":"pi_1","status":"succeeded"})", heard::unclear,
      "the provider's answer is none of its own"},
    {200, R"({"id":"../x","status":"succeeded","amount":9000,"currency":"krw"})", heard::unclear,
      "the provider's answer is none of its own"},
    {402, declined, heard::declined, "lost_card"},
    {402, R"({"error":{"code":"expired_card"}})", heard::declined, "expired_card"},
    {402, R"({"error":{"code":"a b<script>"}})", heard::declined, "card_declined"},
    {402, "no json", heard::unclear, "the provider answered 402"},
    {402, R"({"error":{"code":"c","payment_intent":)" + intent_json("succeeded") + "}}",
      heard::unclear, "the provider contradicts itself"},
    {400, R"({"error":{"type":"invalid_request_error","code":"resource_missing"}})", heard::refused,
      "resource_missing"},
    {400, R"({"error":{"type":"idempotency_error"}})", heard::key_taken,
      "the key was used with other terms"},
    {400, "no json", heard::unclear, "the provider answered 400"},
    {404, R"({"error":{"type":"invalid_request_error"}})", heard::refused, "invalid_request_error"},
    {401, declined, heard::misconfigured, "the provider does not accept our key"},
    {403, "", heard::misconfigured, "the provider does not accept our key"},
    {409, declined, heard::unclear, "the provider answered 409"},
    {429, declined, heard::unclear, "the provider answered 429"},
    {500, intent_json("succeeded"), heard::unclear, "the provider answered 500"},
    {307, "", heard::unclear, "the provider answered 307"},
  };
  for (const auto& [status, body, what, reason] : table) {
    CAPTURE(status, body);
    const auto r = read_intent(answered(status, body));
    CHECK(r.what == what);
    CHECK(r.reason == reason);
    CHECK(r.surely_not == (status == 429));
  }
  const auto none = read_intent({0, {}, "", "Couldn't connect to server", true});
  CHECK(none.what == heard::unclear);
  CHECK(none.surely_not);
  CHECK_FALSE(read_intent({0, {}, "", "no answer within the deadline", false}).surely_not);
  CHECK(read_intent({500, {{"idempotent-replayed", "true"}}, "", "", false}).replayed);
}

TEST_CASE("an intent is believed only about the payment that was asked for", "[stripe]") {
  const auto said = [](const std::string& body) {
    return said_of(read_intent(answered(200, body)).of, asked);
  };
  const std::string paid = R"(,"amount_received":9000)";
  const auto yes = said(intent_json("succeeded", paid));
  REQUIRE(yes);
  CHECK(yes->said == payment_said::approved);
  CHECK(yes->reference == "pi_1");
  CHECK(said(intent_json("processing"))->said == payment_said::pending);
  CHECK(said(intent_json("canceled"))->said == payment_said::declined);
  const auto no = said(
    intent_json("requires_payment_method", R"(,"last_payment_error":{"code":"card_declined"})"));
  CHECK(no->said == payment_said::declined);
  CHECK(no->reason == "card_declined");
  for (const auto* waits : {"requires_action", "requires_confirmation", "requires_capture", "new"})
    CHECK_FALSE(said(intent_json(waits)).has_value());

  for (const auto* other :
    {R"({"id":"p","status":"succeeded","amount":9001,"amount_received":9001,"currency":"krw"})",
      R"({"id":"p","status":"succeeded","amount":9000,"amount_received":9000,"currency":"usd"})",
      R"({"id":"p","status":"succeeded","amount":9000,"amount_received":1,"currency":"krw"})",
      R"({"id":"p","status":"canceled","amount":1,"currency":"krw"})",
      R"({"id":"p","status":"succeeded","amount":9000,"amount_received":9000,"currency":"krw","metadata":{"payment_id":"pay_B"}})"}) {
    CAPTURE(other);
    CHECK(said(other)->said == payment_said::unknown);
  }
}

TEST_CASE("a search finds the intent that is not canceled, or none, or fails", "[stripe]") {
  const auto search = [](int status, const std::string& data) {
    return read_search(answered(status, R"({"data":[)" + data + "]}"));
  };
  CHECK(search(200, "").what == heard::intent);
  CHECK_FALSE(search(200, "").of);
  const auto two = search(200, intent_json("canceled") + "," + intent_json("succeeded"));
  CHECK(two.of->status == "succeeded");
  CHECK(search(200, "{}").what == heard::unclear);
  CHECK(search(500, "").what == heard::unclear);
  CHECK(search(401, "").what == heard::misconfigured);
  CHECK(read_search(answered(200, "{}")).what == heard::unclear);
}

TEST_CASE("a refund is one that the provider took on", "[stripe]") {
  const auto made =
    read_refund(answered(200, R"({"object":"refund","amount":9000,"status":"succeeded"})"));
  CHECK(made.what == heard::intent);
  CHECK(made.status == "succeeded");
  CHECK(made.amount == 9'000);
  for (const auto* body : {"", "{}", R"({"object":"charge","amount":9000,"status":"succeeded"})",
         R"({"object":"refund","amount":"9000","status":"succeeded"})"})
    CHECK(read_refund(answered(200, body)).status.empty());
  const auto again = read_refund(answered(400, R"({"error":{"code":"charge_already_refunded"}})"));
  CHECK(again.what == heard::refused);
  CHECK(again.reason == "charge_already_refunded");
}

TEST_CASE("a form keeps whatever is in its fields apart", "[stripe]") {
  CHECK(form({{"metadata[order_id]", "a&b=c d"}, {"e", "é%+"}})
        == "metadata%5Border_id%5D=a%26b%3Dc%20d&e=%C3%A9%25%2B");
}
