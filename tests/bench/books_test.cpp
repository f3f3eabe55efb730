#include "bench/server/books.hpp"
#include "tests/catch.hpp"
#include <functional>

using namespace jumun::bench;

namespace {
constexpr order_price each{2, 100};

/// Before: 1,000 cups on each of two shelves. Then 10 orders of two cups; one was cancelled after
/// it had been paid.
struct day {
  books before, after;
  tally seen;
};
day sound_day() {
  day d;
  d.before.stock = {{"bench-000", {1'000, 0, 1'000}}, {"bench-001", {1'000, 0, 1'000}}};
  d.before.ledger = {5, 1, 1'000, 200}; // of the day before
  d.after.stock = {{"bench-000", {990, 0, 990}}, {"bench-001", {992, 0, 992}}};
  d.after.ledger = {15, 2, 3'000, 400};
  d.seen.orders_sent = d.seen.orders_accepted = d.seen.orders_settled = 10;
  d.seen.cancels_sent = d.seen.cancels_accepted = 1;
  return d;
}
std::vector<std::string> after(const std::function<void(day&)>& change) {
  auto d = sound_day();
  change(d);
  return disagreements(d.before, d.after, d.seen, each);
}
} // namespace

TEST_CASE("books that add up have nothing wrong", "[bench]") {
  CHECK(after([](day&) {}) == std::vector<std::string>{});
  // What was not answered may have happened, or not.
  CHECK(after([](day& d) { ++d.seen.orders_sent; }).empty());
  CHECK(after([](day& d) { --d.seen.orders_accepted, --d.seen.orders_settled; }).empty());
  CHECK(after([](day& d) { ++d.seen.orders_sent, ++d.seen.orders_refused; }).empty());
  CHECK(after([](day& d) { ++d.seen.cancels_sent, ++d.seen.cancels_refused; }).empty());
  // New stock, of which one piece was not acknowledged.
  CHECK(after([](day& d) {
    d.seen.restock_sent = 5, d.seen.restock_done = 4;
    d.after.stock["bench-000"] = {994, 0, 994};
  }).empty());
  CHECK(after([](day& d) {
    d.seen.restock_sent = 5, d.seen.restock_done = 4;
    d.after.stock["bench-000"] = {995, 0, 995};
  }).empty());
}

TEST_CASE("every figure that is wrong turns the books red", "[bench]") {
  const std::vector<std::pair<const char*, std::function<void(day&)>>> planted{
    {"a saga in flight", [](day& d) { d.after.sagas_open = 1; }},
    {"a reserved piece",
      [](day& d) {
        d.after.stock["bench-000"] = {990, 1, 989};
      }},
    {"less available", [](day& d) { d.after.stock["bench-000"].available = 989; }},
    {"a piece sold twice",
      [](day& d) {
        d.after.stock["bench-000"] = {991, 0, 991};
      }},
    {"a piece lost",
      [](day& d) {
        d.after.stock["bench-001"] = {991, 0, 991};
      }},
    {"below nothing",
      [](day& d) {
        d.after.stock["bench-000"] = {-1, 0, -1};
      }},
    {"a double charge", [](day& d) { ++d.after.ledger.charges, d.after.ledger.charged += 200; }},
    {"a charge lost", [](day& d) { --d.after.ledger.charges, d.after.ledger.charged -= 200; }},
    {"a wrong amount", [](day& d) { d.after.ledger.charged += 1; }},
    {"a refund lost", [](day& d) { --d.after.ledger.refunds, d.after.ledger.refunded -= 200; }},
    {"an order lost, with its stock and its money",
      [](day& d) {
        --d.after.ledger.charges, d.after.ledger.charged -= 200;
        d.after.stock["bench-000"] = {992, 0, 992};
      }},
    {"a cancellation without effect, and nobody noticed",
      [](day& d) {
        --d.after.ledger.refunds, d.after.ledger.refunded -= 200;
        d.after.stock["bench-000"] = {988, 0, 988};
      }},
    {"an order out of nothing", [](day& d) { d.seen.orders_sent = d.seen.orders_accepted = 9; }},
    {"stock that was acknowledged and lost",
      [](day& d) { d.seen.restock_sent = d.seen.restock_done = 1; }},
    {"stock that nobody brought",
      [](day& d) {
        d.seen.restock_sent = d.seen.restock_done = 1;
        d.after.stock["bench-000"] = {992, 0, 992};
      }},
  };
  for (const auto& [what, change] : planted) {
    CAPTURE(what);
    CHECK_FALSE(after(change).empty());
  }
}

TEST_CASE("the ledger's lines and the metrics are summed as they are written", "[bench]") {
  const auto sums = sums_of_ledger(
    R"({"data":[{"kind":"charge","order_id":"ord_1","payment_id":"pay_1","amount":200,"currency":"KRW"},)"
    R"({"kind":"void","order_id":"ord_2","payment_id":"pay_2","amount":0,"currency":"KRW"},)"
    R"({"kind":"refund","order_id":"ord_1","payment_id":"pay_1","amount":150,"currency":"KRW"},)"
    R"({"kind":"charge","order_id":"ord_3","payment_id":"pay_3","amount":7,"currency":"KRW"}]})");
  CHECK(sums == ledger_sums{2, 1, 207, 150});
  CHECK(sums_of_ledger(R"({"data":[]})") == ledger_sums{});

  const std::string_view page = "# HELP jumun_sagas_open Sagas.\n# TYPE jumun_sagas_open gauge\n"
                                "jumun_sagas_open{state=\"running\"} 12\n"
                                "jumun_sagas_open{state=\"waiting\"} 30\n"
                                "jumun_sagas_open_ever 99\njumun_actors 5";
  CHECK(metric_sum(page, "jumun_sagas_open") == 42);
  CHECK(metric_sum(page, "jumun_actors") == 5);
  CHECK(metric_sum(page, "jumun_absent") == 0);
}
