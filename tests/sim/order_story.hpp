#pragma once
#include "domain/event.hpp"
#include "domain/order.hpp"
#include <functional>
#include <map>
#include <string>

namespace jumun::sim {
/// An order as its events tell it: written anew from API.md alone, so that it can contradict the
/// product's own tables. Fed event by event, it complains about what no order may do; fed all of
/// them, it says what the order's row must say ("replaying events gives the rows", DESIGN §9).
class order_story {
public:
  using complain = std::function<void(std::string code, std::string what)>;

  void hear(const domain::event& e, const complain& no);
  /// Against the row that was written with the last event, or after it.
  void compare(const domain::order& row, const complain& no) const;

  [[nodiscard]] bool cancelled() const { return cancelled_; }
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  [[nodiscard]] std::int64_t kept() const { return captured_ - refunded_; }

private:
  struct line_told {
    int decreased = 0, increased = 0, rejected = 0;
    std::int64_t quantity = 0;
  };
  [[nodiscard]] bool money_is_back() const { return captured_ <= refunded_ + by_hand_; }
  void hear_stock(const domain::event& e, const complain& no);
  void hear_money(const domain::event& e, const complain& no);
  void hear_delivery(const domain::event& e, const complain& no);
  void hear_ending(const domain::event& e, const complain& no);

  std::uint64_t sequence_ = 0;
  std::map<std::string, line_told> lines_; // by SKU; what the events say
  std::size_t held_ = 0;                   // decreased and not increased
  std::int64_t total_ = 0, captured_ = 0, refunded_ = 0, by_hand_ = 0;
  bool voided_ = false, resolved_ = false;
  bool started_ = false, stopped_ = false, picked_up_ = false, delivered_ = false, failed_ = false;
  bool cancelled_ = false, rejected_ = false, completed_ = false;
};
} // namespace jumun::sim
