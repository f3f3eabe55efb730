#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

/// The Idempotency-Key of API.md, from outside: same key and same body, same answer.
namespace {
using namespace jumun::tests;

/// `again` is `first` over again, byte for byte, and says so.
void check_replayed(const response& first, const response& again) {
  CAPTURE(first.body, again.body);
  CHECK(again.status == first.status);
  CHECK(again.body == first.body);
  CHECK(again.field("content-type") == first.field("content-type"));
  CHECK(again.field("etag") == first.field("etag"));
  CHECK(again.field("location") == first.field("location"));
  CHECK(again.field("idempotency-replayed") == "true");
}
struct tea_shop : open_shop {
  tea_shop() { client().sell("tea", 4'500, 100); }
};
/// A request under one key, to be sent again and again.
using request = std::function<response(shop_client&)>;

/// The newest order, once there are `n`; its own answer may still be long in coming.
std::string newest_of(shop_client& c, std::size_t n) {
  ask_until([&] { return c.all_of("/v1/orders").size() == n; });
  return c.all_of("/v1/orders").at(0).at("id");
}
} // namespace

TEST_CASE("an order's first answer comes back byte for byte, whatever became of the order",
  "[idempotency]") {
  const tea_shop shop;
  auto c = shop.client();
  for (const int wait_s : {0, 20}) {
    CAPTURE(wait_s);
    const auto ask = [&] {
      return c.place(
        "tok_approve", {{"tea", 2}}, {.wait_s = wait_s, .key = "k" + std::to_string(wait_s)});
    };
    const auto first = need(ask(), 201);
    CHECK(first.field("idempotency-replayed").empty());
    CHECK(first.field("etag") == '"' + first.json().at("version").dump() + '"');
    check_replayed(first, ask());
    const auto id = first.json().at("id").get<std::string>();
    c.wait_settled(id);
    check_replayed(first, ask());
    CHECK(c.cancel(id).status == 202);
    c.wait_for(id, "cancelled");
    check_replayed(first, ask());
    // Prefer is no part of the request's identity.
    check_replayed(first, c.place("tok_approve", {{"tea", 2}},
                            {.wait_s = 20 - wait_s, .key = "k" + std::to_string(wait_s)}));
  }
  CHECK(c.all_of("/v1/orders").size() == 2);
  CHECK(c.complaints() == texts{});
}

TEST_CASE("every keyed answer is the same after SIGTERM and after kill -9", "[idempotency]") {
  tea_shop shop;
  auto c = std::make_unique<shop_client>(shop.at);
  const auto to_cancel = c->placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  const auto to_ship = c->placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  const std::vector<request> all{
    [](shop_client& s) {
      return s.place("tok_approve", {{"tea", 2}}, {.key = "one"});
    },
    [](shop_client& s) {
      return s.place("tok_decline", {{"tea", 2}}, {.wait_s = 20, .key = "two"});
    },
    [](shop_client& s) { return s.adjust("tea", 7, "three"); },
    [](shop_client& s) { return s.adjust("tea", -1'000, "four"); }, // 409
    [](shop_client& s) {
      return s.place("tok_approve", {{"none", 1}}, {.key = "five"});
    }, // 422
    [=](shop_client& s) { return s.cancel(to_cancel, "six"); },
    [=](shop_client& s) { return s.report(to_ship, "picked_up", "seven"); },
    [=](shop_client& s) { return s.cancel(to_ship, "eight"); }, // 409
  };
  const std::vector<int> wanted{201, 201, 201, 409, 422, 202, 200, 409};
  std::vector<response> first;
  for (const auto& ask : all) first.push_back(ask(*c));
  const auto check_all = [&](const std::string& when) {
    c = std::make_unique<shop_client>(shop.at);
    for (std::size_t i = 0; i < all.size(); ++i) {
      CAPTURE(when, i);
      CHECK(first[i].status == wanted[i]);
      CHECK(first[i].field("idempotency-replayed").empty());
      check_replayed(first[i], all[i](*c));
    }
  };
  check_all("at once");
  c->wait_for(to_cancel, "cancelled");
  c.reset();
  CHECK(shop.at.stop() == 0);
  shop.at.restart();
  check_all("after SIGTERM");
  c.reset();
  shop.at.kill9();
  shop.at.restart();
  check_all("after kill -9");
  CHECK(c->all_of("/v1/orders").size() == 4);
  const auto movements = c->all_of("/v1/inventory/tea/movements");
  CHECK(std::count_if(movements.begin(), movements.end(), [](const json& m) {
    return m.at("delta") == 7;
  }) == 1);
  CHECK(c->complaints() == texts{});
}

TEST_CASE(
  "a key with another body is 422 idempotency-key-reused, and does nothing", "[idempotency]") {
  const tea_shop shop;
  auto c = shop.client();
  const auto id = need(c.place("tok_approve", {{"tea", 2}}, {.wait_s = 20, .key = "k"}), 201)
                    .json()
                    .at("id")
                    .get<std::string>();
  need(c.adjust("tea", 5, "k"), 201);
  need(c.report(id, "picked_up", "k"), 200);
  const auto reused = [](const response& r) {
    CAPTURE(r.body);
    CHECK(r.status == 422);
    CHECK(r.field("content-type") == "application/problem+json");
    CHECK(r.json().at("code") == "idempotency-key-reused");
    CHECK(r.field("idempotency-replayed").empty());
  };
  reused(c.place("tok_approve", {{"tea", 3}}, {.wait_s = 20, .key = "k"}));
  reused(c.place("tok_approve", {{"none", 1}}, {.key = "k"})); // also where it breaks another rule
  reused(c.api.send("POST", "/v1/orders", "{", {{"Idempotency-Key", "k"}}));
  reused(c.adjust("tea", 6, "k"));
  reused(c.report(id, "delivered", "k"));
  CHECK(c.all_of("/v1/orders").size() == 1);
  CHECK(c.order(id).at("status") == "shipped");
  CHECK(c.figures("tea") == "103/0/103");
}

TEST_CASE(
  "a deterministic 4xx is the answer for good, even when it would now succeed", "[idempotency]") {
  const tea_shop shop;
  auto c = shop.client();
  const auto id = c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20});
  struct refusal {
    std::string code;
    int status;
    request ask;
    std::function<void()> then; // what would let it pass
  };
  const auto price = [](shop_client& s) {
    return s.place("tok_approve", {{"tea", 1}}, {.key = "p", .expected_total = krw(5'000)});
  };
  const std::vector<refusal> table{
    {"insufficient-stock", 409, [](shop_client& s) { return s.adjust("tea", -150, "s"); },
      [&] { need(c.adjust("tea", 500), 201); }},
    {"price-changed", 409, price, [&] { c.put_product("tea", 5'000); }},
    {"validation-failed", 422,
      [](shop_client& s) {
        return s.place("tok_approve", {{"milk", 1}}, {.key = "u"});
      },
      [&] { c.sell("milk", 1'000, 5); }},
    {"validation-failed", 422, [](shop_client& s) { return s.adjust("tea", 0, "z"); }, [] {}},
    {"malformed-json", 400,
      [](shop_client& s) {
        return s.api.send("POST", "/v1/orders", "[", {{"Idempotency-Key", "m"}});
      },
      [] {}},
    {"invalid-transition", 409, [&](shop_client& s) { return s.report(id, "picked_up", "late"); },
      [] {}},
    {"not-cancellable", 409, [&](shop_client& s) { return s.cancel(id, "c"); }, [] {}},
  };
  need(c.report(id, "delivered"), 200);
  for (const auto& row : table) {
    CAPTURE(row.code);
    const auto first = row.ask(c);
    CAPTURE(first.body);
    CHECK(first.status == row.status);
    if (row.code != "invalid-transition") CHECK(first.json().at("code") == row.code);
    row.then();
    check_replayed(first, row.ask(c));
  }
  CHECK(c.all_of("/v1/orders").size() == 1);
  CHECK(c.complaints() == texts{});
}

TEST_CASE(
  "eight at once with one key make one order, and all hear of the same one", "[idempotency]") {
  const tea_shop shop;
  auto c = shop.client();
  int round = 0;
  for (const auto& [token, wait_s] :
    {std::pair{"tok_approve", 0}, {"tok_approve", 20}, {"tok_slow_300", 20}, {"tok_decline", 20}}) {
    const auto key = "crowd-" + std::to_string(++round);
    CAPTURE(key);
    const placing how{.wait_s = wait_s, .key = key};
    const auto answers = all_at_once(shop.at, 8, [&, t = token](shop_client& each, std::size_t) {
      return each.place(t, {{"tea", 1}}, how);
    });
    const auto settled = c.place(token, {{"tea", 1}}, how);
    std::size_t firsts = 0;
    for (const auto& r : answers) {
      CAPTURE(r.body);
      CHECK(r.status == 201); // nothing here runs for 5 s: nobody needs to hear 409
      CHECK(r.body == settled.body);
      firsts += r.field("idempotency-replayed").empty() ? 1U : 0U;
    }
    CHECK(firsts == 1);
    CHECK(c.all_of("/v1/orders").size() == static_cast<std::size_t>(round));
  }
  const auto moved = all_at_once(
    shop.at, 8, [](shop_client& each, std::size_t) { return each.adjust("tea", 9, "crowd"); });
  for (const auto& r : moved) {
    CHECK(r.status == 201);
    CHECK(r.body == moved[0].body);
  }
  CHECK(c.complaints() == texts{});
}

TEST_CASE("while the first is still running the second waits, then hears 409 and Retry-After",
  "[idempotency]") {
  const tea_shop shop;
  auto c = shop.client();
  const placing how{.wait_s = 30, .key = "slow"};
  response first;
  std::thread asks{[&] { first = shop.client().place("tok_slow_60000", {{"tea", 1}}, how); }};
  const auto id = newest_of(c, 1); // there before its answer is
  const auto second = c.place("tok_slow_60000", {{"tea", 1}}, how);
  CHECK(second.status == 409);
  CHECK_FALSE(second.field("retry-after").empty());
  CHECK(second.json().at("code") != "idempotency-key-reused");
  CHECK(c.place("tok_slow_60000", {{"tea", 2}}, how).status == 422); // that needs no waiting
  CHECK(c.cancel(id).status == 202);
  asks.join();
  CHECK(first.status == 201);
  CHECK(first.json().at("status") == "cancelled");
  check_replayed(first, c.place("tok_slow_60000", {{"tea", 1}}, how)); // 409-running was not kept
  CHECK(c.all_of("/v1/orders").size() == 1);
}

TEST_CASE("a key's scope is the path: elsewhere it is another request", "[idempotency]") {
  const tea_shop shop;
  auto c = shop.client();
  c.sell("milk", 1'000, 10);
  CHECK(c.adjust("tea", 5, "k").status == 201);
  const auto other = c.adjust("milk", 5, "k");
  CHECK(other.status == 201);
  CHECK(other.field("idempotency-replayed").empty());
  const auto one = c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20, .key = "k"});
  const auto two = c.placed("tok_approve", {{"tea", 1}}, {.wait_s = 20, .key = "k2"});
  CHECK(one != two);
  for (const auto& id : {one, two}) {
    const auto r = c.cancel(id, "k");
    CHECK(r.status == 202);
    CHECK(r.field("idempotency-replayed").empty());
    c.wait_for(id, "cancelled");
  }
  CHECK(c.figures("tea") == "105/0/105");
  CHECK(c.figures("milk") == "15/0/15");
  CHECK(c.api
          .post("/v1/orders", order_body("tok_approve", {{"tea", 1}}),
            {{"Idempotency-Key", std::string(300, 'k')}})
          .status
        == 400);
}

TEST_CASE("killed before its answer, an order is found again under its key", "[idempotency]") {
  tea_shop shop;
  struct retry {
    std::string name;
    bool other_price;
    int wait_s;
  };
  std::size_t orders = 0;
  for (const auto& how : {retry{"as-it-was", false, 1}, retry{"without-Prefer", false, 0},
         retry{"after-the-price-has-changed", true, 1}}) {
    CAPTURE(how.name);
    const placing as{.wait_s = how.wait_s, .key = how.name, .expected_total = krw(4'500)};
    std::string cut_off;
    std::thread asks{[&] {
      auto waiting = as;
      waiting.wait_s = 30;
      try {
        (void)shop.client().place("tok_slow_60000", {{"tea", 1}}, waiting);
      } catch (const std::exception& e) {
        cut_off = e.what();
      }
    }};
    auto seen = shop.client();
    const auto id = newest_of(seen, ++orders);
    shop.at.kill9();
    asks.join();
    CHECK_FALSE(cut_off.empty());
    shop.at.restart();
    auto c = shop.client();
    if (how.other_price) c.put_product("tea", 9'999);
    const auto r = c.place("tok_slow_60000", {{"tea", 1}}, as);
    CAPTURE(r.body);
    CHECK(c.all_of("/v1/orders").size() == orders);
    CHECK(r.status == 201);
    if (r.status == 201) {
      CHECK(r.json().at("id") == id);
      CHECK(r.field("location") == c.path(id));
    }
    check_replayed(r, c.place("tok_slow_60000", {{"tea", 1}}, as));
    CHECK(c.cancel(id).status == 202);
    c.wait_for(id, "cancelled");
    CHECK(c.complaints() == texts{});
  }
}
