#pragma once
#include "tests/history/floor.hpp"
#include "tests/history/wire.hpp"
#include <random>

namespace jumun::tests::history {
/// One recording client: some requests at once on one connection, each with the times between which
/// it was under way. Sometimes it hangs up in the middle; what it gets no answer to it asks again,
/// or never hears of. One thread.
class recording_client {
public:
  recording_client(floor_of_shop& floor, std::uint16_t number, std::uint64_t seed);
  recording_client(recording_client&&) = default;

  /// Until the day is over.
  void shop();
  /// Asks again for what is still open, until each is answered.
  void finish();

  std::vector<call> reads;       // and counts: what is no wish
  std::vector<sending> sendings; // of wishes
  /// Order keys are `first_order_key` + the order's index in floor.
  static constexpr std::uint32_t first_order_key = 1'000'000;

private:
  struct asked {
    call c;
    wish_ptr of;          // null: a read or a count
    std::int64_t known = unseen; // a read of an order that it follows: in this version before
  };
  struct followed {
    std::uint32_t order;
    std::int64_t version; // as it was seen last
  };
  void ask(std::string request, asked what);
  void send_batch();
  void take(asked& a, const answer& r);
  void take_read(asked& a, const answer& r);
  void take_wish(asked& a, const answer& r);
  void broken(std::size_t from);

  void choose();
  void ask_shelf();
  void ask_count();
  void ask_order(std::uint32_t order);
  void follow(const followed& f);
  void ask_events(std::uint32_t order);
  void send_wish(const wish_ptr& w);
  [[nodiscard]] wish_ptr new_adjustment();
  [[nodiscard]] wish_ptr new_order();
  [[nodiscard]] wish_ptr new_change(std::uint32_t order);
  [[nodiscard]] std::uint32_t some_order();
  [[nodiscard]] std::uint32_t some_shelf();
  std::uint64_t pick(std::uint64_t below) { return chance_() % below; }

  floor_of_shop* floor_;
  std::uint16_t number_;
  std::mt19937_64 chance_;
  std::unique_ptr<wire> line_ = std::make_unique<wire>();
  std::string out_;
  std::vector<asked> batch_;
  std::vector<wish_ptr> again_;
  std::vector<followed> followed_;     // until they have settled
  std::vector<std::int64_t> versions_; // of each shelf, as it was last seen
  bool closing_ = false;
};
} // namespace jumun::tests::history
