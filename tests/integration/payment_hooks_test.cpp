#include "storage/rocks_store.hpp"
#include "storage/rows.hpp"
#include "tests/catch.hpp"
#include "tests/support/sample_rows.hpp"
#include "tests/support/signed_hook.hpp"
#include "tests/support/stripe_like.hpp"

using namespace jumun;
using namespace jumun::tests;

namespace {
const std::string secret = "whsec_planted_7f3a";
const order_lines one_tea{{"tea", 1}};

struct hooked_shop {
  temp_dir dir;
  server at;
  hooked_shop() : at(dir.path() / "data", {"--payment-hook-secret-file", file()}) {}
  [[nodiscard]] shop_client client() const { return shop_client{at}; }

private:
  [[nodiscard]] std::string file() const {
    const auto path = dir.path() / "hook_secret";
    std::ofstream{path} << secret << "\n";
    return path.string();
  }
};

std::string about(const std::string& event, const std::string& type, const std::string& order) {
  return hook_body(
    event, type, {{"id", "pi_1"}, {"refunded", true}, {"metadata", {{"order_id", order}}}});
}
std::string code(const response& r) { return r.json().at("code"); }
} // namespace

TEST_CASE("a hook is taken only with a fresh signature, of the provider in use, and if it is one",
  "[hooks]") {
  {
    open_shop without;
    auto api = without.at.api();
    CHECK(send_hook(api, secret, "{}").status == 404);
  }
  hooked_shop all;
  auto api = all.at.api();
  const auto body =
    about("evt_1", "payment_intent.succeeded", domain::to_text(domain::id_kind::order, sample_id));
  const auto post = [&](const std::string& signature, const std::string& to = "simulator") {
    return api.send("POST", "/v1/hooks/payments/" + to, body, {{"Stripe-Signature", signature}});
  };
  const auto now = std::time(nullptr);
  CHECK(post(hook_signature(secret, body, now), "stripe").status == 404);
  for (const auto& bad : {std::string{"no"}, hook_signature("whsec_other", body, now),
         hook_signature(secret, body, now - 3'600), hook_signature(secret, body + " ", now)}) {
    const auto r = post(bad);
    CHECK(r.status == 401);
    CHECK(code(r) == "unauthenticated");
  }
  CHECK(api.send("POST", "/v1/hooks/payments/simulator", body).status == 401);
  CHECK(send_hook(api, secret, "{\"id\":").status == 400);
  CHECK(send_hook(api, secret, "{}").status == 400);
  CHECK(post(hook_signature(secret, body, now)).status == 202);
  CHECK(post(hook_signature(secret, body, now)).status == 202);
  CHECK(send_hook(api, secret, about("evt_2", "customer.created", "x")).status == 202);
  REQUIRE(all.at.stop() == 0);
  CHECK(all.at.log().find(secret) == std::string::npos);
  CHECK(run_jumun({"check", all.at.data_dir().string()}).how.exit_code == 0);
}

TEST_CASE(
  "what the provider says it gave back is undone once, even if we die right after", "[hooks]") {
  hooked_shop all;
  std::string id;
  {
    auto shop = all.client();
    shop.sell("tea", 4'500, 10);
    id = shop.placed("tok_approve", one_tea, {.wait_s = 30});
    shop.wait_for(id, "preparing");
    CHECK(
      send_hook(shop.api, secret, about("evt_1", "payment_intent.succeeded", id)).status == 202);
    CHECK(shop.order(id).at("status") == "preparing");
    CHECK(send_hook(shop.api, secret, about("evt_2", "charge.refunded", id)).status == 202);
  }
  all.at.kill9();
  all.at.restart();
  auto shop = all.client();
  CHECK(shop.wait_for(id, "cancelled").at("payment").at("status") == "refunded");
  CHECK(shop.money(id) == money_moved{1, 1, 0, 0});
  const auto before = shop.event_types(id);
  CHECK(send_hook(shop.api, secret, about("evt_2", "charge.refunded", id)).status == 202);
  CHECK(send_hook(shop.api, secret, about("evt_3", "payment_intent.canceled", id)).status == 202);
  CHECK(shop.event_types(id) == before);
  CHECK(shop.complaints() == texts{});

  const auto shipped = shop.placed("tok_approve", one_tea, {.wait_s = 30});
  shop.wait_for(shipped, "preparing");
  need(shop.report(shipped, "picked_up"), 200);
  CHECK(send_hook(shop.api, secret, about("evt_4", "charge.refunded", shipped)).status == 202);
  CHECK(shop.order(shipped).at("status") == "shipped");
  CHECK(all.at.log().find("payment.hook_not_followed") != std::string::npos);
}

TEST_CASE("a hook whose order is not here waits for it, through a restart", "[hooks]") {
  hooked_shop all;
  auto order = sample_order();
  order.at = domain::phase::fulfilled;
  order.refunded = 0, order.shipped = false, order.cancel_requested = false;
  order.blocked = order.poisoned = order.paused = false;
  order.next_attempt_ms = 0;
  order.delivery = domain::delivery_status::started;
  const auto id = domain::to_text(domain::id_kind::order, order.id);
  {
    auto api = all.at.api();
    CHECK(send_hook(api, secret, about("evt_1", "charge.refunded", id)).status == 202);
    CHECK(api.get("/v1/orders/" + id).status == 404);
  }
  REQUIRE(all.at.stop() == 0);
  { // it comes by another way: a backup, a shard that moves here
    auto opened = storage::open_rocks({all.at.data_dir().string(), 64ULL << 20});
    auto& disk = *std::get<0>(opened);
    CHECK_FALSE(
      disk.apply({{storage::table::orders, storage::order_key(order.id), storage::encode(order)}}));
  }
  all.at.restart();
  auto api = all.at.api();
  ask_until([&] {
    const auto o = need(api.get("/v1/orders/" + id), 200).json();
    return !o.at("cancellation").is_null();
  });
}
