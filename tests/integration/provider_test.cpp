#include "app/providers/stripe.hpp"
#include "tests/catch.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/stripe_like.hpp"
#include <future>

using namespace jumun;
using namespace jumun::tests;

namespace {
const order_lines one_tea{{"tea", 1}};
constexpr std::int64_t price = 4'500;
const money_moved taken_once{1, 0, 0, price}, given_back{1, 1, 0, 0};

/// Orders by token, all placed before any is waited for.
std::map<std::string, std::string> place_all(shop_client& shop, const texts& tokens) {
  std::map<std::string, std::string> ids;
  for (const auto& token : tokens) ids[token] = shop.placed(token, one_tea);
  return ids;
}
} // namespace

TEST_CASE("whatever a provider does, an order is charged once or not at all, and refunded exactly",
  "[provider]") {
  paid_shop all;
  auto shop = all.client();
  shop.sell("tea", price, 100);
  const texts paid{"pm_ok", "pm_slow", "pm_silent", "pm_reset_after", "pm_garbage", "pm_500_after",
    "pm_processing"},
    refused{"pm_declined", "pm_absent", "pm_action"};
  const auto kept = place_all(shop, paid), lost = place_all(shop, refused);
  for (const auto& [token, id] : kept) {
    CAPTURE(token);
    CHECK(shop.wait_settled(id).at("status") == "preparing");
    CHECK(all.provider.money(id) == taken_once);
  }
  for (const auto& [token, id] : lost) {
    CAPTURE(token);
    CHECK(shop.wait_settled(id).at("failure").at("code") == "payment-declined");
    CHECK(all.provider.money(id).charges == 0);
  }
  CHECK(shop.order(lost.at("pm_declined"))
          .at("failure")
          .at("detail")
          .get<std::string>()
          .find("insufficient_funds")
        != std::string::npos);
  for (const auto& [token, id] : kept) CHECK(shop.cancel(id).status == 202);
  for (const auto& [token, id] : kept) {
    CAPTURE(token);
    shop.wait_for(id, "cancelled");
    CHECK(all.provider.money(id) == given_back);
  }
  const auto pay = shop.order(kept.at("pm_ok")).at("payment").at("id");
  bool seen = false;
  const auto books = all.provider.books(); // a loop would not keep it
  for (const auto& r : books.at("asked")) {
    CHECK(r.at("version") == app::stripe::api_version);
    CHECK(r.at("traceparent").is_string());
    seen = seen || r.at("key") == pay;
  }
  CHECK(seen);
  CHECK(need(shop.ops.get("/admin/v1/simulator/ledger"), 404).status == 404);
  REQUIRE(all.at.stop() == 0);
  CHECK(all.at.log().find(stripe_like::key) == std::string::npos);
  CHECK(all.at.log().find("pm_") == std::string::npos);
  const auto checked = run_jumun({"check", all.at.data_dir().string()});
  INFO(checked.out);
  CHECK(checked.how.exit_code == 0);
}

TEST_CASE(
  "an answer about another amount is not believed, and its charge can be undone", "[provider]") {
  paid_shop all;
  auto shop = all.client();
  shop.sell("tea", price, 10);
  const auto id = shop.placed("pm_wrong_amount", one_tea);
  ask_until([&] { return all.at.log().find("provider_contradicts") != std::string::npos; });
  CHECK(shop.order(id).at("payment").at("status") != "approved");
  CHECK(shop.cancel(id).status == 202);
  shop.wait_for(id, "cancelled");
  CHECK(all.provider.money(id) == given_back);
}

TEST_CASE(
  "a provider that turns us away, fails or is gone makes orders wait, not fail", "[provider]") {
  paid_shop all;
  auto shop = all.client();
  shop.sell("tea", price, 100);
  for (const std::string fault : {"401", "429_before", "503_before", "reset_before", "500_after"}) {
    CAPTURE(fault);
    all.provider.fault(fault, 2);
    const auto id = shop.placed("pm_ok", one_tea);
    CHECK(shop.wait_settled(id).at("status") == "preparing");
    CHECK(all.provider.money(id) == taken_once);
    all.provider.fault(fault, 0);
  }
  CHECK(all.at.log().find("payment.provider_refuses_us") != std::string::npos);
  all.provider.kill9();
  const auto waits = shop.placed("pm_ok", one_tea), given_up = shop.placed("pm_ok", one_tea);
  CHECK(shop.cancel(given_up).status == 202);
  all.provider.start_again();
  shop.wait_for(waits, "preparing");
  shop.wait_for(given_up, "cancelled");
  CHECK(all.provider.money(waits) == taken_once);
  CHECK(all.provider.money(given_up).kept == 0);
  CHECK(all.provider.money(given_up).charges == 0);
}

TEST_CASE("kill -9 in the middle of charges charges nobody twice", "[provider]") {
  paid_shop all;
  auto shop = all.client();
  shop.sell("tea", price, 100);
  texts ids;
  for (int i = 0; i < 12; ++i)
    ids.push_back(shop.placed(i % 3 == 0 ? "pm_silent" : "pm_slow", one_tea));
  ask_until([&] { return all.provider.books().at("intents").size() >= 4; });
  shop.cancel(ids[0]);
  all.at.kill9();
  all.at.restart();
  auto again = all.client();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CAPTURE(i);
    const auto settled = again.wait_settled(ids[i]);
    CHECK(settled.at("status") == (i == 0 ? "cancelled" : "preparing"));
    const auto m = all.provider.money(ids[i]);
    CHECK(m.charges <= 1);
    CHECK(m.kept == (i == 0 ? 0 : price));
  }
  REQUIRE(all.at.stop() == 0);
  CHECK(run_jumun({"check", all.at.data_dir().string()}).how.exit_code == 0);
}

TEST_CASE("past the life of its key a charge is looked for before it is made", "[provider]") {
  // Who answers this search finds the charge of the day before; made again, it would be a second.
  std::promise<std::string> asked_first;
  raw_server there{[&, n = 0](raw_peer& peer) mutable {
    for (std::string r; !(r = peer.read_request()).empty();) {
      if (n++ == 0) asked_first.set_value(r);
      const std::string intent =
        R"({"id":"pi_7","status":"succeeded","amount":9000,"amount_received":9000,"currency":"krw"})";
      if (r.starts_with("GET /v1/payment_intents/search?"))
        peer.answer(200, R"({"data":[)" + intent + "]}");
      else if (r.starts_with("GET /v1/payment_intents/pi_7?"))
        peer.answer(200, intent);
      else
        peer.answer(500);
    }
  }};
  const temp_dir dir;
  std::ofstream{dir.path() / "key"} << "sk_1\n";
  const auto placed_ms = std::int64_t{1'763'832'000'000};
  const auto order = domain::make_order_id(7, placed_ms, 0, 1);
  app::outbound_client client{{}};
  app::stripe::provider stripe{client, {there.url(""), (dir.path() / "key").string(), patience,
                                         [placed_ms] { return placed_ms + 25 * 3'600'000; }}};
  std::promise<actors::provider_said> said;
  stripe.charge({order, domain::to_text(domain::id_kind::payment, order), 9'000, "KRW", "pm_1"},
    [&](actors::provider_said s) { said.set_value(std::move(s)); });
  auto answer = said.get_future();
  REQUIRE(answer.wait_for(patience) == std::future_status::ready);
  const auto s = answer.get();
  CHECK(s.said == domain::payment_said::approved);
  CHECK(s.reference == "pi_7");
  CHECK(asked_first.get_future().get().starts_with("GET /v1/payment_intents/search?query="));
}
