#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What clients asked and what they were told, so that a checker can say whether one thing after
/// another could have answered so. README.md has the file format.
namespace jumun::tests::history {
/// Kinds of operation. The last of each group is seen by nobody: an order's own work on a shelf,
/// known by how the order ended, at a moment that only has bounds.
enum class action : std::uint8_t {
  // of stock/<sku>
  start,      // what a shelf held before anybody came
  adjust,     // quantity: the delta
  count,      // quantity: what was counted; if_version
  read_stock, // version, on_hand, reserved
  read_menu,  // version, available
  reserve,    // hidden; quantity, group: the order
  refuse,     // hidden; a reservation that found too little; status 410: nothing was left
  commit,     // hidden; what was reserved left the shelf
  release,    // hidden; what was reserved is free again
  restock,    // hidden; what had left came back
  // of order/<id>
  place,      // version, seen, digest
  read_order, // version, seen, digest
  cancel,     // version
  report,     // quantity: the standing that the courier reports; version
  events,     // quantity: how many; digest: of the whole chain
  // of key/<idempotency key>
  attempt, // digest: of status and body; replayed
};

/// An order's `status`. `none`: there is no such order yet.
enum class standing : std::uint8_t {
  none,
  pending,
  reserving,
  paying,
  paid,
  preparing,
  shipped,
  delivered,
  rejected,
  cancelling,
  cancelled,
};

constexpr std::int64_t never = INT64_MAX; // nobody knows whether it has happened, or will
constexpr std::int64_t unseen = -1;

/// One call and its answer. Times are nanoseconds of one monotonic clock.
struct call {
  std::uint32_t key = 0; // index in story::keys
  action what = action::read_stock;
  standing seen = standing::none;
  bool replayed = false;
  std::uint16_t client = 0;
  std::uint16_t status = 0; // HTTP; 0: no answer
  std::uint32_t group = 0;  // 0: none
  std::int64_t invoked = 0, returned = never;
  std::int64_t quantity = 0, if_version = unseen;
  std::int64_t version = unseen, on_hand = unseen, reserved = unseen, available = unseen;
  std::uint64_t digest = 0; // 0: not seen
  bool operator==(const call&) const = default;

  [[nodiscard]] bool answered() const { return status != 0; }
  [[nodiscard]] bool hidden() const { return what >= action::reserve && what <= action::restock; }
  /// One line per request that was sent. A POST lies under its key/ as each attempt; as an effect
  /// of all of its attempts it is another line, under stock/ or order/.
  [[nodiscard]] bool is_request() const {
    return what == action::attempt || what == action::count || what == action::read_stock
           || what == action::read_menu || what == action::read_order || what == action::events;
  }
};

/// A whole run. Calls are in no order.
struct story {
  std::vector<std::string> keys; // "stock/tea", "order/ord_…", "key/…"
  std::vector<call> calls;
};

[[nodiscard]] std::string_view name_of(action a);
[[nodiscard]] std::string_view name_of(standing s);
/// standing::none for a word that is none.
[[nodiscard]] standing standing_of(std::string_view word);

/// One line of the file, without its end.
[[nodiscard]] std::string line_of(const call& c, const std::string& key);
/// Writes a file that read() gives back as it was. Throws std::runtime_error.
void write(const story& s, const std::filesystem::path& to);
/// Throws std::runtime_error with the number of a line that is none of ours.
[[nodiscard]] story read(const std::filesystem::path& from);
/// The same, of lines in memory.
[[nodiscard]] story parse(std::string_view lines);
} // namespace jumun::tests::history
