#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <thread>

// The real binary is killed with SIGKILL at random moments, under a crowd that repeats what got no
// answer. JUMUN_KILLS=1000 makes it a soak test; JUMUN_SEED repeats a failed run's choices.
namespace {
using namespace jumun::tests;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// One POST as it is repeated until it is answered: always the same bytes.
struct wish {
  std::string target, key, body;
  bool waits = false; // Prefer: wait
};
struct told {
  wish asked;
  response answer;
};

/// What the crowd and its killer share.
struct scene {
  std::mutex guard;
  std::condition_variable changed;
  std::size_t answers = 0; // in this life of the server
  std::vector<std::string> wrong;
  void answered() {
    const std::lock_guard lock{guard};
    ++answers;
    changed.notify_all();
  }
  void report(const std::string& what) {
    const std::lock_guard lock{guard};
    wrong.push_back(what);
  }
};

constexpr std::chrono::seconds back_off_max{400}; // of an inverse: 5 min, and some

const std::vector<std::string> menu{"tea", "coffee", "cake", "soup", "rice"};

/// A client that orders, changes its mind and refills shelves, on one connection, one at a time.
class customer {
public:
  customer(std::uint64_t seed, int number)
      : chance_(seed + static_cast<unsigned>(number) * 7919U),
        name_("c-" + std::to_string(number)) {}

  /// Until the server dies, or `done`.
  void shop(std::uint16_t port, scene& at, const std::atomic<bool>& done) {
    client api{port};
    try {
      while (!done) {
        if (!open_) open_ = next_wish();
        if (take(send(api, *open_), at)) at.answered();
      }
    } catch (const unlike_contract& what) {
      at.report(what.what());
    } catch (const std::runtime_error&) {
      // The connection broke: the wish stays open, and is repeated in the server's next life.
    }
  }
  /// Repeats what is still open until it is answered.
  void finish(client& api, scene& at) {
    for (int tries = 0; open_ && tries < 20; ++tries) take(send(api, *open_), at);
    if (open_) at.report("never answered: " + open_->target);
  }

  static response send(client& api, const wish& w) {
    headers with{{"Idempotency-Key", w.key}};
    if (w.waits) with["Prefer"] = "wait=1";
    return api.send("POST", w.target, w.body, with);
  }

  std::vector<told> answered;
  std::vector<json> orders;                     // as they were acknowledged
  std::set<std::string> cancelled;              // ids whose cancellation was accepted
  std::map<std::string, std::int64_t> received; // by SKU

private:
  std::uint64_t pick(std::uint64_t below) { return chance_() % below; }

  wish next_wish() {
    const auto key = name_ + "-" + std::to_string(++wishes_);
    const auto what = pick(100);
    if (what < 15) {
      const json body{{"delta", 1 + pick(30)}, {"reason", "delivery"}, {"reference", key}};
      return {"/v1/inventory/" + menu[pick(menu.size())] + "/adjustments", key, body.dump()};
    }
    if (what < 40 && !orders.empty()) {
      // Mostly a recent one, so that it is still on its way.
      const auto recent = std::min<std::size_t>(orders.size(), 3);
      const auto& order = orders[orders.size() - 1 - pick(recent)];
      return {shop_client::path(order.at("id")) + "/cancellations", key,
        R"({"reason":"changed my mind"})"};
    }
    static const std::vector<std::string> tokens{"tok_approve", "tok_approve", "tok_approve",
      "tok_decline", "tok_unknown_charged", "tok_flaky_1", "tok_slow_50", "tok_refund_fails_1"};
    order_lines lines;
    for (auto n = 1 + pick(3); n > 0; --n)
      lines.emplace_back(menu[pick(menu.size())], 1 + static_cast<int>(pick(4)));
    return {"/v1/orders", key, order_body(tokens[pick(tokens.size())], lines, {name_}).dump(),
      pick(4) == 0};
  }

  /// False: that was no answer yet, the same is to be asked again.
  bool take(response r, scene& at) {
    const auto w = *open_;
    if (r.status == 503 || r.status == 504) return false;
    if (r.status == 409 && r.json().at("code") == "idempotency-key-running") return false;
    open_.reset();
    if (w.target == "/v1/orders" && r.status == 201) {
      orders.push_back(r.json());
    } else if (w.target.ends_with("/cancellations") && (r.status == 202 || r.status == 200)) {
      cancelled.insert(r.json().at("order_id").get<std::string>());
    } else if (w.target.ends_with("/adjustments") && r.status == 201) {
      received[r.json().at("sku").get<std::string>()] += r.json().at("delta").get<std::int64_t>();
    } else if (!w.target.ends_with("/cancellations") || r.status != 409) {
      at.report(w.target + " answered " + std::to_string(r.status) + ": " + r.body);
    }
    answered.push_back({w, std::move(r)});
    return true;
  }

  std::mt19937_64 chance_;
  std::string name_;
  std::uint64_t wishes_ = 0;
  std::optional<wish> open_;
};

/// The part of an order that never changes.
json fixed_part(const json& order) {
  return {order.at("id"), order.at("customer_id"), order.at("lines"), order.at("total"),
    order.at("created_at"), order.at("payment").at("id")};
}
void check_order(client& api, const json& acknowledged) {
  const auto now = api.get(shop_client::path(acknowledged.at("id")));
  CAPTURE(acknowledged.dump(), now.body);
  REQUIRE(now.status == 200);
  REQUIRE(fixed_part(now.json()) == fixed_part(acknowledged));
}
void check_replay(client& api, const told& t) {
  const auto again = customer::send(api, t.asked);
  CAPTURE(t.asked.target, t.asked.key, t.asked.body, t.answer.status);
  REQUIRE(again.status == t.answer.status);
  REQUIRE(again.body == t.answer.body);
  REQUIRE(again.field("idempotency-replayed") == "true");
}

struct counts {
  std::map<std::string, std::size_t> of;
  std::vector<std::string> order;
  explicit counts(const std::vector<json>& events) {
    for (const auto& e : events) {
      order.push_back(e.at("type").get<std::string>());
      ++of[order.back()];
    }
  }
  std::size_t operator[](const std::string& type) const {
    const auto found = of.find(type);
    return found == of.end() ? 0 : found->second;
  }
  /// Every `first` comes before every `second`.
  [[nodiscard]] bool before(const std::string& first, const std::string& second) const {
    const auto early = std::find(order.begin(), order.end(), second);
    return std::find(early, order.end(), first) == order.end();
  }
};

/// Gapless, in API.md's order, and the inverse of each step that an undone order made is there.
void check_history(const json& order, const std::vector<json>& events) {
  CAPTURE(order.dump(), json(events).dump());
  for (std::size_t i = 0; i < events.size(); ++i) {
    REQUIRE(events[i].at("sequence") == i + 1);
    REQUIRE(events[i].at("partitionkey") == order.at("id"));
  }
  const counts c{events};
  CHECK(c.order.front() == "OrderPlaced");
  CHECK(c["OrderPlaced"] == 1);
  CHECK(c["PaymentApproved"] <= 1);
  CHECK(c["DeliveryStarted"] <= 1);
  CHECK(c.before("StockDecreased", "PaymentApproved"));
  CHECK(c.before("PaymentApproved", "DeliveryStarted"));
  if (order.at("status") == "preparing") {
    CHECK(c["StockDecreased"] == order.at("lines").size());
    CHECK(c["PaymentApproved"] == 1);
    CHECK(c["DeliveryStarted"] == 1);
    CHECK(c["StockIncreased"] + c["PaymentCanceled"] + c["DeliveryCanceled"] == 0);
    return;
  }
  const bool is_cancelled = order.at("status") == "cancelled";
  CHECK(c["OrderCanceled"] == (is_cancelled ? 1U : 0U));
  CHECK(c["OrderRejected"] == (is_cancelled ? 0U : 1U));
  CHECK(c["StockIncreased"] == c["StockDecreased"]);
  CHECK(c["DeliveryCanceled"] == c["DeliveryStarted"]);
  CHECK(c["PaymentCanceled"] >= c["PaymentApproved"]);
  CHECK(c.before("OrderCanceled", "DeliveryCanceled"));
  CHECK(c.before("DeliveryCanceled", "PaymentCanceled"));
  CHECK(c.before("PaymentCanceled", "StockIncreased"));
}

/// The feed tells each event of each history once, and of one key in order.
void check_feed(client& api, std::map<std::string, std::size_t> events_of) {
  std::map<std::string, std::set<std::uint64_t>> seen;
  for (const std::string topic : {"orders", "payments", "inventory", "deliveries"}) {
    std::map<std::string, std::uint64_t> last;
    std::string after;
    for (;;) {
      const auto page = need(api.get("/v1/events?limit=200&topic=" + topic + after), 200).json();
      for (const auto& e : page.at("data")) {
        const auto key = e.at("partitionkey").get<std::string>();
        const auto sequence = e.at("sequence").get<std::uint64_t>();
        CAPTURE(topic, e.dump());
        REQUIRE(sequence > last[key]);
        last[key] = sequence;
        REQUIRE(seen[key].insert(sequence).second);
      }
      if (page.at("data").empty() || page.at("next_cursor").is_null()) break;
      after = "&after=" + page.at("next_cursor").get<std::string>();
    }
  }
  for (const auto& [key, sequences] : seen) {
    CAPTURE(key);
    REQUIRE(sequences.size() == *sequences.rbegin()); // distinct, and up to the last: gapless
    if (key.starts_with("ord_")) REQUIRE(sequences.size() == events_of[key]);
    events_of.erase(key);
  }
  CHECK(events_of.empty()); // of no order is the feed silent
}

/// The provider's books: at most one charge an order, and only what is kept has been kept.
void check_money(shop_client& shop, const std::map<std::string, json>& settled) {
  std::map<std::string, money_moved> books;
  const auto ledger = shop.ledger();
  for (const auto& line : ledger) {
    auto& m = books[line.at("order_id").get<std::string>()];
    const auto amount = line.at("amount").get<std::int64_t>();
    if (line.at("kind") == "charge") ++m.charges, m.kept += amount;
    if (line.at("kind") == "refund") ++m.refunds, m.kept -= amount;
  }
  for (const auto& [id, m] : books) {
    CAPTURE(id, m);
    REQUIRE(settled.count(id) == 1);
    REQUIRE(m.charges <= 1);
  }
  for (const auto& [id, order] : settled) {
    const bool kept = order.at("status") == "preparing";
    CAPTURE(order.dump(), books[id]);
    REQUIRE(books[id].kept == (kept ? order.at("total").at("amount").get<std::int64_t>() : 0));
  }
}

/// Everything that must hold once all orders have settled.
void check_books(shop_client& shop, const std::vector<customer>& crowd) {
  std::set<std::string> acknowledged;
  std::map<std::string, std::int64_t> on_hand;
  std::map<std::string, std::size_t> events_of;
  std::map<std::string, json> settled;
  for (const auto& who : crowd) {
    for (const auto& [sku, quantity] : who.received) on_hand[sku] += quantity;
    for (const auto& order : who.orders) {
      const auto id = order.at("id").get<std::string>();
      REQUIRE(acknowledged.insert(id).second); // two keys never made one order
      // Not just settled: the simulator counts a refund's failures anew in each life, so that some
      // have spent their budget and are blocked. They must heal by themselves.
      const auto end = shop.api
                         .wait_until(
                           shop_client::path(id),
                           [](const json& o) { return o.at("saga") == "done"; }, back_off_max)
                         .json();
      CAPTURE(end.dump());
      if (who.cancelled.count(id) != 0) REQUIRE(end.at("status") == "cancelled");
      if (end.at("status") == "preparing")
        for (const auto& line : end.at("lines"))
          on_hand[line.at("sku").get<std::string>()] -= line.at("quantity").get<std::int64_t>();
      const auto events = shop.history(id);
      events_of[id] = events.size();
      check_history(end, events);
      settled[id] = end;
    }
  }
  std::set<std::string> listed;
  for (const auto& order : shop.all_of("/v1/orders"))
    listed.insert(order.at("id").get<std::string>());
  CHECK(listed == acknowledged); // a repeated wish made no second order
  check_money(shop, settled);
  for (const auto& sku : menu) {
    const auto now = shop.stock(sku);
    CAPTURE(sku);
    CHECK(now.at("reserved") == 0);
    CHECK(now.at("on_hand") == on_hand[sku]);
  }
  check_feed(shop.api, std::move(events_of));
}
} // namespace

TEST_CASE(
  "kill -9 at any moment loses nothing that was answered, and undoes nothing twice", "[kill]") {
  const auto kills = number_from("JUMUN_KILLS", 12);
  const auto seed = number_from("JUMUN_SEED", std::random_device{}());
  CAPTURE(seed);
  std::mt19937_64 chance{seed};
  const temp_dir tmp;
  server shop{tmp.path() / "data", {"--payment-timeout-ms", "150"}};
  for (const auto& sku : menu) shop_client{shop}.sell(sku, 100, 0);
  std::vector<customer> crowd;
  for (int i = 0; i < 6; ++i) crowd.emplace_back(seed, i);
  scene at;
  for (std::uint64_t life = 1; life <= kills; ++life) {
    CAPTURE(life);
    at.answers = 0;
    const auto enough = 1 + chance() % 150;
    const std::chrono::microseconds then{chance() % 5'000};
    const std::atomic<bool> never{false};
    std::vector<std::thread> threads;
    for (auto& who : crowd) threads.emplace_back([&] { who.shop(shop.public_port(), at, never); });
    {
      std::unique_lock lock{at.guard};
      CHECK(at.changed.wait_for(lock, patience, [&] { return at.answers >= enough; }));
    }
    std::this_thread::sleep_for(then); // waits for nothing: it only picks the moment
    shop.kill9();
    for (auto& t : threads) t.join();
    shop.restart();
    auto api = shop.api();
    for (const auto& who : crowd) { // the newest are those that the kill could have taken
      for (auto i = who.orders.size(); i > 0 && who.orders.size() - i < 20; --i)
        check_order(api, who.orders[i - 1]);
      for (auto i = who.answered.size(); i > 0 && who.answered.size() - i < 5; --i)
        check_replay(api, who.answered[i - 1]);
    }
    CAPTURE(shop.log());
    REQUIRE(at.wrong == std::vector<std::string>{});
  }
  auto api = shop.api();
  std::size_t orders = 0;
  for (auto& who : crowd) {
    who.finish(api, at);
    orders += who.orders.size();
    for (const auto& order : who.orders) check_order(api, order);
  }
  REQUIRE(at.wrong == std::vector<std::string>{});
  REQUIRE(orders > kills); // or nothing was tried
  shop_client auditor{shop};
  check_books(auditor, crowd);
  for (const auto& who : crowd)
    for (const auto& t : who.answered) check_replay(api, t);
  CHECK(shop.stop() == 0);
  const auto checked = run_jumun({"check", shop.data_dir().string()});
  CAPTURE(checked.out, checked.err);
  CHECK(checked.how.exit_code == 0);
}

TEST_CASE("after kill -9 each order goes on from where it stood", "[kill][recovery]") {
  const temp_dir tmp;
  server at{tmp.path() / "data", {"--payment-timeout-ms", "500"}};
  std::string slow, flaky, silent, refunding, at_rest;
  {
    shop_client shop{at};
    shop.sell("tea", 100, 100);
    at_rest = shop.placed("tok_approve", {{"tea", 1}});
    refunding = shop.placed("tok_refund_fails_3", {{"tea", 2}});
    shop.wait_for(refunding, "preparing");
    shop.wait_for(at_rest, "preparing");
    slow = shop.placed("tok_slow_1200", {{"tea", 3}});
    silent = shop.placed("tok_timeout", {{"tea", 4}});
    flaky = shop.placed("tok_flaky_3", {{"tea", 5}});
    shop.wait_for(slow, "paying");
    shop.wait_for(flaky, [](const json& o) { return o.at("status") != "reserving"; });
    // In its back-off, if the long poll is quick enough to see one of the three.
    need(shop.cancel(refunding), 202);
    shop.wait_for(refunding,
      [](const json& o) { return o.at("saga") == "waiting" || o.at("status") == "cancelled"; });
    CHECK(shop.order(silent).at("status") == "paying");
  }
  at.kill9();
  at.restart();
  shop_client shop{at};
  need(shop.cancel(silent), 202); // it would ask on and on: what waits can be cancelled
  CHECK(shop.wait_for(silent, "cancelled").at("payment").at("status") == "voided");
  CHECK(shop.wait_for(slow, "preparing").at("saga") == "done");
  CHECK(shop.wait_for(flaky, "preparing").at("saga") == "done");
  CHECK(shop.wait_for(refunding, "cancelled").at("payment").at("status") == "refunded");
  need(shop.report(at_rest, "picked_up"), 200); // its saga is revived for that
  need(shop.report(at_rest, "delivered"), 200);
  CHECK(shop.order(at_rest).at("status") == "delivered");
  CHECK(shop.figures("tea") == "91/0/91");
  CHECK(shop.complaints() == texts{});
  CHECK(at.stop() == 0);
  CHECK(run_jumun({"check", at.data_dir().string()}).how.exit_code == 0);
}
