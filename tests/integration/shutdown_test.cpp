#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include "tests/support/slowness.hpp"
#include <csignal>

namespace {
using namespace jumun::tests;

/// Asks for `target` of the ops listener until it answers with `status`: probes have no long poll.
response ask_until(client ops, const std::string& target, int status) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto r = ops.get(target);; r = ops.get(target))
    if (r.status == status || std::chrono::steady_clock::now() > deadline) return r;
}
} // namespace

TEST_CASE(
  "SIGTERM answers what is in flight in full, takes nothing new, and exits 0", "[shutdown]") {
  constexpr std::size_t crowd = 12;
  const temp_dir tmp;
  server at{tmp.path() / "data", {"--payment-timeout-ms", "10000"}};
  shop_client shop{at};
  shop.sell("tea", 100, 100);
  std::vector<response> answers;
  std::thread waiting{[&] {
    answers = all_at_once(at, crowd, [](shop_client& each, std::size_t i) {
      placing how;
      how.wait_s = 10;
      how.key = "flight-" + std::to_string(i);
      return each.place("tok_slow_2000", {{"tea", 1}}, how);
    });
  }};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (shop.all_of("/v1/orders?status=paying").size() < crowd
         && std::chrono::steady_clock::now() < deadline) {}
  const auto asked = std::chrono::steady_clock::now();
  CHECK(at.stop() == 0);
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds{30} * slowness);
  waiting.join();
  CHECK_THROWS(at.api().get("/v1/products")); // refused: nobody listens
  CHECK_THROWS(at.ops().get("/livez"));
  for (const auto& r : answers) {
    CAPTURE(r.body);
    REQUIRE(r.status == 201); // durable; its status is what it had come to
    REQUIRE(r.field("connection") == "close");
    REQUIRE(r.json().at("total").at("amount") == 100);
  }
  at.restart();
  shop_client after{at};
  for (std::size_t i = 0; i < crowd; ++i) {
    placing how;
    how.wait_s = 10;
    how.key = "flight-" + std::to_string(i);
    const auto again = after.place("tok_slow_2000", {{"tea", 1}}, how);
    REQUIRE(again.field("idempotency-replayed") == "true");
    CHECK(after.wait_settled(again.json().at("id")).at("status") == "preparing");
  }
  CHECK(after.all_of("/v1/orders").size() == crowd);
  CHECK(after.figures("tea") == "88/0/88");
  CHECK(after.complaints() == texts{});
  CHECK(at.stop() == 0);
  CHECK(run_jumun({"check", at.data_dir().string()}).how.exit_code == 0);
}

TEST_CASE("in the grace after SIGTERM it serves on and says that it is not ready", "[shutdown]") {
  const temp_dir tmp;
  server at{tmp.path() / "data", {"--drain-grace-ms", "1500"}};
  shop_client shop{at};
  shop.sell("tea", 100, 10);
  CHECK(shop.ops.get("/readyz").status == 200);
  at.child().send(SIGTERM);
  const auto not_ready = ask_until(at.ops(), "/readyz", 503);
  CAPTURE(not_ready.body);
  REQUIRE(not_ready.status == 503);
  const auto said = not_ready.json();
  for (const auto& c : said.at("checks")) // and only because of that
    CHECK(c.at("ok") == (c.at("name") != "draining"));
  CHECK(at.ops().get("/livez").status == 200);
  auto late = at.api(); // a client that has not heard yet
  const auto placed = late.post("/v1/orders", order_body("tok_approve", {{"tea", 2}}));
  CHECK(placed.status == 201);
  CHECK(placed.field("connection") == "close");
  CHECK(at.child().wait().exit_code == 0);
  at.restart();
  shop_client after{at};
  CHECK(after.wait_settled(placed.json().at("id")).at("status") == "preparing");
  CHECK(after.figures("tea") == "8/0/8");
}

TEST_CASE("a second SIGTERM ends the grace at once, and loses nothing", "[shutdown]") {
  const temp_dir tmp;
  server at{tmp.path() / "data", {"--drain-grace-ms", "60000"}};
  shop_client shop{at};
  shop.sell("tea", 100, 10);
  const auto id = shop.placed("tok_slow_5000", {{"tea", 2}});
  at.child().send(SIGTERM);
  REQUIRE(ask_until(at.ops(), "/readyz", 503).status == 503);
  at.child().send(SIGTERM);
  CHECK(at.child().wait(std::chrono::seconds{30} * slowness).exit_code == 0);
  at.restart();
  CHECK(shop_client{at}.order(id).at("total").at("amount") == 200);
}

TEST_CASE(
  "stop after stop ends with 0 and a quiet log, with clients idle or mid-order", "[shutdown]") {
  const temp_dir tmp;
  server at{tmp.path() / "data"};
  shop_client{at}.sell("tea", 100, 100);
  for (int i = 0; i < 6; ++i) {
    shop_client idle{at};
    for (int n = 0; n < i; ++n) idle.placed("tok_refund_fails_2", {{"tea", 1}});
    REQUIRE(at.stop() == 0);
    at.restart();
  }
  const auto log = at.log();
  CAPTURE(log);
  CHECK(log.find("actor.fell") == std::string::npos); // to be told to stop is not to fall
  CHECK(log.find("\"level\":\"error\"") == std::string::npos);
}
