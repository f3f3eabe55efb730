#include "domain/limits.hpp"
#include "storage/journal.hpp"
#include "storage/shard_copy.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/sample_rows.hpp"
#include <random>

namespace {
using namespace jumun;
using namespace jumun::storage;

using rows_by_key = std::map<std::pair<table, std::string>, std::string>;

rows_by_key rows_of(const store& disk, domain::shard_id shard) {
  rows_by_key all;
  shard_reader from{disk, shard};
  for (auto piece = from.next(1 << 20); !piece.empty(); piece = from.next(1 << 20))
    for (auto& e : piece) all[{e.in, e.key}] = e.value.value();
  return all;
}

struct node {
  std::shared_ptr<tests::memory_store> disk = std::make_shared<tests::memory_store>();
  journal j{disk, {true, 0, {}}};
  /// Writes what came from another node.
  void take(std::string_view wire, domain::shard_id shard) {
    const auto rows = decode_rows(wire, shard);
    REQUIRE(rows);
    write_set set;
    set.shard = shard;
    set.entries = *rows;
    REQUIRE(j.append(std::move(set)) == append_result::ok);
  }
};

std::string key_in(domain::shard_id shard, int n) {
  return std::string(1, static_cast<char>(shard)) + "key" + std::to_string(n);
}

/// Some puts and deletes in several tables, and now and then an event.
write_set some_changes(domain::shard_id shard, std::mt19937& chance) {
  static constexpr table tables[] = {table::orders, table::stock, table::movements, table::audit};
  write_set set;
  set.shard = shard;
  for (auto n = 1 + chance() % 4; n > 0; --n) {
    entry e{tables[chance() % 4], key_in(shard, static_cast<int>(chance() % 40)), {}};
    if (chance() % 4 != 0) e.value = std::to_string(chance());
    set.entries.push_back(std::move(e));
  }
  return set;
}
} // namespace

TEST_CASE("a reader gives all rows of its shard, piece by piece, and no others", "[shard_copy]") {
  node n;
  std::mt19937 chance{7};
  for (int i = 0; i < 300; ++i)
    for (const domain::shard_id shard : {0, 7, 8, 255})
      REQUIRE(n.j.append(some_changes(shard, chance)) == append_result::ok);
  n.j.flush();
  shard_reader from{*n.disk, 7};
  std::size_t seen = 0;
  for (auto piece = from.next(64); !piece.empty(); piece = from.next(64)) {
    CHECK(piece.size() < 20); // a piece ends soon after its bytes are full
    for (const auto& e : piece) {
      CHECK(e.key.front() == 7);
      CHECK(n.disk->get(e.in, e.key) == e.value);
      ++seen;
    }
  }
  std::size_t there = 0;
  for (const auto t : {table::orders, table::stock, table::movements, table::audit})
    for (int k = 0; k < 40; ++k) there += n.disk->get(t, key_in(7, k)) ? 1U : 0U;
  CHECK(seen == there);
  CHECK(rows_of(*n.disk, 255).size() > 10); // the last shard has no shard behind it
}

TEST_CASE("a piece has at most the rows of a write set", "[shard_copy]") {
  node n;
  for (std::size_t i = 0; i < 3; ++i) {
    write_set set;
    set.shard = 1;
    for (std::size_t k = 0; k < limits::write_set_entries_max; ++k)
      set.entries.push_back({table::audit, key_in(1, static_cast<int>(i * 10'000 + k)), "v"});
    REQUIRE(n.j.append(std::move(set)) == append_result::ok);
  }
  n.j.flush();
  shard_reader from{*n.disk, 1};
  CHECK(from.next(SIZE_MAX).size() == limits::write_set_entries_max);
}

TEST_CASE(
  "a copy made while its shard changes is the shard, once the tail is behind it", "[shard_copy]") {
  const auto seed = GENERATE(range(1U, 40U));
  std::mt19937 chance{seed};
  node source, target;
  constexpr domain::shard_id shard = 9;
  const auto write_some = [&](int times) {
    for (int i = 0; i < times; ++i) {
      REQUIRE(source.j.append(some_changes(shard, chance)) == append_result::ok);
      if (chance() % 3 == 0) source.j.run_once();
    }
  };
  write_some(80);
  std::vector<std::string> tail;
  source.j.tap(shard, [&](std::vector<entry> rows) { tail.push_back(encode_rows(rows)); });
  std::unique_ptr<shard_reader> from;
  source.j.when_durable([&] { from = std::make_unique<shard_reader>(*source.disk, shard); });
  source.j.flush();
  REQUIRE(from);
  for (auto piece = from->next(200); !piece.empty(); piece = from->next(200)) {
    target.take(encode_rows(piece), shard);
    write_some(3);
  }
  source.j.flush();
  source.j.tap(shard, nullptr);
  for (const auto& wire : tail) target.take(wire, shard);
  target.j.flush();
  INFO("seed " << seed);
  CHECK(rows_of(*target.disk, shard) == rows_of(*source.disk, shard));
  // And what is emptied is empty.
  shard_reader old{*source.disk, shard};
  for (auto rows = deletes_of(old.next(300)); !rows.empty(); rows = deletes_of(old.next(300))) {
    write_set set;
    set.shard = shard;
    set.entries = std::move(rows);
    REQUIRE(source.j.append(std::move(set)) == append_result::ok);
  }
  source.j.flush();
  CHECK(rows_of(*source.disk, shard).empty());
}

TEST_CASE("a tap hears of its shard alone, after the sync, before the callbacks", "[shard_copy]") {
  node n;
  std::vector<std::string> heard;
  n.j.tap(3, [&](std::vector<entry> rows) {
    for (const auto& e : rows) {
      CHECK(n.disk->get(e.in, e.key) == e.value);
      heard.push_back(e.key);
    }
  });
  for (const domain::shard_id shard : {2, 3, 4}) {
    write_set set;
    set.shard = shard;
    set.entries.push_back({table::stock, key_in(shard, 1), "row"});
    REQUIRE(n.j.append(std::move(set), [&, shard] {
      if (shard == 3) heard.emplace_back("told");
    }) == append_result::ok);
  }
  n.j.flush();
  CHECK(heard == std::vector<std::string>{key_in(3, 1), "told"});
  n.j.tap(3, nullptr);
  write_set set;
  set.shard = 3;
  set.entries.push_back({table::stock, key_in(3, 2), "row"});
  REQUIRE(n.j.append(std::move(set)) == append_result::ok);
  n.j.flush();
  CHECK(heard.size() == 2);
}

TEST_CASE("rows on the wire come back, and only those of the shard", "[shard_copy]") {
  const std::vector<entry> rows{{table::orders, key_in(5, 1), std::string("\0x", 2)},
    {table::open_sagas, key_in(5, 2), ""}, {table::stock, key_in(5, 3), {}}};
  const auto wire = encode_rows(rows);
  const auto back = decode_rows(wire, 5);
  REQUIRE(back);
  REQUIRE(back->size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK((*back)[i].in == rows[i].in);
    CHECK((*back)[i].key == rows[i].key);
    CHECK((*back)[i].value == rows[i].value);
  }
  CHECK_FALSE(decode_rows(wire, 6));
  CHECK_FALSE(decode_rows(wire.substr(0, wire.size() - 1), 5));
  CHECK_FALSE(decode_rows("", 5));
  CHECK_FALSE(decode_rows(encode_rows({{table::meta, key_in(5, 1), "x"}}), 5)); // not a shard's
}

TEST_CASE("what a folder holds of a shard that it is given reads back", "[shard_copy]") {
  const auto back = decode_copy(encode(shard_copy{12, "n2", "move-7", true}));
  REQUIRE(back);
  CHECK(back->epoch == 12);
  CHECK(back->from == "n2");
  CHECK(back->move == "move-7");
  CHECK(back->complete);
  CHECK_FALSE(decode_copy("x"));
  const auto given = decode_given(encode(shard_given{11, "n3"}));
  REQUIRE(given);
  CHECK(given->epoch == 11);
  CHECK(given->to == "n3");
  CHECK_FALSE(decode_given("x"));
}
