#include "app/event_archive.hpp"
#include "app/event_retention.hpp"
#include "domain/limits.hpp"
#include "storage/check.hpp"
#include "storage/feed_rows.hpp"
#include "storage/queries.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/toy_shop.hpp"
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace {
using namespace jumun;
using namespace jumun::storage;

constexpr std::int64_t long_after = INT64_MAX / 2;

/// A toy shop's database, and its retention; the journal commits by hand.
struct trimmed_shop {
  std::shared_ptr<tests::memory_store> disk = std::make_shared<tests::memory_store>();
  tests::temp_dir tmp;
  std::vector<ledger_line> ledger;
  tests::toy_orders orders;
  std::uint64_t last = 0;

  trimmed_shop() {
    tests::toy_shop shop{disk};
    orders = tests::run_all(shop);
    ledger = shop.ledger;
    last = read_last_offset(*disk);
  }
  std::optional<std::string> pass(std::int64_t now_ms, std::uint64_t keep_bytes = 0) {
    journal j{disk, {true, read_last_offset(*disk), {}}};
    app::event_retention::options how;
    how.archive_dir = archive_dir();
    if (keep_bytes == 0) how.keep = std::chrono::milliseconds{1'000};
    how.keep_bytes = keep_bytes;
    how.now_ms = [now_ms] { return now_ms; };
    return app::event_retention{j, std::move(how)}.pass();
  }
  std::string archive_dir() const { return (tmp.path() / "archive").string(); }
  std::vector<std::uint64_t> archived() const {
    std::vector<std::string> files;
    for (const auto& f : std::filesystem::directory_iterator{archive_dir()})
      files.push_back(f.path().string());
    std::sort(files.begin(), files.end());
    std::vector<std::uint64_t> out;
    for (const auto& f : files) {
      std::ifstream in{f};
      for (std::string line; std::getline(in, line);)
        out.push_back(std::stoull(nlohmann::json::parse(line).at("cursor").get<std::string>()));
    }
    return out;
  }
  std::string complaints() const {
    std::string all;
    for (const auto& f : check_store(*disk, ledger, {}).findings)
      all += f.code + " | " + f.where + " | " + f.what + "\n";
    return all;
  }
  feed_page story(domain::order_id id, std::optional<std::uint64_t> after = {}) const {
    return read_feed(*disk, "", domain::to_text(domain::id_kind::order, id), after, 200);
  }
};

/// Where one number says it for all shards.
std::uint64_t low_water(const store& disk) { return read_low_water(disk).one().value(); }

std::vector<std::uint64_t> up_to(std::uint64_t n) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= n; ++i) all.push_back(i);
  return all;
}
} // namespace

TEST_CASE(
  "old events are archived in order, then trimmed; open orders keep theirs", "[retention]") {
  trimmed_shop s;
  const auto before = read_feed(*s.disk, "", "", {}, 1'000);
  REQUIRE(before.rows.size() == s.last);
  CHECK_FALSE(s.pass(before.rows.front().fact.time_ms + 1'000)); // nothing is older than that yet
  CHECK(low_water(*s.disk) == 0);

  CHECK_FALSE(s.pass(long_after));
  CHECK(low_water(*s.disk) == s.last);
  CHECK(s.archived() == up_to(s.last));
  CHECK(read_feed(*s.disk, "", "", {}, 1'000).rows.empty());
  CHECK(s.story(s.orders.kept).rows.empty());
  CHECK(s.story(s.orders.waiting).rows.front().fact.sequence == 1); // open: it waits
  CHECK(s.story(s.orders.failed).rows.front().fact.sequence == 1);  // open: it is blocked
  CHECK(s.complaints() == "");

  CHECK_FALSE(s.pass(long_after)); // once is enough
  CHECK(s.archived() == up_to(s.last));
}

TEST_CASE("the mark that a shard brings from another node is its own", "[retention][cluster]") {
  trimmed_shop s;
  const auto before = read_feed(*s.disk, "", "", {}, 1'000).rows;
  const auto shard = before.front().shard; // as if it had come from a node that counts higher
  const auto others =
    std::count_if(before.begin(), before.end(), [&](const auto& e) { return e.shard != shard; });
  REQUIRE(others > 0);
  const auto brought = s.last + 50;
  REQUIRE_FALSE(s.disk->apply({last_offset_row(s.last + 100), low_water_row(shard, brought)}));
  CHECK(read_low_water(*s.disk, shard) == brought);

  domain::feed_position places{1}; // what the other shards have is all there
  places.of[shard] = brought;
  CHECK_FALSE(read_feed(*s.disk, "", "", places, false, 1'000, domain::all_shards()).expired);
  places.of[shard] = brought - 1;
  CHECK(read_feed(*s.disk, "", "", places, false, 1'000, domain::all_shards()).expired);

  journal j{s.disk, {true, s.last + 100, {}}};
  app::event_retention::options how;
  how.archive_dir = s.archive_dir();
  how.keep = std::chrono::milliseconds{1'000};
  auto served = domain::all_shards();
  how.served = [&served] { return served; };
  auto now = before.front().fact.time_ms;
  how.now_ms = [&now] { return now; };
  app::event_retention retention{j, std::move(how)};
  CHECK_FALSE(retention.pass()); // nothing of the others goes because this one was trimmed so far
  CHECK(read_low_water(*s.disk).of[shard] == brought);
  CHECK(read_feed(*s.disk, "", "", {}, 1'000).rows.size() == static_cast<std::size_t>(others));

  now = long_after;
  served.reset(before.back().shard); // on its way to another node
  REQUIRE(before.back().shard != shard);
  CHECK_FALSE(retention.pass());
  const auto left = read_feed(*s.disk, "", "", domain::feed_position{}, true, 1'000,
    domain::shard_set{}.set(before.back().shard));
  CHECK_FALSE(left.rows.empty());
  CHECK(read_low_water(*s.disk, shard) == brought); // it does not fall
}

TEST_CASE("a shard whose oldest event stays holds up no other", "[retention][cluster]") {
  trimmed_shop s;
  const auto all = read_feed(*s.disk, "", "", {}, 1'000).rows;
  const auto young = all.front(); // the lowest offset, and as if it had come this moment
  auto fact = young.fact;
  fact.time_ms = long_after;
  const auto key = history_key(fact);
  REQUIRE_FALSE(s.disk->apply({{table::history, key, encode(fact)}}));
  journal j{s.disk, {true, s.last, {}}};
  app::event_retention::options how;
  how.archive_dir = s.archive_dir();
  how.keep = std::chrono::milliseconds{1'000};
  how.now_ms = [] { return long_after; };
  how.served = [] { return domain::all_shards(); };
  CHECK_FALSE(app::event_retention(j, std::move(how)).pass());
  const auto low = read_low_water(*s.disk);
  CHECK(s.disk->get(table::history, key));
  for (const auto& e : all)
    if (e.shard != young.shard) CHECK(low.of[e.shard] + 1 > e.offset);
}

TEST_CASE(
  "shards that have the same offsets are trimmed and archived whole", "[retention][cluster]") {
  auto disk = std::make_shared<tests::memory_store>();
  const auto put = [&](const std::string& sku, std::uint64_t offset, std::int64_t time_ms) {
    domain::event fact;
    fact.type = domain::event_type::product_changed;
    fact.key = fact.sku = sku;
    fact.sequence = offset, fact.time_ms = time_ms;
    auto row = encode(fact);
    set_version(row, offset);
    const auto key = history_key(fact), feed = feed_key(domain::shard_of(sku), offset);
    REQUIRE_FALSE(disk->apply(
      {{table::history, key, row}, feed_row(feed, {{offset, key}}), last_offset_row(offset)}));
    return key;
  };
  const std::string one = "sku-1", other = "sku-2"; // as if each shard had been elsewhere
  REQUIRE(domain::shard_of(one) != domain::shard_of(other));
  constexpr auto old = trim_batch_max; // of each: a batch ends between two that have one offset
  for (std::uint64_t n = 1; n <= old; ++n) put(one, n, 1), put(other, n, 1);
  put(one, old + 1, 1);
  const auto young = put(other, old + 1, long_after);

  tests::temp_dir tmp;
  for (int passes = 0; passes < 2; ++passes) { // the second one drops what was left behind a mark
    journal j{disk, {true, read_last_offset(*disk), {}}};
    app::event_retention::options how;
    how.archive_dir = tmp.path().string();
    how.keep = std::chrono::milliseconds{1'000};
    how.now_ms = [] { return long_after; };
    how.served = [] { return domain::all_shards(); };
    CHECK_FALSE(app::event_retention(j, std::move(how)).pass());
  }
  CHECK(disk->get(table::history, young));
  CHECK(read_low_water(*disk, domain::shard_of(one)) == old + 1);
  CHECK(read_low_water(*disk, domain::shard_of(other)) == old);
  std::map<std::string, std::set<std::uint64_t>> kept; // cursors by SKU
  std::size_t lines = 0;
  for (const auto& f : std::filesystem::directory_iterator{tmp.path()}) {
    std::ifstream in{f.path()};
    for (std::string line; std::getline(in, line); ++lines) {
      const auto e = nlohmann::json::parse(line);
      kept[e.at("partitionkey")].insert(std::stoull(e.at("cursor").get<std::string>()));
    }
  }
  CHECK(kept[one].size() == old + 1);
  CHECK(kept[other].size() == old);
  CHECK(lines == 2 * old + 1); // each once
}

TEST_CASE("the newest file of an archive sorts last, wherever it begins", "[retention]") {
  tests::temp_dir tmp;
  const auto line = [](std::uint64_t cursor) {
    return nlohmann::json{{"cursor", std::to_string(cursor)}}.dump() + "\n";
  };
  const std::string much(limits::archive_file_bytes_max, '\n');
  {
    app::event_archive a{tmp.path().string()};
    REQUIRE_FALSE(a.open());
    REQUIRE_FALSE(a.append(much + line(900), 900, 900)); // that file is full
    REQUIRE_FALSE(a.append(line(5), 5, 5));              // of a shard that came from elsewhere
  }
  app::event_archive again{tmp.path().string()};
  REQUIRE_FALSE(again.open());
  CHECK(again.last() == 5);
}

TEST_CASE("a cursor that retention took is expired; later ones are not", "[retention]") {
  trimmed_shop s;
  const auto all = read_feed(*s.disk, "", "", {}, 1'000).rows;
  std::uint64_t bytes = 0;
  for (const auto& e : read_oldest(*s.disk, domain::all_shards(), trim_batch_max)) bytes += e.bytes;
  CHECK_FALSE(s.pass(0, bytes / 2)); // by size: about half of it
  const auto low = low_water(*s.disk);
  CAPTURE(low, s.last);
  REQUIRE(low > s.last / 3);
  REQUIRE(low < s.last * 2 / 3);
  CHECK(s.complaints() == "");

  CHECK(read_feed(*s.disk, "", "", low - 1, 10).expired);
  const auto rest = read_feed(*s.disk, "", "", low, 1'000);
  CHECK_FALSE(rest.expired);
  CHECK(rest.bounds.begins_after() == low);
  REQUIRE(rest.rows.size() == s.last - low);
  CHECK(rest.rows.front().offset == low + 1);
  CHECK(read_feed(*s.disk, "", "", {}, 1'000).rows.size() == rest.rows.size());
  CHECK_FALSE(s.story(s.orders.waiting, 0).expired); // its history is whole
  for (const auto& e : all) {
    if (e.offset > low || e.fact.key != domain::to_text(domain::id_kind::order, s.orders.kept))
      continue;
    CHECK(s.story(s.orders.kept, e.offset - 1).expired);
    break;
  }
}

TEST_CASE("what was left behind for an open order goes once it has come to rest", "[retention]") {
  trimmed_shop s;
  CHECK_FALSE(s.pass(long_after));
  REQUIRE_FALSE(s.story(s.orders.waiting).rows.empty());
  // At rest, as far as the index knows: all that retention goes by.
  REQUIRE_FALSE(s.disk->apply({{table::open_sagas, order_key(s.orders.waiting), {}}}));
  CHECK_FALSE(s.pass(long_after));
  CHECK(s.story(s.orders.waiting).rows.empty());
  CHECK_FALSE(s.story(s.orders.failed).rows.empty());
  CHECK(s.archived() == up_to(s.last)); // it was there already
}

TEST_CASE(
  "a crash before or after the write loses nothing and archives nothing twice", "[retention]") {
  for (const bool landed : {false, true}) {
    trimmed_shop s;
    s.disk->fail_at(s.disk->applies() + 1, landed);
    CHECK_FALSE(s.pass(long_after)); // the journal stops: so does the pass
    s.disk->fail_at(0);
    s.disk->revive();
    CAPTURE(landed, s.complaints());
    CHECK(s.complaints() == "");
    CHECK(low_water(*s.disk) == (landed ? s.last : 0));
    { // and the process died in the middle of another line
      std::ofstream torn{s.archive_dir() + "/events-00000000000000000001.jsonl", std::ios::app};
      torn << R"({"specversion":"1.0","id":"ev)";
    }
    CHECK_FALSE(s.pass(long_after));
    CHECK(low_water(*s.disk) == s.last);
    CHECK(s.archived() == up_to(s.last));
    CHECK(s.complaints() == "");
  }
}

TEST_CASE("nothing is deleted that could not be archived", "[retention]") {
  trimmed_shop s;
  { std::ofstream in_the_way{s.archive_dir()}; }
  CHECK(s.pass(long_after).has_value());
  CHECK(low_water(*s.disk) == 0);
  CHECK(read_feed(*s.disk, "", "", {}, 1'000).rows.size() == s.last);
}
