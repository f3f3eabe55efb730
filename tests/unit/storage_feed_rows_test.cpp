#include "storage/feed_rows.hpp"
#include "storage/feed_trim.hpp"
#include "storage/queries.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"

namespace {
using namespace jumun;
using namespace jumun::storage;

struct feed {
  std::shared_ptr<tests::memory_store> disk = std::make_shared<tests::memory_store>();

  /// An event of this order at this offset, in history; its key there.
  std::string add(domain::order_id id, std::uint64_t sequence, std::uint64_t offset) {
    domain::event e;
    e.type = domain::event_type::order_placed;
    e.key = domain::to_text(domain::id_kind::order, id);
    e.sequence = sequence;
    auto row = encode(e);
    set_version(row, offset);
    REQUIRE_FALSE(disk->apply({{table::history, history_key(e), row}}));
    return history_key(e);
  }
  void row(domain::order_id id, const std::vector<to_feed>& run) {
    REQUIRE_FALSE(disk->apply({feed_row(feed_key(domain::shard_of(id), run.back().offset), run)}));
  }
  void last(std::uint64_t offset) {
    REQUIRE_FALSE(disk->apply({{table::meta, "last_offset", feed_key(0, offset).substr(1)}}));
  }
  [[nodiscard]] std::vector<std::uint64_t> offsets(
    std::uint64_t after, std::size_t limit = 100) const {
    std::vector<std::uint64_t> all;
    for (const auto& e : read_feed(*disk, "", "", after, limit).rows) all.push_back(e.offset);
    return all;
  }
};

const auto here = domain::make_order_id(1, 1'000, 0, 1);
const auto there = domain::make_order_id(2, 1'000, 0, 2);
using numbers = std::vector<std::uint64_t>;
} // namespace

TEST_CASE("runs of several shards are read as one feed, from any offset on", "[feed]") {
  feed f;
  const auto a1 = f.add(here, 1, 1), a3 = f.add(here, 2, 3), a4 = f.add(here, 3, 4);
  const auto b2 = f.add(there, 1, 2), b5 = f.add(there, 2, 5);
  f.row(here, {{1, a1}, {3, a3}, {4, a4}});
  f.row(there, {{2, b2}, {5, b5}});
  f.last(5);
  CHECK(f.offsets(0) == numbers{1, 2, 3, 4, 5});
  CHECK(f.offsets(2) == numbers{3, 4, 5});
  CHECK(f.offsets(4) == numbers{5});
  CHECK(f.offsets(5).empty());
  CHECK(f.offsets(1, 2) == numbers{2, 3});
  const auto page = read_feed(*f.disk, "", "", 0, 3);
  CHECK(page.next == 3);
  CHECK_FALSE(page.at_end);
}

TEST_CASE("a row that a release before 0.2 wrote is a run of one", "[feed]") {
  feed f;
  const auto old = f.add(here, 1, 1), young = f.add(here, 2, 2);
  REQUIRE_FALSE(f.disk->apply({{table::feed, feed_key(domain::shard_of(here), 1), old}}));
  f.row(here, {{2, young}});
  f.last(2);
  CHECK(f.offsets(0) == numbers{1, 2});
  CHECK((read_feed_row(feed_key(1, 7), old) == std::vector<fed>{{7, old}}));
}

TEST_CASE("a damaged row of the feed is known", "[feed]") {
  const auto row = feed_row(feed_key(1, 9), {{8, "\x01o-eight"}, {9, "\x01o-nine"}});
  CHECK(read_feed_row(row.key, *row.value)->size() == 2);
  CHECK_FALSE(read_feed_row(row.key, row.value->substr(0, row.value->size() - 1)));
  CHECK_FALSE(read_feed_row(row.key, ""));
  CHECK_FALSE(read_feed_row("short", *row.value));
  CHECK_FALSE(read_feed_row(feed_key(1, 1), *row.value)); // it reaches below offset 1
}

TEST_CASE("retention takes what it may out of a run, and leaves the rest under its key", "[feed]") {
  feed f;
  const auto a = f.add(here, 1, 1), b = f.add(here, 2, 2), c = f.add(here, 3, 3);
  f.row(here, {{1, a}, {2, b}, {3, c}});
  f.last(3);
  auto old = read_oldest(*f.disk, domain::all_shards(), 3);
  REQUIRE(old.size() == 3);
  old[0].order_open = true; // as if it were another order's, and that one open
  REQUIRE_FALSE(f.disk->apply(trimming(*f.disk, old, domain::all_shards(), 3).entries));
  CHECK(f.disk->rows(table::history) == 1);
  CHECK(f.disk->rows(table::feed) == 1);
  const auto left = read_left_behind(*f.disk, domain::all_shards(), 1, 10);
  REQUIRE(left.size() == 1);
  CHECK(left[0].offset == 1);
  REQUIRE_FALSE(f.disk->apply(trimming(*f.disk, left, domain::all_shards(), 3).entries));
  CHECK(f.disk->rows(table::feed) == 0);
  CHECK(f.disk->rows(table::history) == 0);
}
