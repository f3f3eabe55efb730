#pragma once
#include "tests/kills/books.hpp"

/// One order, told from all sides once it is settled.
namespace jumun::tests::kills {
struct order_story {
  json end;                 // as it stands
  std::vector<json> events; // its history
  money_moved money;        // by the provider's ledger
  std::map<std::string, std::vector<std::int64_t>> moved; // by SKU: on and off the shelf, in order
  bool is_cancelled = false;                              // its cancellation was accepted
  std::set<std::string> reported;                         // what the courier was thanked for
};

/// The history is gapless, in API.md's order, has each fact once, the inverse of each step that an
/// undone order made, and what was acknowledged. Needs `end` and `events`.
[[nodiscard]] std::vector<std::string> faults_of(const std::string& id, const order_story& s);
/// At most one charge, and only what is kept has been kept. Empty: no fault.
[[nodiscard]] std::string money_fault(const order_story& s);
/// Off the shelf once and, undone, on it again. Empty: no fault.
[[nodiscard]] std::string stock_fault(const order_story& s);
} // namespace jumun::tests::kills
