#include "storage/check.hpp"
#include "storage/rocks_store.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/toy_shop.hpp"
#include <fstream>
#include <functional>

namespace {
using namespace jumun;
using namespace jumun::storage;
using domain::phase;

std::shared_ptr<store> open_in(const tests::temp_dir& tmp) {
  rocks_options how;
  how.dir = tmp.path().string();
  how.memory_bytes = 16 << 20;
  auto opened = open_rocks(how);
  REQUIRE(std::holds_alternative<std::shared_ptr<store>>(opened));
  return std::get<std::shared_ptr<store>>(opened);
}

std::string all_of(const check_report& r) {
  std::string text;
  for (const auto& f : r.findings) text += f.code + " | " + f.where + " | " + f.what + "\n";
  return text;
}
bool found(const check_report& r, const std::string& code) {
  for (const auto& f : r.findings)
    if (f.code == code) return true;
  return false;
}

template <class Row> Row row_of(const store& disk, table in, const std::string& key) {
  const auto bytes = disk.get(in, key);
  REQUIRE(bytes);
  auto row = decode<Row>(*bytes);
  REQUIRE(row);
  return *row;
}
/// The order's row with one thing changed.
entry changed(
  const store& disk, domain::order_id id, const std::function<void(domain::order&)>& f) {
  auto o = row_of<domain::order>(disk, table::orders, order_key(id));
  f(o);
  return {table::orders, order_key(id), encode(o)};
}
entry changed(
  const store& disk, const std::string& sku, const std::function<void(domain::stock&)>& f) {
  auto s = row_of<domain::stock>(disk, table::stock, sku_key(sku));
  f(s);
  return {table::stock, sku_key(sku), encode(s)};
}
domain::event event_of(domain::order_id id, std::uint64_t sequence) {
  domain::event e;
  e.key = domain::to_text(domain::id_kind::order, id);
  e.sequence = sequence;
  return e;
}
entry first_of(const store& disk, table in) {
  const auto at = disk.scan(in, {}, {}, direction::forward);
  REQUIRE(at->valid());
  return {in, std::string{at->key()}, std::string{at->value()}};
}
entry last_of(const store& disk, table in) {
  const auto at = disk.scan(in, {}, {}, direction::backward);
  REQUIRE(at->valid());
  return {in, std::string{at->key()}, std::string{at->value()}};
}

/// Damages rows, and puts them back.
class damage {
public:
  damage(store& disk, const std::vector<entry>& rows) : disk_(disk) {
    for (const auto& e : rows) before_.push_back({e.in, e.key, disk.get(e.in, e.key)});
    REQUIRE_FALSE(disk.apply(rows));
  }
  ~damage() { (void)disk_.apply(before_); }
  damage(const damage&) = delete;
  damage& operator=(const damage&) = delete;

private:
  store& disk_;
  std::vector<entry> before_;
};

struct planted {
  std::string code;
  std::string what;
  std::vector<entry> rows;
};

std::vector<planted> in_stock(const store& d, const tests::toy_orders& o) {
  using r = domain::reservation_state;
  const auto reservation = [&](const std::string& sku, domain::order_id id, std::uint16_t line,
                             auto f) {
    const auto key = reservation_key(sku, id, line);
    auto row = row_of<domain::reservation>(d, table::reservations, key);
    f(row);
    return entry{table::reservations, key, encode(row)};
  };
  auto moved = row_of<domain::movement>(d, table::movements, movement_key("tea", 1));
  moved.sku = "coffee";
  const auto tea = *d.get(table::stock, sku_key("tea"));
  auto wrong_shard = sku_key("tea");
  wrong_shard[0] = static_cast<char>(wrong_shard[0] + 1);
  return {
    {"stock-sum", "a piece more on hand", {changed(d, "tea", [](auto& s) { ++s.on_hand; })}},
    {"stock-sum", "the stock row lost", {{table::stock, sku_key("tea"), {}}}},
    {"movement-gap", "a movement lost", {{table::movements, movement_key("tea", 2), {}}}},
    {"movement-gap", "the last movement lost", {changed(d, "tea", [](auto& s) { ++s.movements; })}},
    {"reserved-sum", "a reservation more", {changed(d, "tea", [](auto& s) { ++s.reserved; })}},
    {"stock-negative", "more reserved than there is",
      {changed(d, "coffee", [](auto& s) { s.reserved = s.on_hand + 1; })}},
    {"reservation-without-order", "the order lost", {{table::orders, order_key(o.kept), {}}}},
    {"reservation-mismatch", "live for an order at rest",
      {reservation("tea", o.kept, 0, [](auto& x) { x.state = r::live; })}},
    {"reservation-mismatch", "another quantity",
      {reservation("tea", o.kept, 0, [](auto& x) { ++x.quantity; })}},
    {"reservation-mismatch", "released under a line that is held",
      {reservation("tea", o.waiting, 0, [](auto& x) { x.state = r::released; })}},
    {"reservation-mismatch", "missing for a line that is committed",
      {{table::reservations, reservation_key("tea", o.kept, 0), {}}}},
    {"sku-mismatch", "a movement under another SKU",
      {{table::movements, movement_key("tea", 1), encode(moved)}}},
    {"shard-mismatch", "a stock row in another shard", {{table::stock, wrong_shard, tea}}},
    {"undecodable-row", "a stock row cut off", {{table::stock, sku_key("tea"), tea.substr(0, 20)}}},
  };
}

std::vector<planted> in_orders(const store& d, const tests::toy_orders& o) {
  using b = domain::booking_state;
  const auto booked = [&](domain::order_id id) {
    return entry{
      table::deliveries, order_key(id), encode(domain::delivery_record{id, b::started, 1, 1})};
  };
  auto paid = row_of<domain::payment_record>(d, table::payments, order_key(o.kept));
  paid.refunded = 1;
  return {
    {"state-contradiction", "fulfilled without a payment",
      {changed(d, o.kept, [](auto& x) { x.payment = domain::payment_status::declined; })}},
    {"state-contradiction", "cancelled for no reason",
      {changed(d, o.cancelled, [](auto& x) { x.why = domain::ending::none; })}},
    {"state-contradiction", "a total that isn't the lines'",
      {changed(d, o.waiting, [](auto& x) { ++x.total; })}},
    {"state-contradiction", "a held line in a cancelled order",
      {changed(d, o.cancelled, [](auto& x) { x.lines[0].state = domain::line_state::held; })}},
    {"state-contradiction", "the booking lost", {{table::deliveries, order_key(o.kept), {}}}},
    {"state-contradiction", "the booking kept", {booked(o.cancelled)}},
    {"delivery-without-charge", "a delivery for a declined card", {booked(o.declined)}},
    {"delivery-without-charge", "a delivery for an order that waits", {booked(o.waiting)}},
    {"money-mismatch", "the payment's record gave something back",
      {{table::payments, order_key(o.kept), encode(paid)}}},
    {"money-mismatch", "the payment's record lost", {{table::payments, order_key(o.kept), {}}}},
    {"money-mismatch", "a charge kept by a cancelled order",
      {changed(d, o.cancelled, [](auto& x) { x.refunded = 0; })}},
    {"open-index", "an open saga not listed", {{table::open_sagas, order_key(o.waiting), {}}}},
    {"open-index", "a blocked order not listed", {{table::open_sagas, order_key(o.failed), {}}}},
    {"open-index", "one at rest listed", {{table::open_sagas, order_key(o.kept), ""}}},
    {"shard-mismatch", "an order under another's key",
      {{table::orders, order_key(o.kept), d.get(table::orders, order_key(o.shipped))}}},
    {"undecodable-row", "noise for an order", {{table::orders, order_key(o.kept), "noise"}}},
  };
}

std::vector<planted> in_events(const store& d, const tests::toy_orders& o) {
  const auto n = row_of<domain::order>(d, table::orders, order_key(o.kept)).sequence;
  const auto fed = first_of(d, table::feed);
  auto elsewhere = fed.key;
  elsewhere[0] = static_cast<char>(elsewhere[0] + 1);
  const auto record = first_of(d, table::idempotency);
  auto keyless = *decode<domain::idempotency_record>(*record.value);
  auto lost = keyless;
  keyless.order.reset();
  lost.order = domain::make_order_id(1, 1, 1, 1);
  return {
    {"history-gap", "an event in the middle lost",
      {{table::history, history_key(event_of(o.kept, 2)), {}}}},
    {"history-gap", "the last event lost",
      {{table::history, history_key(event_of(o.kept, n)), {}}}},
    {"history-gap", "an event that the row doesn't count",
      {{table::history, history_key(event_of(o.kept, n + 1)), encode(event_of(o.kept, n + 1))}}},
    {"feed-dangling", "an event lost", {{table::history, history_key(event_of(o.kept, 2)), {}}}},
    {"history-without-feed", "a row of the feed lost", {{table::feed, fed.key, {}}}},
    {"feed-duplicate", "an event twice in the feed",
      {{table::feed, feed_key(static_cast<domain::shard_id>(fed.key[0]), 9'999), fed.value}}},
    {"shard-mismatch", "a feed row in another shard",
      {{table::feed, fed.key, {}}, {table::feed, elsewhere, fed.value}}},
    {"last-offset", "the last offset too low",
      {{table::meta, "last_offset", feed_key(0, 1).substr(1)}}},
    {"last-offset", "the last offset lost", {{table::meta, "last_offset", {}}}},
    {"idempotency-record", "noise", {{table::idempotency, record.key, "noise"}}},
    {"idempotency-record", "neither reply nor order",
      {{table::idempotency, record.key, encode(keyless)}}},
    {"idempotency-record", "its order lost", {{table::idempotency, record.key, encode(lost)}}},
    {"undecodable-row", "noise for an event",
      {{table::history, last_of(d, table::history).key, "noise"}}},
  };
}
} // namespace

TEST_CASE("a database that production could have left has no findings", "[check]") {
  const tests::temp_dir tmp;
  auto disk = open_in(tmp);
  tests::toy_shop shop{disk};
  const auto orders = tests::run_all(shop);
  CHECK(shop.order(orders.kept).at == phase::fulfilled);
  CHECK(shop.order(orders.declined).at == phase::rejected);
  CHECK(shop.order(orders.sold_out).at == phase::rejected);
  CHECK(shop.order(orders.cancelled).at == phase::cancelled);
  CHECK(shop.order(orders.voided).at == phase::cancelled);
  CHECK(shop.order(orders.failed).blocked);
  CHECK(shop.order(orders.waiting).at == phase::reserving);
  const auto report = check_store(*disk, shop.ledger, {});
  CAPTURE(all_of(report));
  CHECK(report.findings_total == 0);
  CHECK(report.orders == 10);
  CHECK(report.skus == 2);
  CHECK(report.events > 30);
  CHECK(check_store(*disk, std::nullopt, {}).findings_total == 0);
}

TEST_CASE("no crash point leaves anything that the check would call damage", "[check]") {
  std::uint64_t points = 0;
  for (std::uint64_t n = 1;; ++n) {
    auto disk = std::make_shared<tests::memory_store>();
    disk->fail_at(n);
    tests::toy_shop shop{disk};
    bool finished = false;
    try {
      tests::run_all(shop);
      finished = true;
    } catch (const tests::toy_shop::crashed&) {
      ++points;
    }
    const auto report = check_store(*disk, shop.ledger, {});
    CAPTURE(n, all_of(report));
    REQUIRE(report.findings_total == 0);
    if (finished) break;
  }
  CHECK(points > 60);
}

TEST_CASE("every kind of damage is found by its code", "[check]") {
  const tests::temp_dir tmp;
  auto disk = open_in(tmp);
  tests::toy_shop shop{disk};
  const auto orders = tests::run_all(shop);
  for (const auto& part :
    {in_stock(*disk, orders), in_orders(*disk, orders), in_events(*disk, orders)})
    for (const auto& p : part) {
      {
        const damage done{*disk, p.rows};
        const auto report = check_store(*disk, shop.ledger, {});
        CAPTURE(p.code, p.what, all_of(report));
        CHECK(found(report, p.code));
        CHECK(report.findings_total == report.findings.size());
      }
    }
  CHECK(check_store(*disk, shop.ledger, {}).findings_total == 0); // all is put back
}

TEST_CASE("money is checked against the provider's own ledger", "[check]") {
  auto disk = std::make_shared<tests::memory_store>();
  tests::toy_shop shop{disk};
  const auto orders = tests::run_all(shop);
  const auto kept = domain::to_text(domain::id_kind::order, orders.kept);
  const auto with = [&](auto change) {
    auto ledger = shop.ledger;
    change(ledger);
    return check_store(*disk, ledger, {});
  };
  const auto first = [](const std::string& kind, const std::string& id, auto& ledger) {
    return std::find_if(ledger.begin(), ledger.end(),
      [&](const auto& l) { return l.kind == kind && (id.empty() || l.order_id == id); });
  };
  const auto twice = with([&](auto& l) { l.push_back(*first("charge", kept, l)); });
  CHECK(found(twice, "double-charge"));
  CHECK(found(twice, "money-mismatch"));
  CHECK(found(with([&](auto& l) { l.erase(first("charge", kept, l)); }), "money-mismatch"));
  CHECK(found(with([&](auto& l) { l.erase(first("refund", "", l)); }), "money-mismatch"));
  CHECK(
    found(with([&](auto& l) { first("charge", kept, l)->currency = "USD"; }), "money-mismatch"));
  const auto nobody = domain::to_text(domain::id_kind::order, domain::make_order_id(1, 1, 1, 1));
  CHECK(found(with([&](auto& l) {
    l.push_back({"charge", nobody, "pay_", "KRW", 1});
  }),
    "charge-without-order"));
  CHECK(with([&](auto& l) {
    l.push_back({"void", nobody, "pay_", "KRW", 0});
  }).findings_total
        == 0);
}

TEST_CASE("one folder of a cluster is not measured by its own simulator, all of them are",
  "[check][cluster]") {
  auto disk = std::make_shared<tests::memory_store>();
  tests::toy_shop shop{disk};
  tests::run_all(shop);
  domain::shard_map map;
  map.version = 1;
  for (auto& s : map.shards) s = {"a", 1};
  REQUIRE_FALSE(disk->apply({storage::holdings_row("shop", "a"),
    {table::meta, std::string{storage::shard_map_key}, storage::encode(map)}}));
  const auto bank_elsewhere = std::vector<storage::ledger_line>{};
  CHECK(check_store(*disk, bank_elsewhere, {}).findings_total == 0);
  const storage::holdings whole{"shop", "", domain::all_shards()};
  CHECK(found(check_store(*disk, bank_elsewhere, {}, whole), "money-mismatch"));
}

TEST_CASE("a damaged table file is a finding, and the other tables are still checked", "[check]") {
  const tests::temp_dir tmp;
  {
    auto disk = open_in(tmp);
    tests::toy_shop shop{disk};
    tests::run_all(shop);
  }
  { open_in(tmp); } // recovery turns the log into one file per table
  std::filesystem::path largest;
  for (const auto& file : std::filesystem::directory_iterator{tmp.path()})
    if (file.path().extension() == ".sst"
        && (largest.empty() || file.file_size() > std::filesystem::file_size(largest)))
      largest = file.path();
  REQUIRE_FALSE(largest.empty());
  {
    std::fstream bytes{largest, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(100);
    bytes << "rust";
  }
  const auto report = check_store(*open_in(tmp), std::nullopt, {});
  CAPTURE(all_of(report));
  CHECK(report.findings_total == 1);
  CHECK(found(report, "unreadable-table"));
  CHECK(report.orders == 10);
  CHECK(report.skus == 2);
}

TEST_CASE("the check keeps the first findings, counts all, and stops when told", "[check]") {
  auto disk = std::make_shared<tests::memory_store>();
  std::vector<entry> rows;
  for (std::uint64_t n = 0; n < 25'000; ++n)
    rows.push_back({table::movements, movement_key("tea", n + 1), "noise"});
  REQUIRE_FALSE(disk->apply(rows));
  std::vector<std::uint64_t> told;
  const auto whole = check_store(*disk, std::nullopt, [&told](std::uint64_t done) {
    told.push_back(done);
    return true;
  });
  CHECK(whole.findings.size() == findings_max);
  CHECK(whole.findings_total == 25'000);
  CHECK(told == std::vector<std::uint64_t>{10'000, 20'000});
  const auto stopped = check_store(*disk, std::nullopt, [](std::uint64_t) { return false; });
  CHECK(stopped.rows == 10'000);
}
