#include "cluster/single.hpp"
#include "storage/rows.hpp"
#include "tests/catch.hpp"

using namespace jumun;

TEST_CASE("a node takes every shard of a new folder at the first epoch", "[cluster]") {
  const cluster::single c{"n1", {}};
  const auto held = domain::leases_of(c.map(), "n1");
  REQUIRE(held.size() == domain::shard_count);
  for (std::size_t i = 0; i < held.size(); ++i)
    CHECK(held[i] == domain::shard_lease{static_cast<domain::shard_id>(i), 1});
  CHECK(c.map().version == 1);
}

TEST_CASE("the same node finds its shards as it left them", "[cluster]") {
  const auto before = domain::taken_by("n1", {});
  CHECK(cluster::single{"n1", before}.map() == before);
}

TEST_CASE("shards that change hands get a new epoch, and only those", "[cluster]") {
  auto before = domain::taken_by("n1", {});
  before.shards[7] = {"n2", 5};
  const auto after = cluster::single{"n2", before}.map();
  CHECK(after.version == before.version + 1);
  CHECK(after.shards[7] == domain::shard_owner{"n2", 5});
  CHECK(after.shards[8] == domain::shard_owner{"n2", 2});
  CHECK(domain::leases_of(after, "n1").empty());
}

TEST_CASE("a node alone has nowhere to move a shard to", "[cluster]") {
  cluster::single c{"n1", {}};
  CHECK(c.move(3, "n1") == cluster::change::begun);
  CHECK(c.move(3, "n2") == cluster::change::unknown_node);
  CHECK(c.drain("n1") == cluster::change::nowhere_to_go);
  CHECK(c.drain("n2") == cluster::change::unknown_node);
}

TEST_CASE("a node alone shows itself by the same port", "[cluster]") {
  cluster::single c{"n1", {}};
  cluster::view_ptr told;
  cluster::listener to;
  to.changed = [&](cluster::view_ptr v) { told = std::move(v); };
  c.start(std::move(to));
  REQUIRE(told);
  CHECK(told->joined);
  CHECK(told->assigner == "n1");
  c.publish({"all", "1.0", 1, "", "127.0.0.1:80", ""});
  c.durable(7);
  REQUIRE(c.members().size() == 1);
  CHECK(c.members()[0].http == "127.0.0.1:80");
  CHECK(c.members()[0].map_version == 7);
  CHECK(c.link().up);
  std::optional<cluster::passed> answer;
  c.pass(3, 1, "n2", [&](cluster::passed p) { answer = p; });
  CHECK(answer == cluster::passed::fenced);
  c.stop(true);
}

TEST_CASE("a map of shards reads back as it was written, and a torn one not at all", "[cluster]") {
  auto map = domain::taken_by("n1", {});
  map.shards[255] = {"another", 1'000, "n1"};
  map.lineage = "0123456789abcdef";
  const auto bytes = storage::encode(map);
  CHECK(storage::decode<domain::shard_map>(bytes) == map);
  for (const auto size : {std::size_t{0}, std::size_t{9}, bytes.size() / 2, bytes.size() - 1})
    CHECK(!storage::decode<domain::shard_map>(bytes.substr(0, size)));
}
