#include "storage/customer_index.hpp"
#include "storage/journal.hpp"
#include "storage/merge.hpp"
#include "storage/queries.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/sample_rows.hpp"
#include <set>
#include <utility>

namespace {
using namespace jumun;
using namespace jumun::storage;
using store_ptr = std::shared_ptr<tests::memory_store>;

constexpr std::int64_t start_ms = 1'763'832'000'000;

/// Order n is accepted n minutes after start_ms, in a shard of its own.
domain::order order_number(std::uint64_t n) {
  auto o = tests::sample_order();
  o.blocked = o.poisoned = o.paused = false;
  o.created_ms = start_ms + static_cast<std::int64_t>(n) * 60'000;
  o.id = domain::make_order_id(static_cast<domain::shard_id>(n * 37), o.created_ms, 0, n);
  o.customer = n % 2 ? "odd" : "even";
  return o;
}
void put(tests::memory_store& to, const domain::order& o) {
  std::vector<entry> rows{{table::orders, order_key(o.id), encode(o)}};
  rows.push_back({table::customer_orders, customer_order_key(o.customer, o.id), ""});
  if (domain::open(o)) rows.push_back({table::open_sagas, order_key(o.id), ""});
  REQUIRE_FALSE(to.apply(rows));
}
store_ptr with_orders(std::uint64_t count) {
  auto disk = std::make_shared<tests::memory_store>();
  for (std::uint64_t n = 1; n <= count; ++n) put(*disk, order_number(n));
  return disk;
}

/// All rows of a list, page by page; fails on a page that is too long or never ends.
template <class List> auto all_pages(std::size_t limit, const List& list) {
  std::decay_t<decltype(list(std::string{})->rows)> out;
  std::string cursor;
  for (int pages = 0; pages < 1'000; ++pages) {
    auto page = list(cursor);
    REQUIRE(page);
    REQUIRE(page->rows.size() <= limit);
    for (auto& row : page->rows) out.push_back(std::move(row));
    cursor = page->next_cursor;
    if (cursor.empty()) return out;
  }
  FAIL("pages without end");
  return out;
}
order_filter only(std::string order_filter::*field, const char* value) {
  order_filter f;
  f.*field = value;
  return f;
}
order_filter between(std::optional<std::int64_t> after, std::optional<std::int64_t> before) {
  order_filter f;
  f.created_after_ms = after;
  f.created_before_ms = before;
  return f;
}
std::vector<std::uint64_t> numbers(const std::vector<domain::order>& orders) {
  std::vector<std::uint64_t> out;
  for (const auto& o : orders) out.push_back(o.id.lo);
  return out;
}
} // namespace

TEST_CASE("orders of all shards are listed newest first, page by page, each once", "[queries]") {
  const auto disk = with_orders(25);
  std::vector<std::uint64_t> expected;
  for (std::uint64_t n = 25; n >= 1; --n) expected.push_back(n);
  for (const std::size_t limit : {1U, 4U, 5U, 25U, 200U}) {
    CAPTURE(limit);
    const auto all =
      all_pages(limit, [&](const std::string& at) { return list_orders(*disk, {}, limit, at); });
    CHECK(numbers(all) == expected);
  }
}

TEST_CASE("the last page has no cursor, also when it is full", "[queries]") {
  const auto disk = with_orders(4);
  const auto first = list_orders(*disk, {}, 2, "");
  REQUIRE(first);
  CHECK_FALSE(first->next_cursor.empty());
  const auto second = list_orders(*disk, {}, 2, first->next_cursor);
  REQUIRE(second);
  CHECK(second->rows.size() == 2);
  CHECK(second->next_cursor.empty());
}

TEST_CASE("orders accepted in the same millisecond by several shards are all listed", "[queries]") {
  auto disk = std::make_shared<tests::memory_store>();
  for (std::uint64_t n = 0; n < 10; ++n) {
    auto o = order_number(1);
    o.id = domain::make_order_id(static_cast<domain::shard_id>(n * 25), o.created_ms, 0, 5);
    put(*disk, o);
  }
  const auto all =
    all_pages(3, [&](const std::string& at) { return list_orders(*disk, {}, 3, at); });
  CHECK(all.size() == 10);
  std::set<std::uint64_t> ids;
  for (const auto& o : all) ids.insert(o.id.hi);
  CHECK(ids.size() == 10);
}

TEST_CASE("orders are filtered by customer, time, SKU, status and saga", "[queries]") {
  const auto disk = with_orders(10);
  auto moving = order_number(3);
  moving.at = domain::phase::releasing;
  moving.why = domain::ending::cancel;
  put(*disk, moving);
  const auto list = [&](const order_filter& f) {
    return numbers(
      all_pages(2, [&](const std::string& at) { return list_orders(*disk, f, 2, at); }));
  };
  using list_of = std::vector<std::uint64_t>;
  CHECK(list(only(&order_filter::customer, "even")) == list_of{10, 8, 6, 4, 2});
  CHECK(list(only(&order_filter::customer, "nobody")).empty());
  CHECK(list(only(&order_filter::sku, "americano")).size() == 10);
  CHECK(list(only(&order_filter::sku, "tea")).empty());
  CHECK(list(only(&order_filter::status, "cancelling")) == list_of{3});
  CHECK(list(only(&order_filter::status, "shipped")).size() == 9);
  CHECK(list(only(&order_filter::saga, "waiting")) == list_of{3});
  const auto at = [](std::int64_t n) { return start_ms + n * 60'000; };
  CHECK(list(between(at(8), {})) == list_of{10, 9});
  CHECK(list(between({}, at(3))) == list_of{2, 1});
  CHECK(list(between(at(4), at(6))) == list_of{5});
  CHECK(list(between(-1, INT64_MAX)).size() == 10);
  CHECK(list(between(INT64_MAX, {})).empty());
  CHECK(list(between({}, INT64_MIN)).empty());
}

TEST_CASE(
  "a filter that matches rarely ends its page early, with a cursor that gets there", "[queries]") {
  auto disk = std::make_shared<tests::memory_store>();
  std::vector<entry> rows;
  for (std::uint64_t n = 1; n <= 10'500; ++n) {
    auto o = order_number(n);
    o.lines[0].sku = n == 1 ? "rare" : "common";
    rows.push_back({table::orders, order_key(o.id), encode(o)});
  }
  REQUIRE_FALSE(disk->apply(rows));
  const auto first = list_orders(*disk, only(&order_filter::sku, "rare"), 50, "");
  REQUIRE(first);
  CHECK(first->rows.empty());
  REQUIRE_FALSE(first->next_cursor.empty());
  const auto second = list_orders(*disk, only(&order_filter::sku, "rare"), 50, first->next_cursor);
  REQUIRE(second);
  CHECK(numbers(second->rows) == std::vector<std::uint64_t>{1});
  CHECK(second->next_cursor.empty());
}

TEST_CASE("a cursor that isn't this list's is refused", "[queries]") {
  const auto disk = with_orders(3);
  const auto page = list_orders(*disk, {}, 1, "");
  REQUIRE(page);
  const auto good = page->next_cursor;
  REQUIRE(list_orders(*disk, {}, 1, good));
  CHECK_FALSE(list_sagas(*disk, {}, 1, good));
  CHECK_FALSE(list_stock(*disk, 1, good));
  CHECK_FALSE(list_movements(*disk, "tea", 1, good));
  for (const auto& bad : {good + "A", good.substr(0, good.size() - 1), std::string{"o"},
         std::string{"!"}, std::string(500, 'o'), good.substr(1), "o " + good.substr(2)})
    CHECK_FALSE(list_orders(*disk, {}, 1, bad));
  CHECK_FALSE(list_stock(*disk, 1, cursor_text('s', "no SKU's key")));
  CHECK_FALSE(list_movements(*disk, "tea", 1, cursor_text('m', movement_key("coffee", 1))));
}

TEST_CASE("open sagas are listed oldest first, by state", "[queries]") {
  const auto disk = with_orders(4); // at rest: not in the index
  for (const std::uint64_t n : {8U, 6U, 7U}) {
    auto o = order_number(n);
    o.at = domain::phase::charging;
    o.next_attempt_ms = 0;
    o.blocked = n == 7;
    put(*disk, o);
  }
  const auto list = [&](const std::string& state) {
    order_filter f;
    f.saga = state;
    return numbers(
      all_pages(1, [&](const std::string& at) { return list_sagas(*disk, f, 1, at); }));
  };
  CHECK(list("") == std::vector<std::uint64_t>{6, 7, 8});
  CHECK(list("blocked") == std::vector<std::uint64_t>{7});
  CHECK(list("running") == std::vector<std::uint64_t>{6, 8});
  CHECK(list("paused").empty());
  CHECK(list("done").size() == 4); // at rest: found among all orders
  const auto seventh = order_number(7).id;
  CHECK(open_orders(*disk, domain::shard_of(seventh)) == std::vector<domain::order_id>{seventh});
  CHECK(open_orders(*disk, 255).empty());
}

TEST_CASE("sagas are found by customer, SKU and age", "[queries]") {
  const auto disk = with_orders(0);
  for (std::uint64_t n = 1; n <= 6; ++n) {
    auto o = order_number(n);
    o.at = domain::phase::charging;
    if (n == 3) o.lines[0].sku = "tea";
    put(*disk, o);
  }
  const auto list = [&](const order_filter& f) {
    return numbers(
      all_pages(2, [&](const std::string& at) { return list_sagas(*disk, f, 2, at); }));
  };
  using ids = std::vector<std::uint64_t>;
  CHECK(list(only(&order_filter::customer, "even")) == ids{2, 4, 6});
  CHECK(list(only(&order_filter::sku, "tea")) == ids{3});
  CHECK(list(between({}, start_ms + 3 * 60'000)) == ids{1, 2});
}

TEST_CASE("a customer's orders are found without looking at anybody else's", "[queries]") {
  struct counting_store final : store {
    tests::memory_store rows;
    mutable std::size_t reads = 0;
    std::optional<failure> apply(const std::vector<entry>& all) override { return rows.apply(all); }
    std::optional<std::string> get(table in, std::string_view key) const override {
      ++reads;
      return rows.get(in, key);
    }
    std::unique_ptr<cursor> scan(
      table in, std::string_view from, std::string_view to, direction way) const override {
      CHECK(in == table::customer_orders); // never the table of all orders
      return rows.scan(in, from, to, way);
    }
  };
  counting_store disk;
  for (std::uint64_t n = 1; n <= 60; ++n) {
    auto o = order_number(n);
    o.customer = n % 20 == 0 ? "c-1" : n % 2 ? "c-10" : "c-";
    put(disk.rows, o);
  }
  disk.reads = 0;
  auto f = only(&order_filter::customer, "c-1");
  const auto mine = [&](std::size_t limit) {
    return numbers(
      all_pages(limit, [&](const std::string& at) { return list_orders(disk, f, limit, at); }));
  };
  CHECK(mine(50) == std::vector<std::uint64_t>{60, 40, 20});
  CHECK(disk.reads == 3);
  CHECK(mine(1) == std::vector<std::uint64_t>{60, 40, 20});
  f.created_before_ms = order_number(60).created_ms;
  f.created_after_ms = order_number(20).created_ms;
  CHECK(mine(50) == std::vector<std::uint64_t>{40});
}

TEST_CASE(
  "the customers' index is made once for a folder that an older release wrote", "[queries]") {
  const auto disk = std::make_shared<tests::memory_store>();
  for (std::uint64_t n = 1; n <= 2'500; ++n) {
    const auto o = order_number(n);
    REQUIRE_FALSE(disk->apply({{table::orders, order_key(o.id), encode(o)}}));
  }
  const auto odd = only(&order_filter::customer, "odd");
  const auto all = [&] {
    return all_pages(200, [&](const std::string& at) { return list_orders(*disk, odd, 200, at); });
  };
  CHECK(all().empty());
  disk->fail_at(disk->applies() + 2); // the power goes in the middle
  CHECK(build_customer_index(*disk));
  disk->revive();
  CHECK_FALSE(has_customer_index(*disk));
  CHECK_FALSE(build_customer_index(*disk));
  CHECK(all().size() == 1'250);
  const auto writes = disk->applies();
  CHECK_FALSE(build_customer_index(*disk)); // once
  CHECK(disk->applies() == writes);
}

TEST_CASE("stock and products are listed by SKU over all shards", "[queries]") {
  auto disk = std::make_shared<tests::memory_store>();
  std::vector<std::string> skus;
  for (char c = 'a'; c <= 'z'; ++c) skus.push_back(std::string("sku-") + c);
  for (const auto& sku : skus) {
    auto s = tests::sample_stock();
    auto p = tests::sample_product();
    s.sku = p.sku = sku;
    REQUIRE_FALSE(disk->apply(
      {{table::stock, sku_key(sku), encode(s)}, {table::products, sku_key(sku), encode(p)}}));
  }
  std::vector<std::string> stock, products;
  for (auto& s : all_pages(4, [&](const std::string& at) { return list_stock(*disk, 4, at); }))
    stock.push_back(s.sku);
  for (auto& p : all_pages(4, [&](const std::string& at) { return list_products(*disk, 4, at); }))
    products.push_back(p.sku);
  CHECK(stock == skus);
  CHECK(products == skus);
  CHECK(find_stock(*disk, "sku-a"));
  CHECK(find_product(*disk, "sku-a"));
  CHECK_FALSE(find_stock(*disk, "sku-"));
}

TEST_CASE("movements are listed newest first, and only the SKU's own", "[queries]") {
  auto disk = std::make_shared<tests::memory_store>();
  const auto put_movement = [&](const std::string& sku, std::uint64_t number) {
    auto m = tests::sample_movement();
    m.sku = sku;
    m.number = number;
    REQUIRE_FALSE(disk->apply({{table::movements, movement_key(sku, number), encode(m)}}));
  };
  for (std::uint64_t n = 1; n <= 300; ++n) put_movement("tea", n);
  put_movement("tea-", 1);
  put_movement("te", 1);
  const auto all =
    all_pages(7, [&](const std::string& at) { return list_movements(*disk, "tea", 7, at); });
  REQUIRE(all.size() == 300);
  CHECK(all.front().number == 300);
  CHECK(all.back().number == 1);
}

namespace {
/// An event of that SKU at that offset, as a commit or a shard that moved here leaves it.
void put_event(store& disk, const std::string& sku, std::uint64_t sequence, std::uint64_t offset) {
  domain::event e;
  e.type = domain::event_type::stock_adjusted, e.key = sku, e.sequence = sequence;
  auto row = encode(e);
  set_version(row, offset);
  REQUIRE_FALSE(disk.apply({{table::feed, feed_key(domain::shard_of(sku), offset), history_key(e)},
    {table::history, history_key(e), std::move(row)},
    {table::meta, "last_offset", feed_key(0, 10).substr(1)}}));
}
std::vector<std::uint64_t> offsets(const feed_page& page) {
  std::vector<std::uint64_t> out;
  for (const auto& row : page.rows) out.push_back(row.offset);
  return out;
}
using counts = std::vector<std::uint64_t>;
} // namespace

TEST_CASE("a part of the feed begins in each shard where its reader is", "[queries][cluster]") {
  auto disk = std::make_shared<tests::memory_store>();
  const std::string tea = "tea", cake = "cake";
  for (std::uint64_t n = 1; n <= 6; ++n) put_event(*disk, n % 2 ? tea : cake, (n + 1) / 2, n);
  domain::feed_position after;
  const auto ours = domain::all_shards();
  CHECK(offsets(read_feed(*disk, "", "", after, true, 50, ours)) == counts{1, 2, 3, 4, 5, 6});
  after.of[domain::shard_of(tea)] = 3;
  CHECK(offsets(read_feed(*disk, "", "", after, true, 50, ours)) == counts{2, 4, 5, 6});
  const auto page = read_feed(*disk, "", "", after, true, 2, ours);
  CHECK(offsets(page) == counts{2, 4});
  CHECK(page.next == 4);
  CHECK_FALSE(page.at_end);
  after.of[domain::shard_of(cake)] = domain::feed_position::latest;
  CHECK(offsets(read_feed(*disk, "", "", after, true, 50, ours)) == counts{5});
  CHECK(read_feed(*disk, "", cake, after, true, 50, ours).rows.empty());
  CHECK(offsets(read_feed(*disk, "", tea, after, true, 50, ours)) == counts{5});
  auto others = ours;
  others.reset(domain::shard_of(tea));
  CHECK(offsets(read_feed(*disk, "", "", {}, true, 50, others)) == counts{2, 4, 6});
  CHECK(read_feed(*disk, "", tea, {}, true, 50, others).rows.empty());
}

TEST_CASE("events of one offset are never parted by a page's end", "[queries][cluster]") {
  auto disk = std::make_shared<tests::memory_store>();
  put_event(*disk, "tea", 1, 1), put_event(*disk, "tea", 2, 2), put_event(*disk, "tea", 3, 3);
  put_event(*disk, "cake", 1, 2); // its shard came from another node
  auto page = read_feed(*disk, "", "", std::nullopt, 2);
  CHECK(offsets(page) == counts{1, 2, 2});
  CHECK(page.next == 2);
  CHECK(offsets(read_feed(*disk, "", "", page.next, 2)) == counts{3});
  page = read_feed(*disk, "", "", domain::feed_position{}, true, 2, domain::all_shards());
  CHECK(offsets(page) == counts{1, 2, 2});
}

TEST_CASE(
  "a list has the rows of the shards that it is asked for, with their keys", "[queries][cluster]") {
  const auto disk = with_orders(8);
  domain::shard_set some;
  for (std::uint64_t n = 1; n <= 4; ++n) some.set(domain::shard_of(order_number(n).id));
  const auto page = list_orders(*disk, {}, 50, "", some);
  REQUIRE(page);
  REQUIRE(page->keys.size() == page->rows.size());
  CHECK(page->rows.size() >= 4);
  CHECK(page->rows.size() < 8);
  for (std::size_t i = 0; i < page->rows.size(); ++i) {
    CHECK(some.test(domain::shard_of(page->rows[i].id)));
    CHECK(page->keys[i] == order_key(page->rows[i].id));
  }
  CHECK(page->kind == list_orders(*disk, {}, 1, "")->next_cursor.front());
}

TEST_CASE("the feed is merged by offset, filtered, and resumed without a gap", "[queries]") {
  auto disk = std::make_shared<tests::memory_store>();
  journal j{disk, {true, 0, {}}};
  for (std::uint64_t n = 1; n <= 40; ++n) {
    const auto sku = "sku-" + std::to_string(n % 4);
    domain::event e;
    e.type = n % 2 ? domain::event_type::stock_adjusted : domain::event_type::order_placed;
    e.key = n % 2 ? sku : domain::to_text(domain::id_kind::order, order_number(n).id);
    e.sequence = n;
    write_set set;
    set.shard = n % 2 ? domain::shard_of(sku) : domain::shard_of(order_number(n).id);
    set.events = {e};
    REQUIRE(j.append(std::move(set)) == append_result::ok);
  }
  CHECK(read_feed(*disk, "", "", 0, 50).rows.empty()); // nothing is durable yet
  CHECK(read_feed(*disk, "", "", 0, 50).next == 0);
  j.flush();
  std::uint64_t after = 0, seen = 0;
  for (int pages = 0; pages < 20 && after < 40; ++pages) {
    const auto page = read_feed(*disk, "", "", after, 7);
    for (const auto& item : page.rows) CHECK(item.offset == ++seen);
    after = page.next;
    CHECK(after == seen);
    CHECK(page.at_end == (seen == 40));
  }
  CHECK(seen == 40);
  CHECK(read_feed(*disk, "", "", 40, 7).next == 40);
  CHECK(read_feed(*disk, "", "", 99, 7).next == 99);
  CHECK(read_feed(*disk, "orders", "", 0, 200).rows.size() == 20);
  const auto one_sku = read_feed(*disk, "inventory", "sku-1", 0, 200);
  CHECK(one_sku.rows.size() == 10);
  CHECK(one_sku.next == 40);
  const auto key = domain::to_text(domain::id_kind::order, order_number(2).id);
  CHECK(read_feed(*disk, "", key, 0, 200).rows.size() == 1);
}

TEST_CASE("a follower of the feed misses nothing that is committed while it reads", "[queries]") {
  /// Commits one event to shard 0 and one to shard 255 between the reader's first and last scan.
  struct racing_store final : store {
    tests::memory_store rows;
    mutable std::function<void()> at_shard_200;
    std::optional<failure> apply(const std::vector<entry>& all) override { return rows.apply(all); }
    std::optional<std::string> get(table in, std::string_view key) const override {
      return rows.get(in, key);
    }
    std::unique_ptr<cursor> scan(
      table in, std::string_view from, std::string_view to, direction way) const override {
      if (at_shard_200 && from.front() == static_cast<char>(200))
        std::exchange(at_shard_200, nullptr)();
      return rows.scan(in, from, to, way);
    }
  };
  auto disk = std::make_shared<racing_store>();
  journal j{disk, {true, 0, {}}};
  std::uint64_t sequence = 0;
  const auto append = [&](domain::shard_id shard) {
    domain::event e;
    e.key = domain::to_text(domain::id_kind::order, domain::make_order_id(shard, 1, 1, 1));
    e.sequence = ++sequence;
    write_set set;
    set.shard = shard;
    set.events = {e};
    REQUIRE(j.append(std::move(set)) == append_result::ok);
  };
  append(1);
  j.flush();
  disk->at_shard_200 = [&] {
    append(0);
    append(255);
    j.flush();
  };
  std::vector<std::uint64_t> offsets;
  std::uint64_t after = 0;
  for (int i = 0; i < 3; ++i) {
    const auto page = read_feed(*disk, "", "", after, 50);
    for (const auto& item : page.rows) offsets.push_back(item.offset);
    after = page.next;
  }
  CHECK(offsets == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("an order's history is its own, by sequence", "[queries]") {
  auto disk = std::make_shared<tests::memory_store>();
  journal j{disk, {true, 0, {}}};
  for (const auto id : {order_number(1).id, order_number(2).id}) {
    write_set set;
    set.shard = domain::shard_of(id);
    for (std::uint64_t n = 1; n <= 300; ++n) {
      domain::event e;
      e.key = domain::to_text(domain::id_kind::order, id);
      e.sequence = n;
      set.events.push_back(e);
    }
    REQUIRE(j.append(std::move(set)) == append_result::ok);
  }
  j.flush();
  const auto history_of = [&](std::uint64_t n) {
    return read_feed(
      *disk, "", domain::to_text(domain::id_kind::order, order_number(n).id), {}, 999);
  };
  const auto history = history_of(1);
  REQUIRE(history.rows.size() == 300);
  for (std::uint64_t n = 0; n < 300; ++n) CHECK(history.rows[n].fact.sequence == n + 1);
  CHECK(history.at_end);
  CHECK(history_of(3).rows.empty());
  CHECK_FALSE(find_order(*disk, order_number(1).id));
}

TEST_CASE("the audit log is listed newest first over all shards, and filtered", "[queries]") {
  const auto disk = std::make_shared<tests::memory_store>();
  for (std::uint64_t n = 1; n <= 40; ++n) {
    auto e = tests::sample_audit();
    e.time_ms = static_cast<std::int64_t>(1'000 + n / 2); // two entries share each millisecond
    e.principal = n % 4 == 0 ? "kim" : "lee";
    e.action = n % 2 == 0 ? "saga.pause" : "actor.restart";
    e.target = std::to_string(n);
    REQUIRE_FALSE(disk->apply(
      {{table::audit, audit_key(static_cast<domain::shard_id>(n * 37), e.time_ms, n), encode(e)}}));
  }
  const auto listed = [&](const audit_filter& f) {
    return all_pages(7, [&](const std::string& at) { return list_audit(*disk, f, 7, at); });
  };
  const auto all = listed({});
  REQUIRE(all.size() == 40);
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1].time_ms >= all[i].time_ms);
  CHECK(all.front().target == "40");
  CHECK(listed({"kim", "", ""}).size() == 10);
  CHECK(listed({"", "actor.restart", ""}).size() == 20);
  CHECK(listed({"", "", "7"}).size() == 1);
  CHECK(listed({"kim", "actor.restart", ""}).empty());
  CHECK_FALSE(list_audit(*disk, {}, 7, cursor_text('a', "short")));
}

TEST_CASE("one key's events keep their cursors, also those of a release that didn't store them",
  "[queries][events]") {
  auto disk = std::make_shared<tests::memory_store>();
  journal j{disk, {true, 0, {}}};
  const auto key = domain::to_text(domain::id_kind::order, order_number(1).id);
  for (std::uint64_t n = 1; n <= 6; ++n) {
    domain::event mine, other;
    mine.key = key, mine.sequence = n;
    other.type = domain::event_type::stock_adjusted, other.key = "tea", other.sequence = n;
    write_set set;
    set.shard = domain::shard_of(order_number(1).id);
    set.events = {mine};
    REQUIRE(j.append(std::move(set)) == append_result::ok);
    set.shard = domain::shard_of("tea");
    set.events = {other};
    REQUIRE(j.append(std::move(set)) == append_result::ok);
  }
  j.flush();
  const auto offsets = [&](std::optional<std::uint64_t> after, std::size_t limit) {
    std::vector<std::uint64_t> out;
    const auto page = read_feed(*disk, "", key, after, limit);
    for (const auto& row : page.rows) out.push_back(row.offset);
    out.push_back(page.next);
    return out;
  };
  using list = std::vector<std::uint64_t>;
  for (const bool old : {false, true}) {
    CAPTURE(old);
    if (old) {
      domain::event third;
      third.key = key, third.sequence = 3;
      REQUIRE_FALSE(disk->apply({{table::history, history_key(third), encode(third)}}));
    }
    CHECK(offsets({}, 200) == list{1, 3, 5, 7, 9, 11, 12});
    CHECK(offsets({}, 2) == list{1, 3, 3});
    CHECK(offsets(3, 3) == list{5, 7, 9, 9});
    CHECK(offsets(9, 3) == list{11, 12});
    CHECK(offsets(11, 3) == list{12});
  }
}
