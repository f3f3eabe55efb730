#include "storage/check.hpp"
#include "domain/planted.hpp"
#include "storage/check_pass.hpp"
#include "storage/customer_index.hpp"
#include "storage/journal.hpp"
#include <utility>

namespace jumun::storage {
namespace {
constexpr std::uint64_t rows_per_report = 10'000;

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::size_t shown_max = 48;
  std::string out;
  for (const unsigned char c : bytes.substr(0, shown_max)) {
    out.push_back(digits[c >> 4]);
    out.push_back(digits[c & 15]);
  }
  return bytes.size() > shown_max ? out + "…" : out;
}

ledger_totals add_up(const std::vector<ledger_line>& ledger) {
  ledger_totals out;
  for (const auto& line : ledger) {
    auto& t = out[line.order_id];
    if (t.currency.empty()) t.currency = line.currency;
    t.mixed = t.mixed || t.currency != line.currency;
    if (line.kind == "charge") {
      ++t.charges;
      t.charged += line.amount;
    } else {
      t.given_back += line.amount;
    }
  }
  return out;
}

void check_ledger(check_pass& pass, const ledger_totals& ledger) {
  for (const auto& [order, total] : ledger) {
    if (total.charges > 1)
      pass.add(
        "double-charge", order, "the ledger has " + std::to_string(total.charges) + " charges");
    const auto id = domain::parse_id(domain::id_kind::order, order);
    if (id && !pass.holds(domain::shard_of(*id))) continue;
    if (total.charges > 0 && (!id || !pass.has(table::orders, order_key(*id))))
      pass.add(
        "charge-without-order", order, "the ledger has a charge for an order that isn't here");
  }
}

void check_idempotency(check_pass& pass) {
  pass.each(table::idempotency, [&](std::string_view key, std::string_view value) {
    const auto where = hex(key);
    const auto record = decode<domain::idempotency_record>(value);
    if (!record) return pass.add("idempotency-record", where, "cannot be decoded");
    if (!record->reply && !record->order)
      return pass.add("idempotency-record", where, "has neither a reply nor an order");
    if (record->order && !pass.has(table::orders, order_key(*record->order)))
      pass.add("idempotency-record", where, "its order " + text_of(*record->order) + " isn't here");
  });
}

void check_audit(check_pass& pass) {
  pass.each(table::audit, [&](std::string_view key, std::string_view value) {
    (void)pass.read<domain::audit_entry>(table::audit, key, value);
  });
}

void check_hooks(check_pass& pass) {
  pass.each(table::hooks, [&](std::string_view key, std::string_view value) {
    if (key.size() > 1 && key[1] == 'e')
      (void)pass.read<domain::hook_record>(table::hooks, key, value);
  });
}
} // namespace

check_pass::check_pass(const store& disk, const std::function<bool(std::uint64_t)>& progress,
  const std::optional<holdings>& held)
    : disk_(disk), progress_(progress) {
  guarded([&] {
    const auto found = held ? held : holdings_on(disk);
    if (found)
      held_ = *found;
    else
      add("holdings", "meta", "which shards the folder holds can't be read");
  });
}

std::optional<holdings> check_pass::holdings_on(const store& disk) {
  try {
    return read_holdings(disk);
  } catch (const std::runtime_error& why) {
    give_up(table::meta, why);
  }
}

void check_pass::add(std::string code, std::string where, std::string what) {
  if (JUMUN_PLANTED(check_overlooks) && code == "reserved-sum") return;
  ++report.findings_total;
  if (report.findings.size() < findings_max)
    report.findings.push_back({std::move(code), std::move(where), std::move(what)});
}

void check_pass::undecodable(table in, std::string_view key) {
  add("undecodable-row", std::string{name_of(in)} + " " + hex(key),
    "key or row is damaged, of a newer format, or has a value out of its range");
}

void check_pass::give_up(table in, const std::runtime_error& why) {
  if (!std::exchange(noted_[static_cast<std::size_t>(in)], true))
    add("unreadable-table", std::string{name_of(in)}, why.what());
  throw unreadable{};
}

std::optional<std::string> check_pass::get(table in, std::string_view key) {
  try {
    return disk_.get(in, key);
  } catch (const std::runtime_error& why) {
    give_up(in, why);
  }
}

std::uint64_t check_pass::last_offset() {
  try {
    return read_last_offset(disk_);
  } catch (const std::runtime_error& why) {
    give_up(table::meta, why);
  }
}

bool check_pass::has_customer_index() {
  try {
    return storage::has_customer_index(disk_);
  } catch (const std::runtime_error& why) {
    give_up(table::meta, why);
  }
}

std::unique_ptr<cursor> check_pass::open(table in, std::string_view from, std::string_view to) {
  try {
    return disk_.scan(in, from, to, direction::forward);
  } catch (const std::runtime_error& why) {
    give_up(in, why);
  }
}

void check_pass::next(table in, cursor& at) {
  try {
    at.next();
  } catch (const std::runtime_error& why) {
    give_up(in, why);
  }
}

void check_pass::count_row() {
  if (++report.rows % rows_per_report == 0 && progress_ && !progress_(report.rows)) stopped_ = true;
}

check_report check_store(const store& disk, const std::optional<std::vector<ledger_line>>& ledger,
  const std::function<bool(std::uint64_t)>& progress, const std::optional<holdings>& held) {
  check_pass pass{disk, progress, held};
  const auto totals = ledger ? add_up(*ledger) : ledger_totals{};
  check_stock(pass);
  // A cluster's node may have all the shards, and not all that was paid: a shard's former owner, or
  // the one node that is the bank, has the rest. All folders together (`held`) know.
  const bool whole = pass.holds_all() && (held || pass.one_feed());
  check_orders(pass, ledger && whole ? &totals : nullptr);
  check_history(pass);
  check_idempotency(pass);
  check_audit(pass);
  check_hooks(pass);
  check_webhooks(pass);
  pass.guarded([&] { check_ledger(pass, totals); });
  return std::move(pass.report);
}
} // namespace jumun::storage
