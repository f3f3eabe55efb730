#include "app/providers/stripe_hooks.hpp"
#include "tests/catch.hpp"
#include "tests/support/signed_hook.hpp"

using namespace jumun;
using namespace jumun::app::stripe;
using tests::hook_signature;

TEST_CASE("a hook is proved by its time, its bytes and a secret, and by nothing less", "[hooks]") {
  const std::vector<std::string> ours{"whsec_old", "whsec_new"};
  const std::string body = R"({"id":"evt_1"})";
  const std::int64_t now = 1'763'832'000;
  const auto good = hook_signature("whsec_new", body, now);
  const auto v1 = good.substr(good.find("v1="));
  const std::string t = "t=" + std::to_string(now), wrong = "v1=" + std::string(64, '0');
  const auto table = std::vector<std::pair<std::string, bool>>{
    {good, true},
    {hook_signature("whsec_old", body, now), true},
    {hook_signature("whsec_new", body, now - 300), true},
    {hook_signature("whsec_new", body, now + 300), true},
    {t + "," + wrong + "," + v1, true}, // the provider rotates its secret
    {t + ",v0=abc," + v1 + ",v2=x", true},
    {hook_signature("whsec_new", body, now - 301), false},
    {hook_signature("whsec_new", body, now + 301), false},
    {hook_signature("whsec_other", body, now), false},
    {hook_signature("", body, now), false},
    {hook_signature("whsec_new", body + " ", now), false},
    {"t=" + std::to_string(now - 1) + "," + v1, false}, // another time than the signed one
    {"t=0" + std::to_string(now) + "," + v1, false},
    {v1, false},
    {t, false},
    {t + "," + wrong, false},
    {t + "," + v1.substr(0, v1.size() - 2), false},
    {t + "," + v1 + "00", false},
    {t + ",v0=" + v1.substr(3), false},
    {"t=x," + v1, false},
    {"t=-1," + v1, false},
    {"", false},
    {",,,=", false},
  };
  for (const auto& [header, is_good] : table) {
    CAPTURE(header);
    CHECK(signed_by(header, body, ours, now) == is_good);
  }
  CHECK_FALSE(signed_by(good, body, {}, now));
}

TEST_CASE("an event says what became of which order, or is not for us", "[hooks]") {
  const auto order = domain::make_order_id(7, 1'763'832'000'000, 0, 1);
  const auto id = domain::to_text(domain::id_kind::order, order);
  const nlohmann::json ours{{"id", "pi_1"}, {"metadata", {{"order_id", id}}}};
  auto charge = ours;
  charge["payment_intent"] = "pi_2", charge["refunded"] = true;
  auto part = charge;
  part["refunded"] = false;
  using domain::hook_news;
  const auto table = std::vector<std::tuple<std::string, nlohmann::json, hook_news, std::string>>{
    {"payment_intent.succeeded", ours, hook_news::outcome, "pi_1"},
    {"payment_intent.payment_failed", ours, hook_news::outcome, "pi_1"},
    {"payment_intent.processing", ours, hook_news::outcome, "pi_1"},
    {"payment_intent.canceled", ours, hook_news::reversed, "pi_1"},
    {"charge.refunded", charge, hook_news::reversed, "pi_2"},
  };
  for (const auto& [type, object, news, reference] : table) {
    CAPTURE(type);
    const auto read = read_event(tests::hook_body("evt_1", type, object));
    const auto* h = std::get_if<domain::hook_record>(&read);
    REQUIRE(h);
    CHECK(h->order == order);
    CHECK(h->news == news);
    CHECK(h->event == "evt_1");
    CHECK(h->reference == reference);
  }
  for (const auto& other : {tests::hook_body("evt_1", "charge.refunded", part),
         tests::hook_body("evt_1", "customer.created", ours),
         tests::hook_body("evt_1", "payment_intent.succeeded", {{"id", "pi_1"}}),
         tests::hook_body(
           "evt_1", "payment_intent.succeeded", {{"metadata", {{"order_id", "ord_no"}}}})})
    CHECK(std::holds_alternative<not_for_us>(read_event(other)));
  for (const auto* bad : {"", "{", "[]", "null", R"({"id":"e","type":"t"})",
         R"({"id":1,"type":"t","data":{"object":{}}})", R"({"type":"t","data":{"object":{}}})"})
    CHECK(std::holds_alternative<not_an_event>(read_event(bad)));
}
