#pragma once
#include "bench/client/response.hpp"
#include <cstdint>
#include <string>
#include <string_view>

namespace jumun::bench {
/// What was seen of a whole run, its warm-up included: for the books afterwards. `sent` counts what
/// may have had an effect: everything that left, answered or not.
struct tally {
  std::uint64_t orders_sent = 0;
  std::uint64_t orders_accepted = 0; // 201
  std::uint64_t orders_refused = 0;  // an answer that says: no order was made
  std::uint64_t orders_settled = 0;  // 201 with status preparing: the saga had ended well
  std::uint64_t cancels_sent = 0;
  std::uint64_t cancels_accepted = 0; // 200 or 202
  std::uint64_t cancels_refused = 0;
  std::int64_t restock_sent = 0; // pieces
  std::int64_t restock_done = 0;
  std::int64_t restock_refused = 0;
  std::string odd; // the first answer that nobody expected, for people

  void add(const tally& other);
};

/// What one connection is about.
struct asked {
  unsigned kind = 0;      // the workload's own word
  std::uint64_t what = 0; // the same
};
enum class verdict { good, turned_away /* 429, 503 */, failed };

/// What a load asks, and what it makes of the answers. One for each thread of the load: not
/// thread-safe.
class workload {
public:
  virtual ~workload() = default;
  /// The next request, whole. The view holds until the next call.
  [[nodiscard]] virtual std::string_view next(asked& about) = 0;
  [[nodiscard]] virtual verdict heard(const asked& about, const response& answer) = 0;

  tally seen;
};
} // namespace jumun::bench
