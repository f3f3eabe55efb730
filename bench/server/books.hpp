#pragma once
#include "bench/client/control.hpp"
#include "bench/client/workload.hpp"
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jumun::bench {
struct shelf {
  std::int64_t on_hand = 0, reserved = 0, available = 0;
  bool operator==(const shelf&) const = default;
};
/// What the payment provider says that it did.
struct ledger_sums {
  std::uint64_t charges = 0, refunds = 0;
  std::int64_t charged = 0, refunded = 0; // minor units
  bool operator==(const ledger_sums&) const = default;
};
/// What a server says of itself once it is at rest.
struct books {
  std::map<std::string, shelf> stock; // by SKU
  ledger_sums ledger;
  double sagas_open = 0;
};

/// Sums of `GET /admin/v1/simulator/ledger`. Pure. (Half a million lines: not by a JSON tree.)
[[nodiscard]] ledger_sums sums_of_ledger(std::string_view json);
/// The sum of a metric over its labels in the text of `/metrics`; 0: there is none. Pure.
[[nodiscard]] double metric_sum(std::string_view page, std::string_view name);

/// Waits until no saga is in flight (at most `patience`), then reads all. Throws
/// std::runtime_error.
[[nodiscard]] books read_books(
  const control& shop, const control& ops, std::chrono::seconds patience);
/// Sagas that are open now; those of them that a start has yet to wake; those out of memory.
[[nodiscard]] double sagas_open(const control& ops);
[[nodiscard]] double sagas_recovering(const control& ops);
[[nodiscard]] double sagas_dormant(const control& ops);

/// What an order of the load takes and costs.
struct order_price {
  std::int64_t units = 1;
  std::int64_t unit_price = 100;
};
/// What does not add up between two looks, by what the load has seen between: empty when all does.
/// Pure. Each is a sentence with the figures that differ.
[[nodiscard]] std::vector<std::string> disagreements(
  const books& before, const books& after, const tally& seen, const order_price& each);
} // namespace jumun::bench
