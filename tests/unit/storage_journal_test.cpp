#include "domain/limits.hpp"
#include "storage/feed_rows.hpp"
#include "storage/journal.hpp"
#include "storage/local_log.hpp"
#include "storage/queries.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/sample_rows.hpp"
#include <algorithm>
#include <future>

namespace {
using namespace jumun;
using namespace jumun::storage;

struct fixture {
  std::shared_ptr<tests::memory_store> disk = std::make_shared<tests::memory_store>();
  std::vector<failure> failures;
  journal j{disk, {true, 0, [this](const failure& why) { failures.push_back(why); }}};
};

std::string stock_row(std::uint64_t version) {
  auto s = tests::sample_stock();
  s.version = version;
  return encode(s);
}

/// Puts the stock row of `sku` with `version` over the one before it.
write_set next_version(std::string_view sku, std::uint64_t version) {
  write_set set;
  set.shard = domain::shard_of(sku);
  set.entries.push_back({table::stock, sku_key(sku), stock_row(version)});
  set.replaces = write_set::replaced{table::stock, sku_key(sku), version - 1};
  return set;
}

domain::event adjusted(const std::string& sku, std::uint64_t sequence) {
  domain::event e;
  e.type = domain::event_type::stock_adjusted;
  e.key = e.sku = sku;
  e.sequence = sequence;
  return e;
}
} // namespace

TEST_CASE("nothing is on disk, and nobody is told, before the commit", "[journal]") {
  fixture f;
  bool told = false;
  REQUIRE(f.j.append(next_version("tea", 1), [&told] { told = true; }) == append_result::ok);
  CHECK(f.disk->applies() == 0);
  CHECK_FALSE(told);
  CHECK(f.j.run_once());
  CHECK(f.disk->applies() == 1);
  CHECK(told);
  CHECK(f.disk->get(table::stock, sku_key("tea")) == stock_row(1));
  CHECK_FALSE(f.j.run_once());
}

TEST_CASE("sets that wait together become one batch, in the order of append", "[journal]") {
  fixture f;
  std::vector<int> told;
  for (int i = 1; i <= 5; ++i)
    REQUIRE(f.j.append(next_version("tea", static_cast<std::uint64_t>(i)), [&told, i] {
      told.push_back(i);
    }) == append_result::ok);
  CHECK(f.j.run_once());
  CHECK(f.disk->applies() == 1);
  CHECK(told == std::vector<int>{1, 2, 3, 4, 5});
  CHECK(version_of(*f.disk->get(table::stock, sku_key("tea"))) == 5);
  const auto s = f.j.stats();
  CHECK(s.write_sets == 5);
  CHECK(s.commits == 1);
  CHECK(s.entries == 1); // one row, five times: the batch is durable as a whole
  CHECK(s.largest_batch == 5);
  CHECK(s.batch_size_histogram[2] == 1); // 4 ≤ 5 < 8
}

TEST_CASE("of a row that a batch writes several times only the last is written", "[journal]") {
  fixture f;
  std::size_t written = 0;
  const auto commit = [&] {
    const auto before = f.j.stats().entries;
    REQUIRE(f.j.run_once());
    written = f.j.stats().entries - before;
  };
  REQUIRE(f.j.append(next_version("tea", 1)) == append_result::ok);
  REQUIRE(f.j.append(next_version("milk", 1)) == append_result::ok);
  REQUIRE(f.j.append(next_version("tea", 2)) == append_result::ok);
  commit();
  CHECK(written == 2);
  CHECK(f.disk->get(table::stock, sku_key("tea")) == stock_row(2));
  CHECK(f.disk->get(table::stock, sku_key("milk")) == stock_row(1));
  // A newer one that is not of this batch: this batch's own must be written.
  REQUIRE(f.j.append(next_version("tea", 3), [&f] {
    CHECK(f.j.append(next_version("tea", 4)) == append_result::ok);
  }) == append_result::ok);
  commit();
  CHECK(written == 1);
  CHECK(f.disk->get(table::stock, sku_key("tea")) == stock_row(3));
  commit();
  CHECK(f.disk->get(table::stock, sku_key("tea")) == stock_row(4));
}

TEST_CASE("a set that nobody waits for rides with the next that somebody waits for", "[journal]") {
  const auto disk = std::make_shared<tests::memory_store>();
  journal::options how;
  how.patience = std::chrono::hours{1};
  journal j{disk, std::move(how)};
  auto second = next_version("tea", 2);
  second.patient = true;
  REQUIRE(j.append(next_version("tea", 1)) == append_result::ok); // without a callback
  REQUIRE(j.append(std::move(second), [] {}) == append_result::ok);
  std::promise<void> told;
  SECTION("a set") {
    REQUIRE(j.append(next_version("tea", 3), [&told] { told.set_value(); }) == append_result::ok);
  }
  SECTION("a callback alone") {
    j.when_durable([&told] { told.set_value(); });
  }
  SECTION("flush") {
    j.flush();
    told.set_value();
  }
  told.get_future().wait();
  CHECK(j.stats().commits == 1);
  CHECK(version_of(*disk->get(table::stock, sku_key("tea"))) >= 2);
}

TEST_CASE("a set that nobody waits for goes alone after a while", "[journal]") {
  journal j{std::make_shared<tests::memory_store>(), {}};
  std::promise<void> durable;
  auto set = next_version("tea", 1);
  set.patient = true;
  REQUIRE(j.append(std::move(set), [&durable] { durable.set_value(); }) == append_result::ok);
  durable.get_future().wait();
  CHECK(j.durable(table::stock, sku_key("tea")) == stock_row(1));
}

TEST_CASE("a set that writes a row twice leaves the second", "[journal]") {
  fixture f;
  for (std::uint64_t version = 1; version < 40'000; version += 2) { // past what is remembered
    auto set = next_version("tea", version);
    set.entries.push_back({table::stock, sku_key("tea"), stock_row(version + 1)});
    REQUIRE(f.j.append(std::move(set)) == append_result::ok);
    if (version % 64 == 1) REQUIRE(f.j.run_once());
    REQUIRE(f.j.latest(table::stock, sku_key("tea")) == stock_row(version + 1));
  }
  f.j.flush();
  CHECK(f.disk->get(table::stock, sku_key("tea")) == stock_row(40'000));
}

TEST_CASE("durable rows are remembered for a while, and found on the disk after it", "[journal]") {
  fixture f;
  constexpr int rows = 20'000; // more than are remembered
  for (int i = 0; i < rows; ++i) {
    REQUIRE(f.j.append(next_version("sku-" + std::to_string(i), 1)) == append_result::ok);
    if (i % 100 == 0) REQUIRE(f.j.append(next_version("sku-0", 2u + i / 100)) == append_result::ok);
    if (i % 256 == 0) REQUIRE(f.j.run_once());
  }
  f.j.flush();
  for (int i = 1; i < rows; ++i) {
    const auto sku = "sku-" + std::to_string(i);
    if (f.j.latest(table::stock, sku_key(sku)) != stock_row(1)) FAIL(sku);
    if (i % 1'000 == 0) CHECK(f.j.append(next_version(sku, 1)) == append_result::stale_version);
  }
  CHECK(f.j.latest(table::stock, sku_key("sku-0")) == stock_row(201));
}

TEST_CASE("a batch has at most batch_sets_max sets", "[journal]") {
  fixture f;
  for (std::size_t i = 1; i <= limits::batch_sets_max + 1; ++i)
    REQUIRE(f.j.append(next_version("tea", i)) == append_result::ok);
  CHECK(f.j.run_once());
  CHECK(f.j.stats().largest_batch == limits::batch_sets_max);
  CHECK(f.j.latest(table::stock, sku_key("tea")) == stock_row(limits::batch_sets_max + 1));
  CHECK(f.j.run_once());
  CHECK_FALSE(f.j.run_once());
}

TEST_CASE("a set that replaces another version than the newest is refused", "[journal]") {
  fixture f;
  CHECK(f.j.append(next_version("tea", 2)) == append_result::stale_version); // there is no row
  REQUIRE(f.j.append(next_version("tea", 1)) == append_result::ok);
  CHECK(f.j.append(next_version("tea", 1)) == append_result::stale_version); // newest: pending
  REQUIRE(f.j.append(next_version("tea", 2)) == append_result::ok);
  CHECK(f.j.run_once());
  CHECK(f.j.append(next_version("tea", 2)) == append_result::stale_version); // newest: on disk
  CHECK(f.j.append(next_version("tea", 3)) == append_result::ok);
}

TEST_CASE("a refused set leaves nothing behind", "[journal]") {
  fixture f;
  bool told = false;
  auto stale = next_version("tea", 7);
  stale.events.push_back(adjusted("tea", 1));
  CHECK(f.j.append(std::move(stale), [&told] { told = true; }) == append_result::stale_version);
  CHECK_FALSE(f.j.run_once());
  CHECK_FALSE(f.j.latest(table::stock, sku_key("tea")));
  auto good = next_version("tea", 1);
  good.events.push_back(adjusted("tea", 1));
  REQUIRE(f.j.append(std::move(good)) == append_result::ok);
  f.j.flush();
  CHECK_FALSE(told);
  CHECK(read_last_offset(*f.disk) == 1); // the refused one took no offset
}

TEST_CASE("after a pending delete the row's version is 0", "[journal]") {
  fixture f;
  REQUIRE(f.j.append(next_version("tea", 1)) == append_result::ok);
  f.j.flush();
  write_set gone;
  gone.shard = domain::shard_of("tea");
  gone.entries.push_back({table::stock, sku_key("tea"), std::nullopt});
  REQUIRE(f.j.append(std::move(gone)) == append_result::ok);
  CHECK_FALSE(f.j.latest(table::stock, sku_key("tea"))); // the disk still has it
  CHECK(f.disk->get(table::stock, sku_key("tea")));
  CHECK(f.j.append(next_version("tea", 2)) == append_result::stale_version);
  CHECK(f.j.append(next_version("tea", 1)) == append_result::ok);
  f.j.flush();
  CHECK(f.disk->get(table::stock, sku_key("tea")) == stock_row(1));
}

TEST_CASE("what is appended is seen at once by actors, and by nobody else", "[journal]") {
  fixture f;
  REQUIRE(f.j.append(next_version("tea", 1)) == append_result::ok);
  CHECK(f.j.latest(table::stock, sku_key("tea")) == stock_row(1));
  CHECK_FALSE(f.j.disk().get(table::stock, sku_key("tea")));
  CHECK_FALSE(f.j.durable(table::stock, sku_key("tea")));
  f.j.flush();
  CHECK(f.j.durable(table::stock, sku_key("tea")) == stock_row(1));
  REQUIRE(f.j.append(next_version("tea", 2)) == append_result::ok);
  CHECK(f.j.latest(table::stock, sku_key("tea")) == stock_row(2));
  CHECK(f.j.durable(table::stock, sku_key("tea")) == stock_row(1));
  f.j.flush();
  CHECK(f.j.latest(table::stock, sku_key("tea")) == stock_row(2));
  CHECK(f.j.durable(table::stock, sku_key("tea")) == stock_row(2));
}

TEST_CASE("a newer value appended during the commit outlives it in the overlay", "[journal]") {
  fixture f;
  // The callback runs when version 1 is durable and version 2 is being appended.
  REQUIRE(f.j.append(next_version("tea", 1), [&f] {
    CHECK(f.j.append(next_version("tea", 2)) == append_result::ok);
  }) == append_result::ok);
  CHECK(f.j.run_once());
  CHECK(f.j.latest(table::stock, sku_key("tea")) == stock_row(2));
  CHECK(f.j.disk().get(table::stock, sku_key("tea")) == stock_row(1));
}

namespace {
/// An order's row of this version, over the one before it.
write_set order_set(std::uint64_t version) {
  auto o = tests::sample_order();
  o.version = version;
  write_set set;
  set.shard = domain::shard_of(o.id);
  set.entries.push_back({table::orders, order_key(o.id), encode(o)});
  set.replaces = write_set::replaced{table::orders, order_key(o.id), version - 1};
  return set;
}
/// The first row of its payment.
write_set payment_set() {
  auto p = tests::sample_payment();
  p.version = 1;
  write_set set;
  set.shard = domain::shard_of(p.order);
  set.entries.push_back({table::payments, order_key(p.order), encode(p)});
  set.replaces = write_set::replaced{table::payments, order_key(p.order), 0};
  return set;
}
} // namespace

TEST_CASE("of an order that is new here the disk is not asked for what it lacks", "[journal]") {
  fixture f;
  const auto id = tests::sample_id;
  REQUIRE(f.j.append(order_set(1)) == append_result::ok);
  f.j.flush();
  const auto before = f.disk->gets();
  CHECK_FALSE(f.j.latest(table::payments, order_key(id)));
  CHECK_FALSE(f.j.latest(table::deliveries, order_key(id)));
  CHECK_FALSE(f.j.latest(table::reservations, reservation_key("tea", id, 0)));
  CHECK(f.j.append(payment_set()) == append_result::ok);
  CHECK(f.disk->gets() == before);
  CHECK(f.j.append(payment_set()) == append_result::stale_version);
  CHECK_FALSE(f.j.latest(table::products, sku_key("tea"))); // no order's row
  CHECK(f.disk->gets() == before + 1);
}

TEST_CASE("an order that is not new here may have rows on the disk", "[journal]") {
  fixture f;
  REQUIRE(f.disk->apply(order_set(1).entries) == std::nullopt);
  REQUIRE(f.disk->apply(payment_set().entries) == std::nullopt);
  REQUIRE(f.j.append(order_set(2)) == append_result::ok);
  CHECK(f.j.latest(table::payments, order_key(tests::sample_id)));
  CHECK(f.j.append(payment_set()) == append_result::stale_version);
}

TEST_CASE(
  "what has left the overlay is looked for on the disk, however new its order", "[journal]") {
  fixture f;
  REQUIRE(f.j.append(order_set(1)) == append_result::ok);
  REQUIRE(f.j.append(payment_set()) == append_result::ok);
  f.j.flush();
  for (std::uint64_t n = 0; n < 3'000; ++n) {
    write_set set;
    set.entries.push_back(
      {table::stock, sku_key("sku" + std::to_string(n)), stock_row(1)}); // more than it keeps
    REQUIRE(f.j.append(std::move(set)) == append_result::ok);
  }
  f.j.flush();
  REQUIRE_FALSE(f.j.recent(table::payments, order_key(tests::sample_id)));
  // Its own row comes back into the overlay, as that of an order that goes on.
  REQUIRE(f.j.append(order_set(2)) == append_result::ok);
  CHECK(f.j.latest(table::payments, order_key(tests::sample_id)));
  CHECK(f.j.append(payment_set()) == append_result::stale_version);
}

TEST_CASE("rows of a new order leave the overlay before its own", "[journal]") {
  fixture f;
  REQUIRE(f.j.append(order_set(1)) == append_result::ok);
  REQUIRE(f.j.append(payment_set()) == append_result::ok);
  f.j.flush();
  std::uint64_t version = 1;
  for (std::uint64_t n = 0; n < 3'000; ++n) {
    write_set set;
    set.entries.push_back({table::stock, sku_key("sku" + std::to_string(n)), stock_row(1)});
    REQUIRE(f.j.append(std::move(set)) == append_result::ok);
    if (n % 1'000 == 0) REQUIRE(f.j.append(order_set(++version)) == append_result::ok);
    f.j.flush();
  }
  REQUIRE(f.j.recent(table::orders, order_key(tests::sample_id)));
  REQUIRE_FALSE(f.j.recent(table::payments, order_key(tests::sample_id)));
  CHECK(f.j.latest(table::payments, order_key(tests::sample_id)));
  CHECK(f.j.append(payment_set()) == append_result::stale_version);
}

TEST_CASE("a lower epoch than the shard's is fenced", "[journal]") {
  fixture f;
  const auto shard = domain::shard_of("tea");
  f.j.raise_epoch(shard, 3);
  f.j.raise_epoch(shard, 2); // never falls
  auto set = next_version("tea", 1);
  set.epoch = 2;
  CHECK(f.j.append(set) == append_result::fenced);
  set.epoch = 3;
  CHECK(f.j.append(set) == append_result::ok);
  auto elsewhere = next_version("coffee", 1);
  REQUIRE(elsewhere.shard != shard);
  CHECK(f.j.append(elsewhere) == append_result::ok);
}

namespace {
/// The keys in history of what a row of the feed has, as `offset key`.
std::vector<std::pair<std::uint64_t, std::string>> run_in(
  const store& disk, domain::shard_id shard, std::uint64_t last) {
  const auto key = feed_key(shard, last);
  const auto run = read_feed_row(key, disk.get(table::feed, key).value_or(""));
  std::vector<std::pair<std::uint64_t, std::string>> all;
  for (const auto& [offset, in_history] : run.value_or(std::vector<fed>{}))
    all.emplace_back(offset, in_history);
  return all;
}
} // namespace

TEST_CASE("a shard's events of one batch are one row of the feed, by rising offsets", "[journal]") {
  fixture f;
  auto first = next_version("tea", 1);
  first.events = {adjusted("tea", 1), adjusted("tea", 2)};
  auto second = next_version("coffee", 1);
  second.events = {adjusted("coffee", 1)};
  REQUIRE(f.j.append(first) == append_result::ok);
  REQUIRE(f.j.append(second) == append_result::ok);
  f.j.flush();
  CHECK(read_last_offset(*f.disk) == 3);
  CHECK(f.disk->rows(table::history) == 3);
  CHECK(f.disk->rows(table::feed) == 2);
  const auto tea = run_in(*f.disk, domain::shard_of("tea"), 2);
  REQUIRE(tea.size() == 2);
  for (const std::uint64_t n : {1, 2}) {
    CHECK(tea[n - 1].first == n);
    const auto row = f.disk->get(table::history, tea[n - 1].second);
    REQUIRE(row);
    CHECK((decode<domain::event>(*row) == adjusted("tea", n)));
  }
  CHECK(run_in(*f.disk, domain::shard_of("coffee"), 3).size() == 1);
}

TEST_CASE("the last offset on disk rises with what is appended next, never falls", "[journal]") {
  fixture f;
  std::uint64_t version = 0;
  const auto commit = [&](std::size_t events) {
    auto set = next_version("tea", ++version);
    for (std::size_t n = 0; n < events; ++n) set.events.push_back(adjusted("tea", version));
    REQUIRE(f.j.append(std::move(set)) == append_result::ok);
    const auto before = f.j.stats().entries;
    REQUIRE(f.j.run_once());
    return f.j.stats().entries - before;
  };
  f.j.raise_offset(7);
  CHECK(commit(0) == 2); // the set's row, and how far the feed is by now
  CHECK(read_last_offset(*f.disk) == 7);
  commit(3);
  CHECK(read_last_offset(*f.disk) == 10);
  f.j.raise_offset(7);
  CHECK(commit(0) == 1); // nothing new
  CHECK(read_last_offset(*f.disk) == 10);
}

TEST_CASE("offsets go on where the last process ended", "[journal]") {
  auto disk = std::make_shared<tests::memory_store>();
  for (std::uint64_t boot = 1; boot <= 3; ++boot) {
    journal j{disk, {true, read_last_offset(*disk), {}}};
    auto set = next_version("tea", boot);
    set.events = {adjusted("tea", boot)};
    REQUIRE(j.append(std::move(set)) == append_result::ok);
  } // the destructor commits
  CHECK(read_last_offset(*disk) == 3);
  CHECK(disk->rows(table::feed) == 3);
}

TEST_CASE("when_durable runs at once when nothing waits, else behind what waits", "[journal]") {
  fixture f;
  std::vector<std::string> told;
  f.j.when_durable([&told] { told.emplace_back("idle"); });
  CHECK(told.size() == 1);
  REQUIRE(
    f.j.append(next_version("tea", 1), [&told] { told.emplace_back("one"); }) == append_result::ok);
  f.j.when_durable([&told] { told.emplace_back("behind one"); });
  REQUIRE(
    f.j.append(next_version("tea", 2), [&told] { told.emplace_back("two"); }) == append_result::ok);
  CHECK(told.size() == 1);
  CHECK(f.j.run_once());
  CHECK(told == std::vector<std::string>{"idle", "one", "behind one", "two"});
  CHECK(f.disk->applies() == 1);
}

TEST_CASE("a callback alone costs no write", "[journal]") {
  fixture f;
  bool inner = false;
  REQUIRE(f.j.append(next_version("tea", 1), [&] {
    CHECK(f.j.append(next_version("tea", 2)) == append_result::ok);
    f.j.when_durable([&inner] { inner = true; });
  }) == append_result::ok);
  CHECK(f.j.run_once());
  CHECK_FALSE(inner);
  CHECK(f.j.run_once());
  CHECK(inner);
  CHECK(f.disk->applies() == 2);
}

TEST_CASE(
  "after a failed write nothing is told, nothing is written, nothing is taken", "[journal]") {
  const bool written_anyway = GENERATE(false, true);
  fixture f;
  bool told = false;
  const auto tell = [&told] { told = true; };
  f.disk->fail_at(2, written_anyway);
  REQUIRE(f.j.append(next_version("tea", 1)) == append_result::ok);
  CHECK(f.j.run_once());
  REQUIRE(f.j.append(next_version("tea", 2), tell) == append_result::ok);
  f.j.when_durable(tell);
  CHECK_FALSE(f.j.run_once());
  CHECK(f.failures.size() == 1);
  CHECK(f.failures.front().code == errc::io_failed);
  CHECK(f.j.append(next_version("tea", 3), tell) == append_result::stopped);
  f.j.when_durable(tell);
  f.j.flush(); // returns
  CHECK_FALSE(f.j.run_once());
  CHECK_FALSE(told);
  CHECK(f.disk->applies() == 2);
  CHECK(f.failures.size() == 1);
  CHECK(version_of(*f.disk->get(table::stock, sku_key("tea"))) == (written_anyway ? 2U : 1U));
}

TEST_CASE("the committer writes together what came in during the last write", "[journal]") {
  /// Its first apply() waits until the test has appended more.
  struct slow_store final : store {
    tests::memory_store rows;
    std::promise<void> entered, go_on;
    bool first = true;
    std::optional<failure> apply(const std::vector<entry>& all) override {
      if (std::exchange(first, false)) {
        entered.set_value();
        go_on.get_future().wait();
      }
      return rows.apply(all);
    }
    std::optional<std::string> get(table in, std::string_view key) const override {
      return rows.get(in, key);
    }
    std::unique_ptr<cursor> scan(
      table in, std::string_view from, std::string_view to, direction way) const override {
      return rows.scan(in, from, to, way);
    }
  };
  auto disk = std::make_shared<slow_store>();
  journal j{disk, {}};
  std::vector<std::uint64_t> told; // on one thread, the committer's; read after flush()
  const auto append = [&](std::uint64_t version) {
    return j.append(next_version("tea", version), [&told, version] { told.push_back(version); });
  };
  REQUIRE(append(1) == append_result::ok);
  disk->entered.get_future().wait();
  for (std::uint64_t v = 2; v <= 100; ++v) REQUIRE(append(v) == append_result::ok);
  disk->go_on.set_value();
  j.flush();
  CHECK(disk->rows.applies() == 2);
  CHECK(j.stats().largest_batch == 99);
  REQUIRE(told.size() == 100);
  CHECK(std::is_sorted(told.begin(), told.end()));
}

TEST_CASE(
  "many threads append at once, and each set is written once, in its thread's order", "[journal]") {
  auto disk = std::make_shared<tests::memory_store>();
  constexpr std::uint64_t rounds = 2'000;
  std::atomic<std::uint64_t> told{0};
  {
    journal j{disk, {}};
    std::vector<std::thread> writers;
    std::atomic<bool> all_ok{true};
    for (int t = 0; t < 4; ++t)
      writers.emplace_back([&, sku = "sku-" + std::to_string(t)] {
        for (std::uint64_t v = 1; v <= rounds; ++v) {
          auto set = next_version(sku, v);
          set.events = {adjusted(sku, v)};
          if (j.append(std::move(set), [&told] { ++told; }) != append_result::ok) all_ok = false;
        }
      });
    for (auto& w : writers) w.join();
    CHECK(all_ok);
  } // the destructor commits what waits
  CHECK(told == 4 * rounds);
  CHECK(disk->rows(table::history) == 4 * rounds);
  std::uint64_t fed = 0;
  for (auto page = read_feed(*disk, "", "", 0, 1'000);;
       page = read_feed(*disk, "", "", fed, 1'000)) {
    for (const auto& e : page.rows)
      if (e.offset == fed + 1) ++fed;
    if (page.at_end) break;
  }
  CHECK(fed == 4 * rounds);
  CHECK(read_last_offset(*disk) == 4 * rounds);
  for (int t = 0; t < 4; ++t)
    CHECK(version_of(*disk->get(table::stock, sku_key("sku-" + std::to_string(t)))) == rounds);
}

TEST_CASE("a failed write stops the committer, and flush and the destructor return", "[journal]") {
  auto disk = std::make_shared<tests::memory_store>();
  disk->fail_at(1);
  std::promise<failure> failed;
  journal j{disk, {false, 0, [&failed](const failure& why) { failed.set_value(why); }}};
  REQUIRE(j.append(next_version("tea", 1), [] { FAIL("told of what isn't on disk"); })
          == append_result::ok);
  CHECK(failed.get_future().get().code == errc::io_failed);
  j.flush();
  CHECK(j.append(next_version("tea", 2)) == append_result::stopped);
  CHECK(disk->applies() == 1);
}

TEST_CASE(
  "how long commits take is measured by the clock that the journal was given", "[journal]") {
  auto disk = std::make_shared<tests::memory_store>();
  std::int64_t now_us = 1'000;
  journal::options how{true, 0, {}};
  how.now_us = [&now_us] { return now_us += 250; };
  journal j{disk, how};
  REQUIRE(j.append(next_version("tea", 1), {}) == append_result::ok);
  j.flush();
  CHECK(j.stats().commit_us_sum == 250);
  CHECK(j.stats().commit_us_histogram[7] == 1); // 128 to 255 µs
}

TEST_CASE("a shard lags while what was appended for it is not durable", "[journal]") {
  auto disk = std::make_shared<tests::memory_store>();
  struct watched_log final : commit_log {
    explicit watched_log(std::shared_ptr<store> to) : real{std::move(to)} {}
    local_log real;
    std::function<void()> during;
    std::optional<std::uint64_t> open(domain::shard_id s, domain::epoch_id e) override {
      return real.open(s, e);
    }
    append_outcome append(const log_batch& batch) override {
      during();
      return real.append(batch);
    }
  };
  const auto log = std::make_shared<watched_log>(disk);
  std::int64_t now_us = 1'000;
  journal::options how{true, 0, {}};
  how.now_us = [&now_us] { return now_us; };
  how.log = log;
  journal j{disk, how};
  const auto tea = domain::shard_of(std::string_view{"tea"});
  log->during = [&] {
    now_us += 700'000; // a disk that stalls
    CHECK(j.lag_us()[tea] == 700'000);
    CHECK(j.lag_us()[tea ^ 1] == 0);
  };
  CHECK(j.lag_us()[tea] == 0);
  REQUIRE(j.append(next_version("tea", 1), [] {}) == append_result::ok);
  CHECK(j.lag_us()[tea] == 1); // nobody writes it yet
  j.flush();
  CHECK(j.lag_us()[tea] == 0);
}

TEST_CASE("events are told after their commit, in the order of their offsets, and keep them",
  "[journal][events]") {
  auto disk = std::make_shared<tests::memory_store>();
  std::vector<std::uint64_t> told;
  std::vector<std::string> sequence;
  journal::options how{true, 6, {}};
  how.on_events = [&](std::vector<durable_events> all) {
    sequence.push_back("events");
    for (const auto& one : all)
      for (std::size_t i = 0; i < one.events.size(); ++i) {
        told.push_back(one.first + i);
        const auto row = disk->get(table::history, history_key(one.events[i]));
        REQUIRE(row); // durable before anybody is told
        CHECK(version_of(*row) == one.first + i);
      }
  };
  journal j{disk, std::move(how)};
  const auto with_events = [](std::uint64_t from, std::uint64_t n) {
    write_set set;
    set.shard = domain::shard_of("tea");
    for (std::uint64_t i = 0; i < n; ++i) set.events.push_back(adjusted("tea", from + i));
    return set;
  };
  REQUIRE(j.append(with_events(1, 2), [&] { sequence.push_back("answer"); }) == append_result::ok);
  REQUIRE(j.append(next_version("coffee", 1)) == append_result::ok); // no event of its own
  REQUIRE(j.append(with_events(3, 3)) == append_result::ok);
  CHECK(told.empty());
  CHECK(j.run_once());
  CHECK(told == std::vector<std::uint64_t>{7, 8, 9, 10, 11});
  CHECK(sequence == std::vector<std::string>{"answer", "events"}); // once, answers first
  REQUIRE(j.append(next_version("coffee", 2)) == append_result::ok);
  CHECK(j.run_once());
  CHECK(told.size() == 5);
}
