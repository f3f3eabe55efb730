#pragma once
#include "domain/order.hpp"
#include "storage/check.hpp"
#include "storage/rows.hpp"
#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

/// Private to storage: what the parts of check_store() share.
namespace jumun::storage {
/// What a provider's ledger says of one order.
struct ledger_total {
  std::int64_t charged = 0, given_back = 0; // minor units
  std::uint32_t charges = 0;
  std::string currency; // of the first line
  bool mixed = false;   // another line had another one
  /// What the provider still has. A void of what was never taken gives nothing back.
  [[nodiscard]] std::int64_t kept() const {
    return std::max<std::int64_t>(0, charged - given_back);
  }
};
using ledger_totals = std::map<std::string, ledger_total>; // by public order id

/// The store under check, and what was found. Damaged blocks are findings too; they don't end the
/// check.
class check_pass {
public:
  check_pass(const store& disk, const std::function<bool(std::uint64_t)>& progress,
    const std::optional<holdings>& held);

  void add(std::string code, std::string where, std::string what);
  /// Calls `see(key, value)` for every row of a table, by key. A row that leads to an unreadable
  /// one is passed over; too many of them end the walk.
  template <class See> void each(table in, const See& see) {
    std::size_t passed_over = 0;
    guarded([&] {
      const auto at = open(in);
      for (; at->valid() && !stopped_ && passed_over < passed_over_max; next(in, *at)) {
        count_row();
        if (!counts(in, at->key())) continue;
        passed_over += guarded([&] { see(at->key(), at->value()); }) ? 0 : 1;
      }
    });
  }
  /// False: `act` came upon something unreadable, which is noted.
  template <class Act> bool guarded(const Act& act) {
    try {
      act();
      return true;
    } catch (const unreadable&) {
      return false;
    }
  }
  /// The row, or nullopt with a finding.
  template <class Row>
  std::optional<Row> read(table in, std::string_view key, std::string_view value) {
    auto row = decode<Row>(value);
    if (!row) undecodable(in, key);
    return row;
  }
  /// The row of that key; nullopt when there is none, or none that can be read (found elsewhere).
  template <class Row> std::optional<Row> find(table in, std::string_view key) {
    const auto bytes = get(in, key);
    return bytes ? decode<Row>(*bytes) : std::nullopt;
  }
  [[nodiscard]] bool has_customer_index();
  [[nodiscard]] bool has(table in, std::string_view key) { return get(in, key).has_value(); }
  /// Whether there is a row whose key has that prefix.
  [[nodiscard]] bool has_any(table in, std::string_view prefix) {
    return open(in, prefix, after_prefix(prefix))->valid();
  }
  void undecodable(table in, std::string_view key);
  /// False: another folder has the shard's rows, so nothing can be said of them.
  [[nodiscard]] bool holds(domain::shard_id shard) const { return held_.shards[shard]; }
  [[nodiscard]] bool holds_all() const { return held_.shards.all(); }
  /// The same, for a claim that could not be compared.
  [[nodiscard]] bool sees(domain::shard_id shard) {
    if (!holds(shard)) ++report.elsewhere;
    return holds(shard);
  }
  /// Offsets of a cluster's shards are counted by each of their owners.
  [[nodiscard]] bool one_feed() const { return !held_.of_cluster(); }
  [[nodiscard]] std::uint64_t last_offset();
  /// Up to where retention has trimmed the shard's events; 0: never.
  [[nodiscard]] std::uint64_t low_water(domain::shard_id shard) const {
    return held_.trimmed.of[shard];
  }
  /// False: a sum over this table may lack something, so nothing follows from it.
  [[nodiscard]] bool saw_all(table in) const {
    return !stopped_ && !noted_[static_cast<std::size_t>(in)];
  }

  check_report report;

private:
  struct unreadable {};
  static constexpr std::size_t passed_over_max = 100;
  /// Notes a table's first failed read, and leaves the row.
  [[noreturn]] void give_up(table in, const std::runtime_error& why);
  [[nodiscard]] std::optional<std::string> get(table in, std::string_view key);
  [[nodiscard]] std::optional<holdings> holdings_on(const store& disk);
  [[nodiscard]] std::unique_ptr<cursor> open(
    table in, std::string_view from = {}, std::string_view to = {});
  void next(table in, cursor& at);
  void count_row();
  /// Of a shard that was given up rows may be left. The audit log is the node's, not a shard's.
  [[nodiscard]] bool counts(table in, std::string_view key) const {
    return in == table::audit || key.empty() || holds(static_cast<domain::shard_id>(key.front()));
  }
  const store& disk_;
  const std::function<bool(std::uint64_t)>& progress_;
  holdings held_;
  bool stopped_ = false;
  std::array<bool, table_count> noted_{};
};

[[nodiscard]] inline std::string text_of(domain::order_id id) {
  return domain::to_text(domain::id_kind::order, id);
}

void check_stock(check_pass& pass);                               // check_stock.cpp
void check_orders(check_pass& pass, const ledger_totals* ledger); // check_orders.cpp
void check_history(check_pass& pass);                             // check_history.cpp
void check_webhooks(check_pass& pass);                            // check_webhooks.cpp
} // namespace jumun::storage
