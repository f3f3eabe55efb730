#pragma once
#include "tests/history/client.hpp"
#include <map>
#include <set>

namespace jumun::tests::history {
/// How an order ended, and what its history and the shelves' ledgers say that it did on the way:
/// needed where several ways lead to one end.
struct order_end {
  standing at = standing::none;
  std::string failure, refused_sku;  // of a rejected one
  std::set<std::string> held, moved; // SKUs: by its events; by the ledger
};

/// Looks at everything once the crowd has gone, on a quiet shop. Its reads are calls like others.
class auditor {
public:
  auditor(floor_of_shop& floor, std::uint16_t port) : floor_(floor), port_(port) {}
  /// Blocks until each order is at rest. Throws std::runtime_error when one does not come to rest
  /// within five minutes, or the server breaks.
  void look();

  std::vector<call> reads; // keys as a client's
  std::vector<order_end> ends;

private:
  void look_at_orders(const std::vector<std::uint32_t>& which);
  void take_order(std::uint32_t order, std::int64_t asked_at, const answer& r);
  void look_at_events();
  void look_at_ledgers();
  void look_at_shelves();
  floor_of_shop& floor_;
  const std::uint16_t port_;
  std::vector<std::uint32_t> moving_; // not at rest yet
};

/// The whole run as a story: requests as they were sent, wishes as they took effect, and what
/// orders did on shelves, each with the times between which it must have been. `starts`: the
/// shelves' first state.
[[nodiscard]] story tell(const floor_of_shop& floor, const std::vector<call>& starts,
  const std::vector<recording_client>& crowd, const auditor& audited);
} // namespace jumun::tests::history
