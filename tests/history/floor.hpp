#pragma once
#include "tests/history/history.hpp"
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

/// What a crowd of recording clients shares.
namespace jumun::tests::history {
/// Nanoseconds of the one clock of a run.
[[nodiscard]] inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
    std::chrono::steady_clock::now().time_since_epoch())
    .count();
}

struct order_line {
  std::uint32_t shelf = 0; // its key in the story
  std::int64_t quantity = 0;
};

/// One POST as it is sent until it is answered, by whoever: always the same bytes.
struct wish {
  std::uint64_t number = 0; // its Idempotency-Key
  action what = action::adjust;
  std::string request;
  std::uint32_t shelf = 0;   // adjust
  std::uint32_t order = 0;   // cancel, report: index in floor
  std::int64_t quantity = 0; // adjust, report
  std::array<order_line, 2> lines{}; // place; the second may be none
};
using wish_ptr = std::shared_ptr<const wish>;

/// One sending of a wish; `heard` holds the times and the answer.
struct sending {
  wish_ptr what;
  call heard;
  std::uint32_t order = UINT32_MAX; // place: index in floor
  std::uint64_t body_digest = 0;    // place: to be compared with reads of the order
};

/// An order that somebody was told of.
struct known_order {
  std::string id, delivery;
  std::array<order_line, 2> lines{};
};

class floor_of_shop {
public:
  floor_of_shop(std::vector<std::string> skus, std::size_t orders_max);

  [[nodiscard]] const std::vector<std::string>& skus() const { return skus_; }

  // -- the server, which may be gone for a while
  void open(std::uint16_t port);
  void shut();
  /// Blocks while it is shut. 0: the day is over.
  [[nodiscard]] std::uint16_t port();
  void end_day();
  [[nodiscard]] bool over() const { return over_; }

  // -- orders
  /// The index of the order with this id, known before or not. UINT32_MAX: there is no more room.
  std::uint32_t learn(std::string_view id, std::string_view delivery, const wish& of);
  [[nodiscard]] std::uint32_t orders() const { return count_; }
  [[nodiscard]] const known_order& order(std::uint32_t index) const { return orders_[index]; }
  [[nodiscard]] bool full() const { return count_ + 1'000 >= orders_.size(); }

  // -- wishes that several clients send at once
  void show(wish_ptr w);
  [[nodiscard]] wish_ptr shown(std::uint64_t chance);
  [[nodiscard]] std::uint64_t next_number() { return ++numbers_; }

  std::atomic<std::uint64_t> sent{0}, answered{0}, cut{0}; // requests
  void complain(const std::string& what);
  [[nodiscard]] std::vector<std::string> complaints();

private:
  std::vector<std::string> skus_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_{false};
  std::vector<known_order> orders_; // never grows: read without a lock up to count_
  std::atomic<std::uint32_t> count_{0};
  std::unordered_map<std::string, std::uint32_t> by_id_;
  std::array<wish_ptr, 16> shown_;
  std::size_t next_shown_ = 0;
  std::atomic<std::uint64_t> numbers_{0};
  std::vector<std::string> complaints_;
};
} // namespace jumun::tests::history
