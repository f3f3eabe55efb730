#include "bench/options.hpp"
#include "bench/workloads.hpp"
#include "tests/catch.hpp"
#include <nlohmann/json.hpp>
#include <set>

using namespace jumun::bench;

namespace {
struct parts {
  std::string head;
  nlohmann::json body;
};
/// Fails where the length is not the body's.
parts take_apart(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  REQUIRE(end != std::string_view::npos);
  const auto body = text.substr(end + 4);
  const auto length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  REQUIRE(text.substr(0, end + 2).find(length) != std::string_view::npos);
  return {std::string{text.substr(0, end)}, nlohmann::json::parse(body)};
}
response answer(unsigned status, std::string_view body) { return {status, {}, body, true}; }

options parsed(const std::vector<std::string>& args) {
  auto result = parse_options(args);
  if (const auto* why = std::get_if<no_run>(&result)) FAIL(why->text);
  return std::get<options>(std::move(result));
}
int refused(const std::vector<std::string>& args) {
  const auto result = parse_options(args);
  REQUIRE(std::holds_alternative<no_run>(result));
  return std::get<no_run>(result).exit_code;
}
} // namespace

TEST_CASE("orders are spread over SKUs and customers, and their keys differ", "[bench]") {
  order_form f;
  f.keyed = f.waits = true;
  const auto load = ordering(f, 0);
  std::set<std::string> skus, customers, heads;
  asked about;
  for (int i = 0; i < 2'000; ++i) {
    const auto p = take_apart(load->next(about));
    skus.insert(p.body.at("lines").at(0).at("sku"));
    customers.insert(p.body.at("customer_id"));
    heads.insert(p.head); // they differ in their keys alone
  }
  CHECK(skus.size() == 16);
  CHECK(customers.size() == 1'000);
  CHECK(heads.size() == 2'000);
  CHECK(heads.begin()->find("Prefer: wait=10") != std::string::npos);
  CHECK(load->seen.orders_sent == 2'000);
}

TEST_CASE("an order of many lines has each SKU once", "[bench]") {
  order_form f;
  f.lines = 50, f.skus = 100, f.quantity = 1;
  const auto load = ordering(f, 0);
  std::set<std::string> skus;
  asked about;
  for (int i = 0; i < 100; ++i) {
    const auto p = take_apart(load->next(about));
    std::set<std::string> of_one;
    for (const auto& line : p.body.at("lines")) of_one.insert(line.at("sku"));
    CHECK(of_one.size() == 50);
    skus.insert(of_one.begin(), of_one.end());
  }
  CHECK(skus.size() == 100);
}

TEST_CASE("only a settled order is a good answer to one that waits", "[bench]") {
  order_form f;
  const std::string_view settled = R"({"id":"ord_1","status":"preparing"})",
                         pending = R"({"id":"ord_1","status":"paying"})",
                         rejected = R"({"id":"ord_1","status":"rejected"})";
  for (const bool waits : {true, false}) {
    f.waits = waits;
    const auto load = ordering(f, 0);
    CHECK(load->heard({}, answer(201, settled)) == verdict::good);
    CHECK(load->heard({}, answer(201, pending)) == (waits ? verdict::failed : verdict::good));
    CHECK(load->heard({}, answer(201, rejected)) == (waits ? verdict::failed : verdict::good));
    CHECK(load->heard({}, answer(503, "{}")) == verdict::turned_away);
    CHECK(load->heard({}, answer(429, "{}")) == verdict::turned_away);
    CHECK(load->heard({}, answer(500, "{}")) == verdict::failed);
    CHECK(load->heard({}, answer(504, "{}")) == verdict::failed);
    CHECK(load->seen.orders_accepted == 3);
    CHECK(load->seen.orders_settled == 1);
    CHECK(load->seen.orders_refused == 3); // not the 504: its order may be there
  }
}

TEST_CASE("a mixture is 70 % orders, 20 % reads and 10 % cancellations, each once", "[bench]") {
  const auto load = mixing({}, 0);
  std::map<std::string, int> verbs;
  std::set<std::string> cancelled;
  asked about;
  const std::string body = R"({"id":"ord_1","status":"preparing"})";
  for (int i = 0; i < 10'000; ++i) {
    const std::string text{load->next(about)};
    const bool cancels = text.find("/cancellations") != std::string::npos;
    ++verbs[cancels ? "cancel" : text.substr(0, text.find(' '))];
    if (cancels) CHECK(cancelled.insert(text.substr(0, text.find("\r\n"))).second);
    const auto head =
      "HTTP/1.1 201 Created\r\nLocation: /v1/orders/ord_" + std::to_string(i) + "\r\n\r\n";
    const auto status = cancels ? 202U : text.starts_with("GET") ? 200U : 201U;
    CHECK(load->heard(about, {status, head, body, true}) == verdict::good);
  }
  CHECK(verbs["POST"] == Approx(7'000).margin(300));
  CHECK(verbs["GET"] == Approx(2'000).margin(300));
  CHECK(verbs["cancel"] == Approx(1'000).margin(200));
  CHECK(load->seen.cancels_accepted == cancelled.size());
}

TEST_CASE("the command line says what is measured, and -- what goes to the server", "[bench]") {
  const auto o =
    parsed({"settle", "hot", "-c", "8", "--seconds", "0.5", "--", "--memory-mb", "64"});
  CHECK(o.scenarios == std::vector<std::string>{"settle", "hot"});
  CHECK(o.connections == 8);
  CHECK(o.seconds == 0.5);
  CHECK(o.server_args == std::vector<std::string>{"--memory-mb", "64"});
  CHECK(parsed({}).scenarios.empty());
  CHECK(refused({"--help"}) == 0);
  const std::vector<std::vector<std::string>> wrong{{"sleep"}, {"--connections", "0"},
    {"--connections", "2", "--threads", "3"}, {"--url", "http://127.0.0.1:1"},
    {"--url", "http://127.0.0.1:1", "--ops-url", "http://127.0.0.1:2", "--", "--memory-mb", "64"},
    {"start", "--url", "http://127.0.0.1:1", "--ops-url", "http://127.0.0.1:2"}};
  for (const auto& args : wrong) {
    CAPTURE(args);
    CHECK(refused(args) == 2);
  }
}
