#pragma once
#include "domain/stock.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/order_story.hpp"
#include "tests/sim/provider.hpp"
#include <set>

namespace jumun::sim {
/// One broken promise.
struct violation {
  std::string code, what;
  bool operator==(const violation&) const = default;
};

/// An executable model of the shop, fed with every batch that lands on the disk and with every call
/// that leaves the process: the invariants of DESIGN §9, checked at each commit and not only at the
/// end. It shares rows' codecs with the product, and none of its decisions.
class shop_model final : public disk_observer {
public:
  void lands(const std::vector<storage::entry>& batch, const storage::store& before) override;
  /// A call to the provider leaves now: what owes it must be durable (DESIGN §4).
  void call_leaves(
    std::string_view what, const actors::provider_charge& c, const storage::store& durable);
  void wrong(std::string code, std::string what);

  [[nodiscard]] const std::vector<violation>& violations() const { return violations_; }
  /// Of all rows that have landed, byte for byte.
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
  void mark(std::string_view bytes);
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// The shop has several nodes, and so several feeds: offsets rise in each shard, and no more.
  void several_feeds() { one_feed_ = false; }
  /// A line for each event that lands; empty: nobody reads it.
  std::function<void(std::string)> trace;

private:
  struct shelf { // of one SKU, by its movements and reservations
    std::int64_t on_hand = 0, reserved = 0;
    std::uint64_t movements = 0, sequence = 0;
    std::int64_t unmoved = 0; // by reservations, what movements for orders have still to say
  };
  void land_order(const storage::entry& e, const storage::store& before);
  void land_reservation(const storage::entry& e, const storage::store& before);
  void land_movement(const storage::entry& e);
  void land_stock(const storage::entry& e, const storage::store& before);
  void land_payment(const storage::entry& e, const storage::store& before);
  void land_delivery(const storage::entry& e, const storage::store& before);
  void land_event(const storage::entry& e);
  void land_feed(const storage::entry& e);
  void follow_offsets();
  void compare_touched();
  /// The newest row under this key: of this batch, or of before it.
  [[nodiscard]] std::optional<std::string> newest(
    const storage::entry& e, const storage::store& before) const;

  std::map<std::string, order_story> stories_; // by order id
  std::map<std::string, shelf> shelves_;
  std::map<std::string, domain::order> touched_orders_; // of this batch
  std::map<std::string, domain::stock> touched_stock_;
  std::map<std::pair<storage::table, std::string>, std::string> landed_; // of this batch
  std::map<std::string, int> fed_; // history keys in this batch
  struct fed_at {
    std::uint64_t offset = 0;
    domain::shard_id shard = 0;
    auto operator<=>(const fed_at&) const = default;
  };
  std::vector<fed_at> offsets_; // of this batch
  bool one_feed_ = true;
  std::uint64_t events_ = 0, last_offset_ = 0;
  std::map<domain::shard_id, std::uint64_t> last_of_shard_;
  std::uint64_t fingerprint_ = 14695981039346656037ULL;
  std::vector<violation> violations_;
};
} // namespace jumun::sim
