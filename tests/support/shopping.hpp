#pragma once
#include "tests/support/http_client.hpp"
#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// What a customer, a stock manager and an auditor do, as one line each. All of it blocks, and throws
/// std::runtime_error with the server's own words when an answer is not the one that was due.
namespace jumun::tests {
using nlohmann::json;
using order_lines = std::vector<std::pair<std::string, int>>; // SKU, quantity

inline response must(response r, std::initializer_list<int> allowed) {
  if (std::find(allowed.begin(), allowed.end(), r.status) != allowed.end()) return r;
  throw std::runtime_error("answered " + std::to_string(r.status) + ": " + r.body);
}

inline json order_of(const order_lines& lines, const std::string& token,
  const std::string& customer = "c-1") {
  json body{{"customer_id", customer}, {"payment", {{"method", "card"}, {"token", token}}},
    {"shipping_address", {{"line1", "1 Sejong-daero"}, {"city", "Seoul"}, {"country", "KR"}}}};
  for (const auto& [sku, quantity] : lines)
    body["lines"].push_back({{"sku", sku}, {"quantity", quantity}});
  return body;
}

/// On the menu for `price` won, and `quantity` more of it in stock.
inline void stock_up(client& api, const std::string& sku, int price, int quantity) {
  must(api.put("/v1/products/" + sku,
         {{"name", "the " + sku}, {"unit_price", {{"amount", price}, {"currency", "KRW"}}}}),
    {200, 201});
  if (quantity == 0) return;
  must(api.post("/v1/inventory/" + sku + "/adjustments",
         {{"delta", quantity}, {"reason", "delivery"}}),
    {201});
}

inline std::string path_of(const json& order) {
  return "/v1/orders/" + order.at("id").get<std::string>();
}
inline json place(client& api, const json& body, const headers& with = {}) {
  return must(api.post("/v1/orders", body, with), {201}).json();
}
inline json cancel(client& api, const json& order) {
  return must(api.post(path_of(order) + "/cancellations", json::object()), {200, 202}).json();
}

inline bool has_settled(const json& order) {
  const auto status = order.at("status").get<std::string>();
  for (const char* end : {"rejected", "preparing", "shipped", "delivered", "cancelled"})
    if (status == end) return true;
  return order.at("saga") == "blocked";
}
inline json settle(client& api, const json& order) {
  return api.wait_until(path_of(order), has_settled).json();
}

/// Every row of a list, page by page.
inline std::vector<json> read_all(client& api, const std::string& target) {
  std::vector<json> rows;
  std::string cursor;
  const auto with = target.find('?') == std::string::npos ? "?limit=200" : "&limit=200";
  do {
    const auto at = target + with + (cursor.empty() ? "" : "&cursor=" + cursor);
    const auto page = must(api.get(at), {200}).json();
    rows.insert(rows.end(), page.at("data").begin(), page.at("data").end());
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  return rows;
}

/// What the payment provider has done for one order, by its own books.
struct money {
  int charges = 0, refunds = 0;
  std::int64_t captured = 0, refunded = 0;
  [[nodiscard]] std::int64_t kept() const { return captured - refunded; }
};
inline std::map<std::string, money> read_ledger(client& ops) { // by order id
  std::map<std::string, money> books;
  const auto ledger = must(ops.get("/admin/v1/simulator/ledger"), {200}).json();
  for (const auto& e : ledger.at("data")) {
    auto& m = books[e.at("order_id").get<std::string>()];
    const auto amount = e.at("amount").get<std::int64_t>();
    if (e.at("kind") == "charge") ++m.charges, m.captured += amount;
    if (e.at("kind") == "refund") ++m.refunds, m.refunded += amount;
  }
  return books;
}

struct shelf {
  std::int64_t on_hand = 0, reserved = 0;
};
inline shelf read_shelf(client& api, const std::string& sku) {
  const auto row = must(api.get("/v1/inventory/" + sku), {200}).json();
  return {row.at("on_hand"), row.at("reserved")};
}
} // namespace jumun::tests
