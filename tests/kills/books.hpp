#pragma once
#include "tests/support/shop_client.hpp"
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

/// What was asked and what was answered, as the crowd saw it: the oracle that the books are held
/// against. One epoch's, then forgotten.
namespace jumun::tests::kills {
/// One request as it is repeated until it is answered: always the same bytes.
struct call {
  std::string method = "POST", target, key, body; // no key: it is not repeated
  std::string if_match = {};                      // empty: none
  bool waits = false;                             // Prefer: wait=1
  bool is_admin = false;                          // on the ops listener
};
[[nodiscard]] response send(client& api, client& ops, const call& c);
/// Not answered yet: the same is to be asked again.
[[nodiscard]] bool to_be_asked_again(const response& r);

struct told {
  call asked;
  int status = 0;
  std::string body, etag;
};

/// How a request ended that has no key. Unknown: the server died before it answered.
enum class outcome : std::uint8_t { done, refused, unknown };

struct placed_order {
  std::string id;
  json fixed; // the part of it that never changes
};
/// That part of an order: id, customer, lines, total, creation, payment.
[[nodiscard]] json fixed_part(const json& order);

struct adjusted {
  std::string sku;
  std::int64_t delta = 0;
  bool operator==(const adjusted&) const = default;
};
struct counted { // PUT /v1/inventory/{sku}; no two of an epoch count the same
  std::string sku;
  std::int64_t on_hand = 0;
  outcome how = outcome::unknown;
};
struct acted { // an operator's; no two of an epoch have the same reason
  std::string order, action, reason;
  outcome how = outcome::unknown;
};

/// One person's. Only their own thread touches it until that has ended.
struct book {
  std::vector<told> keyed;
  std::vector<placed_order> orders;
  std::set<std::string> cancelled;                       // orders whose cancellation was accepted
  std::map<std::string, adjusted> adjustments;           // by reference
  std::map<std::string, std::set<std::string>> reported; // order → what the courier told of it
  std::vector<counted> counts;
  std::vector<acted> acts;
};

/// What the crowd and its killer share.
class board {
public:
  using clock = std::chrono::steady_clock;
  std::atomic<bool> is_dying{false}; // the server is told to end, or killed: breaks are in order
  std::atomic<int> in_flight{0};     // requests without an answer

  void answered();
  /// False: `within` was over first, or something is wrong.
  bool wait_for_answers(std::uint64_t enough, std::chrono::milliseconds within);
  [[nodiscard]] std::uint64_t answers() const;
  void begin_life(); // counts answers from 0

  void report(const std::string& what); // the first 20 are kept
  [[nodiscard]] std::vector<std::string> wrong() const;

  void placed(const std::string& order);
  /// One of the newest 48; empty: there is none yet.
  [[nodiscard]] std::string recent(std::uint64_t chance) const;
  [[nodiscard]] std::uint64_t orders() const;

  /// The order is on its way, until it is seen at rest.
  void opened(const std::string& order);
  void at_rest(const std::string& order);
  /// One of the eight that are on their way for longest; empty: none is.
  [[nodiscard]] std::string long_open(std::uint64_t chance) const;
  /// For how long the oldest is on its way.
  [[nodiscard]] std::chrono::milliseconds oldest_open() const;

private:
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::uint64_t answers_ = 0, orders_ = 0, opened_ = 0;
  std::vector<std::string> wrong_;
  std::deque<std::string> recent_;
  std::map<std::uint64_t, std::pair<clock::time_point, std::string>> open_; // oldest first
  std::map<std::string, std::uint64_t> number_of_;
};
} // namespace jumun::tests::kills
