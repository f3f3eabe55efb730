#pragma once
#include "tests/support/http_client.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// What the people around a shop do, over HTTP and by API.md alone.
namespace jumun::tests {
using nlohmann::json;
using texts = std::vector<std::string>;
using order_lines = std::vector<std::pair<std::string, std::int64_t>>; // SKU, quantity

inline json krw(std::int64_t amount) { return {{"amount", amount}, {"currency", "KRW"}}; }

/// The answer, where it has the status that was wanted; throws otherwise.
inline response need(response r, int status) {
  if (r.status != status)
    throw std::runtime_error(
      "wanted " + std::to_string(status) + ", got " + std::to_string(r.status) + ": " + r.body);
  return r;
}

/// What the simulator's ledger holds of one order.
struct money_moved {
  int charges = 0, refunds = 0, voids = 0;
  std::int64_t kept = 0; // minor units: charged − refunded
  bool operator==(const money_moved&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, const money_moved& m) {
  return out << m.charges << " charges, " << m.refunds << " refunds, " << m.voids << " voids, "
             << m.kept << " kept";
}

struct placing {
  std::string customer = "c-42";
  std::string country = "KR";
  int wait_s = 0;                // Prefer: wait; 0: none
  std::string key = {};          // Idempotency-Key; empty: one of its own
  json expected_total = nullptr; // null: none
};
inline json order_body(
  const std::string& token, const order_lines& lines, const placing& how = {}) {
  json body{{"customer_id", how.customer}, {"payment", {{"method", "card"}, {"token", token}}},
    {"shipping_address",
      {{"line1", "1 Sejong-daero"}, {"city", "Seoul"}, {"country", how.country}}}};
  body["lines"] = json::array();
  for (const auto& [sku, quantity] : lines)
    body["lines"].push_back({{"sku", sku}, {"quantity", quantity}});
  if (!how.expected_total.is_null()) body["expected_total"] = how.expected_total;
  return body;
}
inline headers with_key(const std::string& key) {
  return key.empty() ? headers{} : headers{{"Idempotency-Key", key}};
}

/// One connection to each listener; one per thread. Every call blocks; what is not as wanted
/// throws.
class shop_client {
public:
  explicit shop_client(const server& at) : api(at.api()), ops(at.ops()) {}
  client api, ops;

  // -- the staff
  json put_product(const std::string& sku, std::int64_t price) {
    const auto r =
      api.put("/v1/products/" + sku, {{"name", "The " + sku}, {"unit_price", krw(price)}});
    if (r.status != 200 && r.status != 201) need(r, 201);
    return r.json();
  }
  response adjust(const std::string& sku, std::int64_t delta, const std::string& key = {}) {
    return api.post("/v1/inventory/" + sku + "/adjustments",
      {{"delta", delta}, {"reason", "goods in"}}, with_key(key));
  }
  void sell(const std::string& sku, std::int64_t price, std::int64_t pieces) {
    put_product(sku, price);
    if (pieces > 0) need(adjust(sku, pieces), 201);
  }
  json stock(const std::string& sku) { return need(api.get("/v1/inventory/" + sku), 200).json(); }
  /// `on_hand/reserved/available`, to be compared at a glance.
  std::string figures(const std::string& sku) {
    const auto s = stock(sku);
    return s.at("on_hand").dump() + "/" + s.at("reserved").dump() + "/" + s.at("available").dump();
  }
  response report(
    const std::string& order_id, const std::string& status, const std::string& key = {}) {
    const auto dlv = order(order_id).at("delivery").at("id").get<std::string>();
    return api.post("/v1/deliveries/" + dlv + "/updates", {{"status", status}}, with_key(key));
  }

  // -- the customer
  response place(const std::string& token, const order_lines& lines, const placing& how = {}) {
    auto fields = with_key(how.key);
    if (how.wait_s > 0) fields["Prefer"] = "wait=" + std::to_string(how.wait_s);
    return api.post("/v1/orders", order_body(token, lines, how), fields);
  }
  std::string placed(const std::string& token, const order_lines& lines, const placing& how = {}) {
    return need(place(token, lines, how), 201).json().at("id");
  }
  response cancel(const std::string& id, const std::string& key = {}) {
    return api.post(path(id) + "/cancellations", {{"reason", "changed my mind"}}, with_key(key));
  }

  // -- who looks
  static std::string path(const std::string& id) { return "/v1/orders/" + id; }
  json order(const std::string& id) { return need(api.get(path(id)), 200).json(); }
  json wait_for(const std::string& id, const std::string& status) {
    return wait_for(id, [&](const json& o) { return o.at("status") == status; });
  }
  json wait_for(const std::string& id, const std::function<bool(const json&)>& enough) {
    return api.wait_until(path(id), enough).json();
  }
  /// Until the saga is at rest, or blocked.
  json wait_settled(const std::string& id) {
    return wait_for(id, [](const json& o) {
      static const std::set<std::string> at{
        "rejected", "preparing", "shipped", "delivered", "cancelled"};
      return o.at("saga") == "blocked" || at.count(o.at("status").get<std::string>()) > 0;
    });
  }
  json history(const std::string& id) {
    return need(api.get(path(id) + "/events"), 200).json().at("data");
  }
  texts event_types(const std::string& id) { return each(history(id), "type"); }
  static texts each(const json& rows, const std::string& field) {
    texts all;
    for (const auto& row : rows) all.push_back(row.at(field).get<std::string>());
    return all;
  }
  money_moved money(const std::string& order_id) { return money_in(ledger(), order_id); }
  json ledger() { return need(ops.get("/admin/v1/simulator/ledger"), 200).json().at("data"); }

  /// Every row of a paged list, `limit` at a time, by next_cursor.
  json all_of(const std::string& target, int limit = 200) {
    const auto first = target + (target.find('?') == std::string::npos ? "?" : "&")
                       + "limit=" + std::to_string(limit);
    auto rows = json::array();
    for (std::string cursor;;) {
      const auto page =
        need(api.get(first + (cursor.empty() ? "" : "&cursor=" + cursor)), 200).json();
      for (const auto& row : page.at("data")) rows.push_back(row);
      if (page.at("next_cursor").is_null()) return rows;
      cursor = page.at("next_cursor");
    }
  }

  /// What is wrong with the money and the stock, told from outside: the ledger against the orders,
  /// the movements against the shelves, the histories against themselves. Empty is as it must be.
  texts complaints() {
    texts wrong;
    const auto book = ledger();
    bool all_at_rest = true;
    for (const auto& o : all_of("/v1/orders")) complain_of_order(o, book, wrong, all_at_rest);
    for (const auto& s : all_of("/v1/inventory")) complain_of_stock(s, wrong, all_at_rest);
    return wrong;
  }

private:
  static money_moved money_in(const json& book, const std::string& order_id) {
    money_moved m;
    for (const auto& line : book) {
      if (line.at("order_id") != order_id) continue;
      const auto amount = line.at("amount").get<std::int64_t>();
      if (line.at("kind") == "charge") ++m.charges, m.kept += amount;
      if (line.at("kind") == "refund") ++m.refunds, m.kept -= amount;
      if (line.at("kind") == "void") ++m.voids;
    }
    return m;
  }
  void complain_of_order(const json& o, const json& book, texts& wrong, bool& all_at_rest) {
    const auto id = o.at("id").get<std::string>(), status = o.at("status").get<std::string>();
    const auto m = money_in(book, id);
    const auto total = o.at("total").at("amount").get<std::int64_t>();
    const bool kept = status == "preparing" || status == "shipped" || status == "delivered";
    const bool undone = status == "rejected" || status == "cancelled";
    all_at_rest = all_at_rest && (kept || undone);
    if (m.charges > 1) wrong.push_back(id + " was charged twice");
    if (kept && m.kept != total) wrong.push_back(id + " is " + status + " and not paid");
    if (undone && m.kept != 0) wrong.push_back(id + " is " + status + " and its money is kept");
    std::uint64_t expected = 0;
    for (const auto& e : history(id))
      if (e.at("sequence") != ++expected) wrong.push_back(id + ": a gap in its history");
  }
  void complain_of_stock(const json& s, texts& wrong, bool all_at_rest) {
    const auto sku = s.at("sku").get<std::string>();
    const auto n = [&](const char* name) { return s.at(name).get<std::int64_t>(); };
    if (n("on_hand") != n("available") + n("reserved")) wrong.push_back(sku + ": figures differ");
    if (n("on_hand") < 0 || n("reserved") < 0 || n("available") < 0)
      wrong.push_back(sku + ": below zero");
    if (all_at_rest && n("reserved") != 0) wrong.push_back(sku + ": reserved for nobody");
    std::int64_t sum = 0;
    for (const auto& m : all_of("/v1/inventory/" + sku + "/movements"))
      sum += m.at("delta").get<std::int64_t>();
    if (sum != n("on_hand")) wrong.push_back(sku + ": its movements do not add up");
  }
};

/// For what no order's long poll tells: asks again, a round trip each time, until `enough`.
inline void ask_until(const std::function<bool()>& enough) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!enough())
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("it never came");
}
/// The same for what takes its time: until nothing is left, for as long as it becomes less.
inline void ask_while_less(const std::function<std::size_t()>& left) {
  for (auto before = left(); before > 0;)
    ask_until([&] {
      const auto now = left();
      return now < std::exchange(before, std::min(before, now));
    });
}

/// A server on a folder of its own.
struct open_shop {
  temp_dir dir;
  server at;
  explicit open_shop(std::vector<std::string> args = {})
      : at(dir.path() / "data", std::move(args)) {}
  [[nodiscard]] shop_client client() const { return shop_client{at}; }
};

/// The same request from `n` threads with a connection each, let go together. Answers in no order.
inline std::vector<response> all_at_once(
  const server& at, std::size_t n, const std::function<response(shop_client&, std::size_t)>& ask) {
  std::vector<response> answers(n);
  std::vector<std::thread> crowd;
  for (std::size_t i = 0; i < n; ++i)
    crowd.emplace_back([&, i] {
      try {
        shop_client each{at};
        answers[i] = ask(each, i);
      } catch (const std::exception& broken) {
        answers[i].body = broken.what(); // status 0: no answer came
      }
    });
  for (auto& one : crowd) one.join();
  return answers;
}
} // namespace jumun::tests
