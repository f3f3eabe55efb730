#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

/// The payment provider fails, on purpose: breaker, bulkhead, bound, drain, and the faults' API.
namespace {
using namespace jumun::tests;

constexpr const char* target = "/admin/v1/faults/payment-provider";
constexpr int enough = 25; // orders whose failures open the breaker

struct shop_with_faults : open_shop {
  explicit shop_with_faults(const std::vector<std::string>& more = {}) : open_shop(with(more)) {
    shop().sell("tea", 4'500, 1'000);
  }
  shop_client& shop() { return *shop_; }
  void kill_and_restart() {
    at.kill9();
    at.restart();
    shop_.emplace(at); // on other ports
  }

  json breaker() { return need(shop().ops.get("/admin/v1/breakers"), 200).json().at("data").at(0); }
  void break_provider(const std::string& mode) {
    need(shop().ops.put(target, {{"mode", mode}}), 200);
  }
  void heal_provider() { need(shop().ops.send("DELETE", target), 204); }
  std::vector<std::string> place(int n) {
    std::vector<std::string> ids;
    for (int i = 0; i < n; ++i) ids.push_back(shop().placed("tok_approve", {{"tea", 1}}));
    return ids;
  }
  void await_breaker(const std::string& state) {
    ask_until([&] { return breaker().at("state") == state; });
  }
  /// Orders whose failures open it; all of them were accepted.
  std::vector<std::string> open_breaker(const std::string& mode) {
    break_provider(mode);
    auto ids = place(enough);
    await_breaker("open");
    return ids;
  }
  /// Accepted while it was open, so that nothing was ever asked for it.
  std::string place_waiting() {
    const auto id = place(1).at(0);
    const auto o = shop().wait_for(id, [](const json& o) { return o.at("saga") == "waiting"; });
    CHECK(o.at("status") == "paying");
    return id;
  }
  void check_paid_once(const std::vector<std::string>& ids) {
    for (const auto& id : ids) CHECK(shop().wait_settled(id).at("status") == "preparing");
    const auto book = shop().ledger();
    for (const auto& id : ids) {
      const auto of = [&](const json& line) { return line.at("order_id") == id; };
      CHECK(std::count_if(book.begin(), book.end(), of) == 1);
    }
    CHECK(shop().complaints() == texts{});
  }

private:
  std::optional<shop_client> shop_{at};
  static std::vector<std::string> with(std::vector<std::string> more) {
    more.emplace_back("--enable-faults");
    return more;
  }
};
const std::vector<std::string> stays_open{"--breaker-open-ms", "60000"};
} // namespace

TEST_CASE(
  "while the payment provider is down orders wait; once it is back each is paid once", "[outage]") {
  const auto* mode = GENERATE("error", "timeout");
  CAPTURE(mode);
  shop_with_faults t{{"--breaker-open-ms", "200", "--payment-timeout-ms", "100"}};
  auto ids = t.open_breaker(mode);
  for (int i = 0; i < 5; ++i) ids.push_back(t.place_waiting());
  const auto saga = need(t.shop().ops.get("/admin/v1/sagas/" + ids.back()), 200).json();
  CHECK(saga.at("saga") == "waiting");
  CHECK(saga.at("explain").get<std::string>().find("has not been answering since 20")
        != std::string::npos);
  CHECK(saga.at("attempts") == 0);
  CHECK(need(t.shop().ops.get("/readyz"), 200).json().at("status") == "ready");
  const auto b = t.breaker();
  CHECK(b.at("name") == "payment-provider");
  CHECK(b.at("waiting").get<int>() > 0);
  CHECK(b.at("opened_total").get<int>() > 0);
  t.heal_provider();
  t.check_paid_once(ids);
  t.await_breaker("closed");
}

TEST_CASE("past the bound on waiting orders a new one gets 503, and all else goes on", "[outage]") {
  auto args = stays_open;
  args.insert(args.end(), {"--max-waiting-orders", "30"});
  shop_with_faults t{args};
  const auto ids = t.open_breaker("error");
  const auto waiting = t.place_waiting();
  auto refused = t.shop().place("tok_approve", {{"tea", 1}});
  int accepted = enough + 1;
  for (; refused.status == 201; ++accepted) refused = t.shop().place("tok_approve", {{"tea", 1}});
  CHECK(accepted == 30);
  CHECK(refused.status == 503);
  CHECK(refused.json().at("code") == "overloaded");
  CHECK(refused.field("retry-after") == "1");
  // Reads go on; the last order's goods may follow its answer by a moment.
  ask_until([&] { return t.shop().stock("tea").at("reserved") == 30; });
  // Nothing was asked for it, so nothing must be made void: it is cancelled with the breaker open.
  CHECK(t.shop().order(waiting).at("payment").at("status") == "none");
  need(t.shop().cancel(waiting), 202);
  CHECK(t.shop().wait_for(waiting, "cancelled").at("saga") == "done");
  CHECK(t.shop().money(waiting) == money_moved{});
  ask_until([&] { return t.shop().place("tok_approve", {{"tea", 1}}).status == 201; });
  CHECK(t.breaker().at("state") == "open");
  // Of one whose charge may have left nobody knows: its cancellation waits for the provider.
  need(t.shop().cancel(ids.at(0)), 202);
  CHECK(t.shop()
          .wait_for(ids.at(0), [](const json& o) { return o.at("saga") == "waiting"; })
          .at("status")
        == "cancelling");
}

TEST_CASE("a refund waits for the provider, and is not blocked by that", "[outage]") {
  shop_with_faults t{{"--breaker-open-ms", "2000"}};
  const auto sold = t.place(1).at(0);
  t.shop().wait_for(sold, "preparing");
  t.open_breaker("error");
  need(t.shop().cancel(sold), 202);
  const auto o = t.shop().wait_for(sold, [](const json& o) { return o.at("saga") == "waiting"; });
  CHECK(o.at("status") == "cancelling");
  const auto blocked = need(t.shop().ops.get("/admin/v1/sagas?state=blocked"), 200).json();
  CHECK(blocked.at("data").empty());
  t.heal_provider();
  CHECK(t.shop().wait_for(sold, "cancelled").at("payment").at("status") == "refunded");
  CHECK(t.shop().money(sold) == money_moved{1, 1, 0, 0});
}

TEST_CASE("orders that wait for the provider survive kill -9", "[outage]") {
  shop_with_faults t{{"--breaker-open-ms", "2000"}};
  auto ids = t.open_breaker("error");
  for (int i = 0; i < 5; ++i) ids.push_back(t.place_waiting());
  t.kill_and_restart(); // and with that the fault is gone
  CHECK(need(t.shop().ops.get("/admin/v1/faults"), 200).json().at("data").empty());
  t.check_paid_once(ids);
}

TEST_CASE("the queue drains at a bounded rate", "[outage]") {
  shop_with_faults t{{"--breaker-open-ms", "200", "--drain-rate", "20"}};
  const auto ids = t.open_breaker("error");
  t.heal_provider();
  t.check_paid_once(ids);
  std::set<std::string> times;
  for (const auto& line : t.shop().ledger()) times.insert(line.at("time").get<std::string>());
  const auto seconds = [](const std::string& t) { return std::stod(t.substr(17, 6)); };
  auto span = seconds(*times.rbegin()) - seconds(*times.begin());
  if (span < 0) span += 60;
  CHECK(span > 1.0); // 25 orders, 20 a second at the most; unbounded, they take a tenth of this
}

TEST_CASE("cards that time out don't open the breaker for everybody", "[outage]") {
  // Long enough that a busy machine's simulator answers an inquiry in time: only cards are to fail.
  open_shop at{{"--payment-timeout-ms", "400"}};
  auto shop = at.client();
  shop.sell("tea", 4'500, 100);
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(shop.placed("tok_timeout", {{"tea", 1}}));
  for (int i = 0; i < 4; ++i) ids.push_back(shop.placed("tok_unknown_charged", {{"tea", 1}}));
  for (std::size_t i = 0; i < 4; ++i) { // as often as a card's failures count, and once more
    ask_until([&] {
      const auto types = shop.event_types(ids[i]);
      return std::count(types.begin(), types.end(), "PaymentOutcomeUnknown") > 3;
    });
    need(shop.cancel(ids[i]), 202);
  }
  for (const auto& id : ids) shop.wait_settled(id);
  const auto b = need(shop.ops.get("/admin/v1/breakers"), 200).json().at("data").at(0);
  CHECK(b.at("opened_total") == 0);
  CHECK(b.at("held_back_total") == 0);
}

TEST_CASE("faults are there only with --enable-faults", "[outage]") {
  open_shop at;
  auto shop = at.client();
  CHECK(shop.ops.get("/admin/v1/faults").status == 404);
  CHECK(shop.ops.put(target, {{"mode", "error"}}).status == 404);
  CHECK(shop.ops.send("DELETE", target).status == 404);
}

TEST_CASE("a fault is set, listed and taken away by API", "[outage]") {
  shop_with_faults t;
  auto& ops = t.shop().ops;
  const auto faults = [&] { return need(ops.get("/admin/v1/faults"), 200).json().at("data"); };
  CHECK(faults().empty());
  const json set =
    need(ops.put(target, {{"mode", "slow"}, {"delay_ms", 5}, {"rate", 0.5}}), 200).json();
  CHECK(set
        == json{{"target", "payment-provider"}, {"mode", "slow"}, {"delay_ms", 5}, {"rate", 0.5},
          {"count", nullptr}});
  CHECK(faults() == json::array({set}));
  CHECK(ops.send("DELETE", target).status == 204);
  CHECK(ops.send("DELETE", target).status == 204);
  CHECK(faults().empty());
  const auto deeds = need(ops.get("/admin/v1/audit"), 200).json().at("data"); // newest first
  CHECK(shop_client::each(deeds, "action") == texts{"fault.clear", "fault.clear", "fault.set"});
  CHECK(deeds.at(2).at("target") == "payment-provider");
  CHECK(ops.put("/admin/v1/faults/moon", {{"mode", "slow"}}).status == 404);
  CHECK(ops.send("DELETE", "/admin/v1/faults/moon").status == 404);
  const std::pair<json, std::string> bad[] = {
    {json::object(), "/mode"},
    {{{"mode", "melt"}}, "/mode"},
    {{{"mode", "slow"}}, "/delay_ms"},
    {{{"mode", "slow"}, {"delay_ms", -1}}, "/delay_ms"},
    {{{"mode", "error"}, {"rate", 1.5}}, "/rate"},
    {{{"mode", "error"}, {"rate", "all"}}, "/rate"},
    {{{"mode", "error"}, {"count", 0}}, "/count"},
    {{{"mode", "error"}, {"colour", "red"}}, "/colour"},
  };
  for (const auto& [body, pointer] : bad) {
    CAPTURE(body.dump());
    const auto r = need(ops.put(target, body), 422).json();
    CHECK(r.at("code") == "validation-failed");
    CHECK(r.at("errors").at(0).at("pointer") == pointer);
  }
  CHECK(faults().empty());
}

TEST_CASE("each fault does what it says, as often as it says", "[outage]") {
  shop_with_faults t{{"--payment-timeout-ms", "100"}};
  auto& ops = t.shop().ops;
  const auto once = [&](const std::string& where, json fault) {
    fault["count"] = 1;
    need(ops.put("/admin/v1/faults/" + where, fault), 200);
    const auto id = t.place(1).at(0);
    const auto o = t.shop().wait_settled(id);
    CHECK(need(ops.get("/admin/v1/faults"), 200).json().at("data").empty()); // used up
    return o;
  };
  CHECK(
    once("payment-provider", {{"mode", "decline"}}).at("failure").at("code") == "payment-declined");
  const auto unknown = [&](const json& o) {
    const auto types = t.shop().event_types(o.at("id"));
    CHECK(o.at("status") == "preparing");
    CHECK(t.shop().money(o.at("id")).charges == 1);
    return std::count(types.begin(), types.end(), "PaymentOutcomeUnknown");
  };
  CHECK(unknown(once("payment-provider", {{"mode", "error"}})) == 1);
  CHECK(unknown(once("payment-provider", {{"mode", "timeout"}})) == 1);
  CHECK(unknown(once("payment-provider", {{"mode", "timeout_after_charge"}})) == 1);
  CHECK(unknown(once("payment-provider", {{"mode", "slow"}, {"delay_ms", 1}})) == 0);
  CHECK(once("delivery", {{"mode", "decline"}}).at("failure").at("code") == "delivery-refused");
  CHECK(once("delivery", {{"mode", "error"}}).at("status") == "preparing");
  CHECK(once("journal", {{"mode", "slow"}, {"delay_ms", 1}}).at("status") == "preparing");
  CHECK(t.shop().complaints() == texts{});
}
