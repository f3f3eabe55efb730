#include "storage/check.hpp"
#include "storage/rows.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_dir.hpp"
#include <fstream>
#include <set>

using namespace jumun;
using storage::table;

namespace {
constexpr domain::shard_id of_a = 7;
const auto go_on = [](std::uint64_t) { return true; };

/// A cluster of two: shard 7 is a's, all others are b's.
domain::shard_map map_of_two() {
  domain::shard_map map;
  map.version = 3;
  for (auto& s : map.shards) s = {"b", 1};
  map.shards[of_a] = {"a", 2};
  return map;
}
std::shared_ptr<tests::memory_store> folder_of(const std::string& node) {
  auto disk = std::make_shared<tests::memory_store>();
  if (disk->apply({storage::holdings_row("shop", node),
        {table::meta, std::string{storage::shard_map_key}, storage::encode(map_of_two())}}))
    FAIL("the store took no row");
  return disk;
}
std::vector<std::string> codes_of(const storage::check_report& r) {
  std::vector<std::string> codes;
  for (const auto& f : r.findings) codes.push_back(f.code);
  return codes;
}
void put(storage::store& disk, table in, std::string key, std::string value) {
  if (disk.apply({{in, std::move(key), std::move(value)}})) FAIL("the store took no row");
}
std::shared_ptr<storage::joined_store> joined(
  const std::shared_ptr<storage::store>& a, const std::shared_ptr<storage::store>& b) {
  return std::make_shared<storage::joined_store>(std::vector<storage::joined_store::part>{
    {a, storage::read_holdings(*a)->shards}, {b, storage::read_holdings(*b)->shards}});
}
} // namespace

TEST_CASE("a folder says whose it is, and which shards it holds", "[holdings][cluster]") {
  const auto a = folder_of("a");
  const auto held = storage::read_holdings(*a);
  REQUIRE(held);
  CHECK(held->cluster == "shop");
  CHECK(held->node == "a");
  CHECK(domain::numbers_of(held->shards) == std::vector<int>{of_a});
  tests::memory_store alone;
  CHECK(storage::read_holdings(alone)->shards.all());
  CHECK_FALSE(storage::read_holdings(alone)->of_cluster());
  put(*a, table::meta, std::string{storage::shard_map_key}, "damaged");
  CHECK_FALSE(storage::read_holdings(*a));
  CHECK(codes_of(storage::check_store(*a, {}, go_on)) == std::vector<std::string>{"holdings"});
}

TEST_CASE("claims on shards elsewhere are counted in one folder, and compared in all of them",
  "[check][cluster]") {
  const auto a = folder_of("a"), b = folder_of("b");
  const auto order = domain::make_order_id(of_a, 1'700'000'000'000, 0, 1);
  const std::string sku = "tea";
  REQUIRE(domain::shard_of(sku) != of_a);
  domain::reservation tombstone;
  tombstone.order = order;
  tombstone.sku = sku;
  tombstone.state = domain::reservation_state::released;
  put(*b, table::reservations, storage::reservation_key(sku, order, 0), storage::encode(tombstone));
  // What b has kept of a shard that it gave up counts for nothing.
  put(*b, table::orders, storage::order_key(order), "of an older owner");

  const auto alone = storage::check_store(*b, {}, go_on);
  CHECK(codes_of(alone).empty());
  CHECK(alone.elsewhere == 1);
  storage::holdings all{"shop", "a,b", domain::all_shards()};
  const auto together = storage::check_store(*joined(a, b), {}, go_on, all);
  CHECK(codes_of(together) == std::vector<std::string>{"reservation-without-order"});
  CHECK(together.elsewhere == 0);
}

TEST_CASE("joined folders read as one store, each shard from its holder", "[holdings][cluster]") {
  const auto a = folder_of("a"), b = folder_of("b");
  const auto key = [](domain::shard_id shard, char rest) {
    return std::string{static_cast<char>(shard), rest};
  };
  for (const domain::shard_id shard : {6, 7, 8})
    for (const char rest : {'x', 'y'}) {
      put(*a, table::audit, key(shard, rest), "a");
      put(*b, table::audit, key(shard, rest), "b");
    }
  const auto both = joined(a, b);
  const auto walk = [&](const std::string& from, const std::string& to, storage::direction way) {
    std::string seen;
    for (const auto at = both->scan(table::audit, from, to, way); at->valid(); at->next())
      seen += std::to_string(static_cast<int>(at->key()[0])) + at->key()[1]
              + std::string{at->value()} + ' ';
    return seen;
  };
  using storage::direction;
  CHECK(walk("", "", direction::forward) == "6xb 6yb 7xa 7ya 8xb 8yb ");
  CHECK(walk("", "", direction::backward) == "8yb 8xb 7ya 7xa 6yb 6xb ");
  CHECK(walk(key(6, 'y'), key(8, 'x'), direction::forward) == "6yb 7xa 7ya ");
  CHECK(walk(key(6, 'y'), key(8, 'y'), direction::backward) == "8xb 7ya 7xa 6yb ");
  CHECK(walk(key(9, 'x'), "", direction::forward).empty());
  CHECK(both->get(table::audit, key(of_a, 'x')) == "a");
  CHECK(both->get(table::audit, key(8, 'x')) == "b");
  CHECK_FALSE(both->get(table::audit, key(8, 'z')));
}

TEST_CASE("a folder knows its lives, whose numbers only rise", "[holdings]") {
  using life = storage::folder_life;
  tests::temp_dir at;
  const auto folder = at.path().string();
  tests::memory_store disk;
  CHECK(storage::life_of(disk) == life{});
  CHECK_FALSE(storage::life_joined_row(disk));
  const auto begin = [&](std::uint64_t now_ms) {
    CHECK(!storage::begin_life(disk, folder, now_ms, /*chance=*/7));
    return *storage::life_of(disk);
  };
  const auto join = [&] { CHECK(!disk.apply({*storage::life_joined_row(disk)})); };
  const auto first = begin(5'000);
  CHECK(first.joined == life::none_yet); // so that a copy of it can be told, too
  CHECK(first.now > first.joined);
  CHECK(begin(6'000) == first); // it has not joined: that start does not count
  join();
  CHECK(storage::life_of(disk) == life{first.now, first.now});
  const auto second = begin(4'000); // the clock has gone back
  CHECK(second.joined == first.now);
  CHECK(second.now > first.now);
  join();
  const auto third = begin(9'000);
  CHECK(third.joined == second.now);
  CHECK(third.now > second.now);
  std::ofstream{at.path() / storage::restored_mark};
  const auto restored = begin(9'000); // though one is begun, which was not the backup's
  CHECK(restored.joined == 0);
  CHECK(restored.now > third.now);
  CHECK(begin(9'600) == restored); // the mark is gone, and it has not joined
  join();
  CHECK(begin(9'600).joined == restored.now);
  for (const auto* bad : {"", "9", "9 ", "x 9", "9 9x"}) {
    put(disk, table::meta, std::string{storage::life_key}, bad);
    CHECK(!storage::life_of(disk));
    CHECK(storage::begin_life(disk, folder, 9'700, 7)->code == storage::errc::corrupt);
  }
}

TEST_CASE("no two copies of a folder begin a life of the same number", "[holdings]") {
  const tests::temp_dir at;
  std::set<std::uint64_t> all;
  for (const std::uint64_t now_ms : {5'000, 5'000, 4'000, 4'000}) { // at once, or by a clock behind
    tests::memory_store copy;
    put(copy, table::meta, std::string{storage::life_key}, "9000000000 9000000000");
    CHECK(!storage::begin_life(copy, at.path().string(), now_ms, /*chance=*/all.size()));
    all.insert(storage::life_of(copy)->now);
  }
  CHECK(all.size() == 4);
}
