#include "app/cluster/ownership.hpp"
#include "storage/holdings.hpp"
#include "storage/rows.hpp"
#include "tests/catch.hpp"
#include "tests/support/memory_store.hpp"

using namespace jumun;
using app::ownership;
using domain::shard_lease;

namespace {
using leases = std::vector<shard_lease>;
using numbers = std::vector<int>;

/// A node "a" whose journal commits when it is told to.
struct fixture {
  std::shared_ptr<tests::memory_store> disk = std::make_shared<tests::memory_store>();
  storage::journal journal{disk, {true, 0, [](const storage::failure&) {}}};
  leases owned;
  std::vector<std::pair<domain::shard_id, std::function<void()>>> giving_up;
  domain::shard_set elsewhere, left, reachable;
  std::vector<std::uint64_t> stored;
  std::vector<std::string> errors;
  std::function<bool(shard_lease, bool, bool)> may_serve = [](shard_lease, bool held, bool fresh) {
    return held || fresh;
  };
  std::function<bool(shard_lease)> gave_away = [](shard_lease) { return false; };
  domain::shard_map map;

  std::unique_ptr<ownership> start(const domain::shard_map& on_disk = {}, bool new_disk = false) {
    return std::make_unique<ownership>("a", on_disk, new_disk,
      ownership::surroundings{journal, [this](shard_lease l) { owned.push_back(l); },
        [this](domain::shard_id s, std::function<void()> done) {
          giving_up.emplace_back(s, std::move(done));
        },
        [this](domain::shard_id s) { elsewhere.set(s); },
        [this](domain::shard_id s) { left.set(s); },
        [this](const domain::shard_set& s) { reachable |= s; },
        [this](std::uint64_t version) { stored.push_back(version); },
        [this](std::string_view event, const std::string&) { errors.emplace_back(event); },
        [this](shard_lease l, bool held, bool fresh) { return may_serve(l, held, fresh); },
        [this](shard_lease l) { return gave_away(l); }});
  }
  /// The next view, with these owners.
  cluster::view agreed(
    const std::vector<std::pair<int, domain::shard_owner>>& owners, bool joined = true) {
    for (const auto& [shard, owner] : owners) map.shards[static_cast<std::size_t>(shard)] = owner;
    ++map.version;
    cluster::view v;
    v.map = map;
    v.joined = joined;
    return v;
  }
};
} // namespace

TEST_CASE("a node serves what is agreed on, once it has joined and the map is on its disk",
  "[ownership][cluster]") {
  fixture f;
  const auto node = f.start();
  node->follow(f.agreed({{3, {"a", 1}}, {4, {"b", 1}}}, /*joined=*/false));
  f.journal.flush();
  CHECK(f.owned.empty());
  node->follow(f.agreed({}));
  CHECK(f.owned.empty()); // the map is not on disk yet
  CHECK(f.stored.empty());
  f.journal.flush();
  CHECK(f.owned == leases{{3, 1}});
  CHECK(f.stored == std::vector<std::uint64_t>{2});
  const auto row = f.disk->get(storage::table::meta, storage::shard_map_key);
  REQUIRE(row);
  CHECK(storage::decode<domain::shard_map>(*row) == f.map);
  CHECK(f.elsewhere[4]);
  CHECK_FALSE(f.elsewhere[3]);

  CHECK_FALSE(node->serves(3)); // its actors have not said so
  CHECK(node->epoch_of(3) == 0);
  node->serving(3);
  node->serving(4); // never ours
  CHECK(domain::numbers_of(node->served()) == numbers{3});
  CHECK(node->epoch_of(3) == 1);
  CHECK(f.reachable[3]);
  CHECK(node->owner_of(4).node == "b");
  CHECK(domain::numbers_of(node->shards_of("b")) == numbers{4});

  f.reachable.reset();
  node->follow(f.agreed({{4, {"c", 2}}}));
  f.journal.flush();
  CHECK(
    domain::numbers_of(f.reachable) == numbers{4}); // whoever waits for it may ask its new owner
  CHECK(f.owned.size() == 1);                       // said twice, done once
}

TEST_CASE(
  "maps that follow each other faster than the disk takes a shard once", "[ownership][cluster]") {
  fixture f;
  const auto node = f.start();
  node->follow(f.agreed({{3, {"a", 1}}}));
  node->follow(f.agreed({{4, {"b", 1}}})); // before the first of them is on the disk
  REQUIRE(f.journal.run_once());
  node->serving(3);
  f.journal.flush();
  CHECK(f.owned == leases{{3, 1}});
  CHECK(node->serves(3)); // and is not begun anew by the second, to wait for ever
}

TEST_CASE("a node serves again what its disk holds, and nothing whose rows are not there",
  "[ownership][cluster]") {
  fixture f;
  domain::shard_map on_disk;
  on_disk.version = 7;
  on_disk.shards[1] = {"a", 2}; // held
  on_disk.shards[2] = {"b", 2}; // given to us while we were away
  on_disk.shards[5] = {"a", 1}; // and this was taken: the disk is an old copy
  const auto node = f.start(on_disk);
  f.map = on_disk;
  node->follow(f.agreed({{2, {"a", 3}}, {3, {"a", 1}}, {5, {"b", 2}}}));
  f.journal.flush();
  CHECK(f.owned == leases{{1, 2}, {3, 1}}); // 3 was nobody's before
  CHECK(domain::numbers_of(node->missing()) == numbers{2});
  CHECK(f.errors == std::vector<std::string>{"shards.data_missing"});

  f.may_serve = [](shard_lease, bool, bool) { return true; }; // the rows have come after all
  node->follow(f.agreed({{9, {"b", 1}}}));
  f.journal.flush();
  CHECK(f.owned == leases{{1, 2}, {3, 1}, {2, 3}});
  CHECK(node->missing().none());
}

TEST_CASE("a shard that was given away is neither served nor missing, until the map says so, too",
  "[ownership][cluster]") {
  fixture f;
  f.may_serve = [](shard_lease l, bool, bool) { return l.shard != 2; };
  f.gave_away = [](shard_lease l) { return l == shard_lease{2, 1}; };
  const auto node = f.start();
  node->follow(f.agreed({{1, {"a", 1}}, {2, {"a", 1}}})); // it ended before it could say so
  f.journal.flush();
  CHECK(f.owned == leases{{1, 1}});
  CHECK(node->missing().none());
  CHECK(f.errors.empty());
  node->follow(f.agreed({{2, {"a", 3}}})); // it came back, and its rows did not
  CHECK(domain::numbers_of(node->missing()) == numbers{2});
  f.journal.flush(); // what it waits for calls back while it lives
}

TEST_CASE("a new disk has none of the shards that the cluster knows as the node's",
  "[ownership][cluster]") {
  fixture f;
  const auto node = f.start({}, /*new_disk=*/true);
  node->follow(f.agreed({{1, {"a", 1}}}, /*joined=*/false));
  node->follow(f.agreed({}));
  f.journal.flush();
  CHECK(f.owned.empty());
  CHECK(domain::numbers_of(node->missing()) == numbers{1});
  node->follow(f.agreed({{2, {"a", 1}}})); // given out now: nobody ever had it
  f.journal.flush();
  CHECK(f.owned == leases{{2, 1}});
}

TEST_CASE(
  "of a map that was lost and made again a disk without one has nothing", "[ownership][cluster]") {
  fixture f;
  const bool new_disk = GENERATE(true, false); // false: it was started before, and heard of no map
  CAPTURE(new_disk);
  {
    const auto node = f.start({}, new_disk);
    cluster::view none; // etcd was wiped, and this node is the first to be back
    none.joined = true;
    node->follow(none);
    f.journal.flush();
    auto again = f.agreed({{1, {"a", 1}}, {2, {"b", 1}}}); // by what b had stored
    again.remade = true;
    node->follow(again);
    f.journal.flush();
    CHECK(f.owned.empty());
    CHECK(domain::numbers_of(node->missing()) == numbers{1});
    again = f.agreed({{3, {"a", 1}}}); // given out now: nobody ever had it
    again.remade = true;
    node->follow(again);
    f.journal.flush();
    CHECK(f.owned == leases{{3, 1}});
  }
  const auto stored = f.disk->get(storage::table::meta, storage::shard_map_key);
  const auto later = f.start(*storage::decode<domain::shard_map>(*stored));
  auto now = f.agreed({});
  now.remade = true;
  later->follow(now);
  f.journal.flush();
  CHECK(f.owned == leases{{3, 1}, {3, 1}}); // what it served since it serves again
  CHECK(domain::numbers_of(later->missing()) == numbers{1});
}

TEST_CASE(
  "what a new disk lacks it lacks also when its first start never joined", "[ownership][cluster]") {
  fixture f;
  const auto first = f.start({}, /*new_disk=*/true);
  first->follow(f.agreed({{1, {"a", 1}}}, /*joined=*/false));
  f.journal.flush();
  const auto again = f.start(); // the folder is claimed by now, and has no map
  again->follow(f.agreed({{2, {"a", 1}}}));
  f.journal.flush();
  CHECK(f.owned == leases{{2, 1}});
  CHECK(domain::numbers_of(again->missing()) == numbers{1});
}

TEST_CASE("a life of the folder counts with the first map that its node has joined by",
  "[ownership][cluster]") {
  fixture f;
  REQUIRE(!storage::begin_life(*f.disk, "/dev/null", 5'000, 7));
  const auto begun = *storage::life_of(*f.disk);
  const auto node = f.start();
  node->follow(f.agreed({{3, {"a", 1}}}, /*joined=*/false));
  f.journal.flush();
  CHECK(storage::life_of(*f.disk) == begun);
  node->follow(f.agreed({}));
  f.journal.flush();
  CHECK(storage::life_of(*f.disk) == storage::folder_life{begun.now, begun.now});
}

TEST_CASE("rows that are missing are missing after a restart, too", "[ownership][cluster]") {
  fixture f;
  {
    const auto node = f.start({}, /*new_disk=*/true);
    node->follow(f.agreed({{1, {"a", 1}}, {7, {"a", 3}}}, /*joined=*/false));
    node->follow(f.agreed({}));
    f.journal.flush();
    REQUIRE(domain::numbers_of(node->missing()) == numbers{1, 7});
  }
  const auto stored = f.disk->get(storage::table::meta, storage::shard_map_key);
  const auto again = f.start(*storage::decode<domain::shard_map>(*stored)); // not new any more
  again->follow(f.agreed({{7, {"b", 4}}}));
  f.journal.flush();
  CHECK(f.owned.empty());
  CHECK(domain::numbers_of(again->missing()) == numbers{1});
  CHECK(domain::numbers_of(storage::read_missing(*f.disk)) == numbers{1});
}

TEST_CASE(
  "what is given up is not served from then on, until it comes back", "[ownership][cluster]") {
  fixture f;
  const auto node = f.start();
  node->follow(f.agreed({{3, {"a", 1}}}));
  f.journal.flush();
  node->serving(3);
  bool done = false;
  node->give_up(3, [&] { done = true; });
  CHECK_FALSE(node->serves(3));
  REQUIRE(f.giving_up.size() == 1);
  node->serving(3); // a restart of its supervisor that was under way
  CHECK_FALSE(node->serves(3));
  f.giving_up[0].second();
  CHECK(done);
  CHECK(f.left[3]);
  CHECK(f.elsewhere[3]);
  node->follow(f.agreed({{4, {"b", 1}}})); // by the map it is still ours
  f.journal.flush();
  CHECK(f.owned == leases{{3, 1}});

  node->take_back(3); // it was not passed on
  CHECK(f.owned == leases{{3, 1}, {3, 1}});
  node->serving(3);
  CHECK(node->serves(3));
  CHECK(node->epoch_of(3) == 1);
}

TEST_CASE("the offsets of a shard that is taken go on above its last one", "[ownership][cluster]") {
  fixture f;
  if (f.disk->apply({{storage::table::feed, storage::feed_key(3, 41), "where"}})) FAIL();
  const auto node = f.start();
  node->follow(f.agreed({{3, {"a", 1}}}));
  f.journal.flush();
  storage::write_set set;
  set.shard = 3;
  domain::event e;
  e.type = domain::event_type::stock_adjusted;
  for (int n = 0; domain::shard_of(e.sku) != 3; ++n) e.key = e.sku = "tea" + std::to_string(n);
  e.sequence = 1;
  set.events.push_back(e);
  REQUIRE(f.journal.append(std::move(set)) == storage::append_result::ok);
  f.journal.flush();
  CHECK(storage::read_last_offset(*f.disk, 3) == 42);
}
