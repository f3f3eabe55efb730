#pragma once
#include "storage/holdings.hpp"

namespace jumun::storage {
/// One broken promise: which (a stable code), where, and what was found.
struct finding {
  std::string code;  // e.g. stock-sum, reserved-sum, double-charge
  std::string where; // a SKU, or a public order id
  std::string what;
};
struct check_report {
  std::vector<finding> findings; // the first `findings_max`
  std::uint64_t findings_total = 0;
  std::uint64_t rows = 0, orders = 0, skus = 0, events = 0;
  /// Claims of shards held here on shards that are not, which could not be compared.
  std::uint64_t elsewhere = 0;
};
inline constexpr std::size_t findings_max = 1'000;
/// One line of the payment provider's ledger, as read from its own file.
struct ledger_line {
  std::string kind; // charge | refund | void
  std::string order_id, payment_id, currency;
  std::int64_t amount = 0;
};

/// Verifies DESIGN §9 over a whole database: stock equations, reservations against open orders,
/// money against the ledger (nullopt: not at hand), states that exclude each other, gapless
/// histories, the feed pointing at real events, the open index, idempotency records, webhooks and
/// their messages, undecodable rows. Blocks; calls `progress(rows done)` about every 10,000 rows;
/// false from it stops the check. Of a cluster's node only the shards that it holds are looked at;
/// `held`: by default what the folder says.
[[nodiscard]] check_report check_store(const store& disk,
  const std::optional<std::vector<ledger_line>>& ledger,
  const std::function<bool(std::uint64_t)>& progress, const std::optional<holdings>& held = {});
} // namespace jumun::storage
