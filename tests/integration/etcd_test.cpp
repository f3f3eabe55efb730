#include "tests/catch.hpp"
#include "tests/support/etcd_node.hpp"
#include "tests/support/etcd_server.hpp"

// Coordinators in this process against Debian's etcd: what nodes agree on, and through which
// faults.
using namespace jumun;
using namespace jumun::tests;
using namespace std::chrono_literals;
using cluster::change;
using cluster::passed;
using cluster::refusal;

namespace {
using nodes = std::vector<std::unique_ptr<etcd_node>>;

std::unique_ptr<etcd_node> one(const etcd_servers& etcd, const std::string& name) {
  return std::make_unique<etcd_node>(etcd_node::options{name, {etcd.url()}});
}
nodes start(const etcd_servers& etcd, int count) {
  nodes all;
  for (int n = 1; n <= count; ++n) {
    etcd_node::options o{"n" + std::to_string(n), {etcd.url()}};
    o.owners_min = static_cast<std::size_t>(count); // however slowly they come
    all.push_back(std::make_unique<etcd_node>(o));
  }
  for (auto& n : all) n->until_joined();
  return all;
}
/// Until all of them have the same map, and nothing is to move.
void until_at_rest(const nodes& all) {
  for (auto& n : all)
    n->until("all have one map at rest", [&] {
      const auto map = all.front()->now()->map;
      for (const auto& s : map.shards)
        if (!s.to.empty()) return false;
      return n->now()->map == map;
    });
}
void expect_sound(const nodes& all) {
  for (const auto& n : all) CHECK(n->complaints() == "");
}
/// Whom all of them take for the assigner.
etcd_node& assigner_of(const nodes& all) {
  std::string who;
  for (auto& n : all)
    n->until("there is an assigner", [&] {
      who = n->now()->assigner;
      return who == all.front()->now()->assigner
             && std::any_of(all.begin(), all.end(), [&](auto& m) { return m->name() == who; });
    });
  return **std::find_if(all.begin(), all.end(), [&](auto& m) { return m->name() == who; });
}
/// An answer that comes later, on another thread.
template <class T> class later {
public:
  std::function<void(T)> hear() {
    return [state = state_](T value) {
      const std::lock_guard held{state->guard};
      state->value = value;
    };
  }
  [[nodiscard]] std::optional<T> heard() const {
    const std::lock_guard held{state_->guard};
    return state_->value;
  }

private:
  struct shared {
    std::mutex guard;
    std::optional<T> value;
  };
  std::shared_ptr<shared> state_ = std::make_shared<shared>();
};
} // namespace

TEST_CASE("three nodes agree on one map that gives each shard an owner", "[etcd]") {
  const etcd_servers etcd;
  const auto all = start(etcd, 3);
  until_at_rest(all);
  const auto v = all[0]->now();
  for (const auto& s : v->map.shards) CHECK((s.epoch == 1 && !s.node.empty()));
  for (const auto& n : all) CHECK((n->owns() == 85 || n->owns() == 86));
  CHECK(!v->map.lineage.empty());
  CHECK(assigner_of(all).now()->joined);
  REQUIRE(v->members.size() == 3);
  all[0]->until("all disks have the map", [&] {
    const auto& m = all[0]->now()->members;
    return std::all_of(m.begin(), m.end(), [](const auto& x) { return x.map_version > 0; });
  });
  for (const auto& m : all[0]->now()->members) {
    CHECK(m.state == "up");
    CHECK(m.release == "1.0");
    CHECK(m.tunnel == m.node + ":7001");
  }
  CHECK(all[1]->at().link().up);
  CHECK(all[1]->at().link().silent_for < 5s);
  expect_sound(all);
}

TEST_CASE("who leaves or dies is away, and keeps its shards", "[etcd]") {
  const etcd_servers etcd;
  auto all = start(etcd, 3);
  until_at_rest(all);
  const auto before = all[0]->now()->map;
  all[1]->leave();
  all[0]->until("n2 is away", [&] { return all[0]->state_of("n2") == "away"; });
  all[2]->die();
  all[0]->until("n3 is away", [&] { return all[0]->state_of("n3") == "away"; });
  CHECK(all[0]->at().move(domain::leases_of(before, "n1")[0].shard, "n3") == change::nowhere_to_go);
  CHECK(all[0]->at().drain("n1") == change::nowhere_to_go);
  CHECK(all[0]->now()->map.shards == before.shards);
  for (const auto n : {1, 2}) all[static_cast<std::size_t>(n)]->start_again(/*knows=*/n == 1);
  for (auto& n : all) n->until_joined();
  all[0]->until("both are up",
    [&] { return all[0]->state_of("n2") == "up" && all[0]->state_of("n3") == "up"; });
  CHECK(all[0]->now()->map.shards == before.shards);
  expect_sound(all);
}

TEST_CASE("who joins is moved to, and then owns its share", "[etcd]") {
  const etcd_servers etcd;
  auto all = start(etcd, 3);
  until_at_rest(all);
  const auto before = all[0]->now()->map;
  all.push_back(one(etcd, "n4"));
  all.push_back(std::make_unique<etcd_node>(etcd_node::options{"gate", {etcd.url()}, "gateway"}));
  all[4]->until_joined();
  all[3]->until("n4 has its share", [&] { return all[3]->owns() >= 60; });
  until_at_rest(all);
  CHECK(all[4]->owns() == 0);
  const auto after = all[0]->now()->map;
  for (std::size_t i = 0; i < domain::shard_count; ++i) {
    const auto &was = before.shards[i], &is = after.shards[i];
    CHECK((is == was || (is.node == "n4" && is.epoch == was.epoch + 1)));
  }
  CHECK(all[0]->at().move(0, "gate") == change::nowhere_to_go);
  CHECK(all[0]->at().move(0, "nobody") == change::unknown_node);
  CHECK(all[0]->at().drain("nobody") == change::unknown_node);
  expect_sound(all);
}

TEST_CASE("while two releases are there, no shard moves but one that was asked for", "[etcd]") {
  const etcd_servers etcd;
  auto all = start(etcd, 2);
  until_at_rest(all);
  etcd_node::options newer{"n3", {etcd.url()}};
  newer.release = "1.1";
  all.push_back(std::make_unique<etcd_node>(newer));
  all[2]->until_joined();
  all[0]->until("n3 is up", [&] { return all[0]->state_of("n3") == "up"; });
  std::size_t asked = 0;
  const auto begun = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < begun + 4 * newer.rebalance_quiet) {
    const auto shard = domain::leases_of(all[0]->now()->map, "n1").front().shard;
    CHECK(all[0]->at().move(shard, "n3") == change::begun);
    ++asked;
    all[0]->until("it has moved", [&] { return all[0]->now()->map.shards[shard].node == "n3"; });
  }
  CHECK(all[0]->owned_by("n3") == asked);
  for (const auto i : {0U, 1U}) { // upgraded, one after the other
    all[i]->leave();
    all[i]->become("1.1");
    all[i]->start_again(/*knows=*/true);
    all[i]->until_joined();
  }
  all[2]->until("n3 has its share", [&] { return all[2]->owns() >= 75; });
  expect_sound(all);
}

TEST_CASE("a move that was asked for goes by the owner's hands, asked of any node", "[etcd]") {
  const etcd_servers etcd;
  const auto all = start(etcd, 2);
  until_at_rest(all);
  const auto shard = domain::leases_of(all[0]->now()->map, "n1").front().shard;
  CHECK(all[1]->at().move(shard, "n2") == change::begun);
  all[0]->until("it has moved", [&] { return all[0]->now()->map.shards[shard].node == "n2"; });
  CHECK(all[0]->now()->map.shards[shard].epoch == 2);
  CHECK(all[1]->at().move(shard, "n2") == change::begun); // it is there already
  later<passed> again, never;
  all[0]->at().pass(shard, 1, "n2", again.hear()); // as after a crash in the middle
  all[0]->at().pass(shard, 2, "n1", never.hear()); // not its own
  all[0]->until("both are answered", [&] { return again.heard() && never.heard(); });
  CHECK(again.heard() == passed::done);
  CHECK(never.heard() == passed::fenced);
  CHECK(all[0]->now()->map.shards[shard] == domain::shard_owner{"n2", 2});
  expect_sound(all);
}

TEST_CASE(
  "a drained node gives everything away, and works again when it is started anew", "[etcd]") {
  const etcd_servers etcd;
  const auto all = start(etcd, 3);
  until_at_rest(all);
  CHECK(all[0]->at().drain("n2") == change::begun);
  all[0]->until("n2 has nothing", [&] { return all[0]->owned_by("n2") == 0; });
  CHECK(all[0]->state_of("n2") == "draining");
  all[1]->leave();
  all[0]->until("n2 is gone", [&] { return all[0]->state_of("n2").empty(); });
  all[1]->start_again(/*knows=*/true);
  all[0]->until("n2 is up", [&] { return all[0]->state_of("n2") == "up"; });
  all[1]->until("n2 has its share", [&] { return all[1]->owns() >= 75; });
  CHECK(all[2]->at().drain("n2") == change::begun);
  all[0]->until("n2 drains", [&] { return all[0]->state_of("n2") == "draining"; });
  CHECK(all[2]->at().resume("n2") == change::begun);
  all[0]->until("n2 is up again", [&] { return all[0]->state_of("n2") == "up"; });
  until_at_rest(all);
  expect_sound(all);
}

TEST_CASE(
  "a drain that has not come to its end outlives a crash, but not a start that resumes", "[etcd]") {
  const etcd_servers etcd;
  const auto other = one(etcd, "n1");
  etcd_node n{{.node = "n2", .urls = {etcd.url()}, .moves = false, .owners_min = 2}};
  other->until_joined();
  n.until_joined();
  other->until("n2 has its share", [&] { return other->owned_by("n2") > 0; });
  CHECK(other->at().drain("n2") == change::begun);
  other->until("n2 drains", [&] { return other->state_of("n2") == "draining"; });
  n.die();
  n.start_again(/*knows=*/true);
  n.until_joined();
  CHECK(n.state_of("n2") == "draining");
  for (const bool knows : {true, false}) { // and with its old record there, or after it is gone
    n.die();
    n.resume_by_start(true);
    n.start_again(knows);
    n.until_joined();
    n.until("it is up", [&] { return n.state_of("n2") == "up"; });
    CHECK(other->at().drain("n2") == change::begun);
    n.until("it drains again", [&] { return n.state_of("n2") == "draining"; });
  }
}

TEST_CASE("another node assigns when the assigner is gone", "[etcd]") {
  const etcd_servers etcd;
  auto all = start(etcd, 3);
  until_at_rest(all);
  const auto first = assigner_of(all).name();
  const auto at = std::find_if(all.begin(), all.end(), [&](auto& n) { return n->name() == first; });
  auto fallen = std::move(*at);
  all.erase(at);
  fallen->die();
  all[0]->until("another assigns", [&] {
    const auto who = all[0]->now()->assigner;
    return !who.empty() && who != first;
  });
  const auto lost = all[1]->owns(), had = all[0]->owns();
  CHECK(all[0]->at().drain(all[1]->name()) == change::begun);
  all[0]->until("all that was drained is here", [&] { return all[0]->owns() == lost + had; });
  expect_sound(all);
}

TEST_CASE("what an assigner writes that is none any more is refused", "[etcd]") {
  const etcd_servers etcd;
  // Only the first one elected would rebalance: nothing else writes the map below.
  etcd_node old{{"n1", {etcd.url()}}};
  old.until_joined();
  old.until("n1 assigns", [&] { return old.now()->assigner == "n1"; });
  etcd_node::options patient{"n2", {etcd.url()}};
  patient.rebalance_quiet = 1h;
  etcd_node heir{patient};
  heir.until_joined();
  old.freeze();
  patient.node = "n3";
  etcd_node joins{patient};
  old.until("it stands still", [&] { return old.stands_still(); });
  const auto before = heir.now()->map;
  heir.until("another assigns",
    [&] { return heir.now()->assigner != "n1" && !heir.now()->assigner.empty(); });
  const bool unmoved = heir.now()->map == before;
  old.thaw(); // goes on in the middle of a round: with its own election, and moves to write
  old.until("it was told that it is outdated", [&] { return old.has_noted("etcd.outdated: map"); });
  old.until("it is back", [&] { return old.now()->joined && old.has_noted("etcd.lease_lost"); });
  CHECK(unmoved);
  CHECK(old.now()->map == before);
  CHECK(heir.now()->map == before);
}

TEST_CASE("while etcd is away everybody keeps the map, and then goes on", "[etcd]") {
  etcd_servers etcd;
  const auto all = start(etcd, 3);
  until_at_rest(all);
  const auto before = all[0]->now()->map;
  const bool stalls = GENERATE(true, false);
  stalls ? etcd.stall() : etcd.kill();
  for (auto& n : all)
    n->until("its lease is over", [&] { return n->at().link().silent_for > 2500ms * slowness; });
  for (auto& n : all) {
    CHECK(n->now()->map == before);
    CHECK(!n->at().link().up);
    CHECK(!n->at().link().error.empty());
    CHECK(n->has_noted("etcd.lost"));
  }
  later<passed> given;
  const auto lease = domain::leases_of(before, "n1").front();
  CHECK(all[0]->at().move(lease.shard, "n2") == change::unavailable);
  all[0]->at().pass(lease.shard, lease.epoch, "n3", given.hear()); // what is given up is given up
  CHECK(!given.heard());
  stalls ? etcd.go_on() : etcd.restart();
  all[0]->until("what was given up has passed", [&] { return given.heard() == passed::done; });
  for (auto& n : all)
    n->until("it is among them again", [&] {
      return n->now()->joined && n->at().link().up && n->state_of("n1") == "up"
             && n->state_of("n2") == "up" && n->state_of("n3") == "up";
    });
  CHECK(all[0]->now()->map.shards[lease.shard].node == "n3");
  CHECK(all[1]->at().drain("n1") == change::begun);
  all[0]->until("it goes on", [&] { return all[0]->owns() == 0; });
  expect_sound(all);
}

TEST_CASE(
  "when etcd's data is gone the map is made again, with the same owners and epochs", "[etcd]") {
  etcd_servers etcd;
  auto all = start(etcd, 3);
  until_at_rest(all);
  const auto shard = domain::leases_of(all[0]->now()->map, "n1").front().shard;
  CHECK(all[0]->at().move(shard, "n2") == change::begun);
  all[0]->until("it has moved", [&] { return all[0]->now()->map.shards[shard].node == "n2"; });
  until_at_rest(all);
  all[2]->leave(); // its shards are known to the others alone
  all[0]->until("n3 is away", [&] { return all[0]->state_of("n3") == "away"; });
  const auto before = all[0]->now()->map;
  for (auto& n : all) CHECK(!n->now()->remade); // however often it has changed
  etcd.wipe();
  etcd_node::options patient{"n4", {etcd.url()}};
  patient.rebalance_quiet = 1h;
  etcd_node fresh{patient}; // it knows of no map, and must not get what is somebody's
  fresh.until_joined();
  all[0]->until("the map is known",
    [&] { return all[0]->now()->map.version > before.version && all[0]->now()->joined; });
  for (std::size_t i = 0; i < domain::shard_count; ++i) {
    const auto &was = before.shards[i], &is = fresh.now()->map.shards[i];
    CHECK((is.node == was.node && is.epoch == was.epoch));
  }
  CHECK(fresh.now()->map.lineage == before.lineage);
  CHECK(fresh.now()->remade); // an n3 on an empty disk would be told so, whoever came first
  CHECK(fresh.state_of("n3") == "away");
  all[2]->start_again(/*knows=*/false);
  all[2]->until_joined();
  CHECK(all[2]->owns() > 80);
  expect_sound(all);
}

TEST_CASE("a second process under the same name is refused, and the first goes on", "[etcd]") {
  const etcd_servers etcd;
  etcd_node first{{"n1", {etcd.url()}}};
  first.until_joined();
  etcd_node second{{"n1", {etcd.url()}}};
  const auto why = second.refused();
  CHECK(why.why == refusal::cause::name_taken);
  CHECK(why.detail
        == "another process runs as node n1 (incarnation " + first.incarnation()
             + ", at n1:7001), and its lease is being renewed; give each node an id of its own");
  CHECK(!second.now()->joined);
  second.leave();
  CHECK(first.now()->joined);
  CHECK(!first.has_refusal());
  CHECK(first.owns() == 256);
}

TEST_CASE("a lease that a new leader of etcd has extended is no sign of life", "[etcd]") {
  etcd_servers etcd;
  etcd_node n{{"n1", {etcd.url()}}};
  n.until_joined();
  n.die();
  n.start_again(/*knows=*/false);
  n.until("it has heard of the dead one", [&] { return n.at().link().up; });
  for (int i = 0; i < 3; ++i) etcd.kill(), etcd.restart(); // each time the lease is whole again
  n.until_joined();
  CHECK(!n.has_refusal());
}

TEST_CASE("an older copy of a node's folder is refused, and the newest one goes on", "[etcd]") {
  const etcd_servers etcd;
  etcd_node n{{.node = "n1", .urls = {etcd.url()}, .life = 7}};
  n.until_joined();
  n.start_again(/*knows=*/true, /*life=*/8, /*before=*/7);
  n.until_joined();
  n.start_again(/*knows=*/false, 9, 7); // a copy that has not seen life 8
  const auto why = n.refused();
  CHECK(why.why == refusal::cause::superseded);
  CHECK(why.detail.find("an older copy of node n1's") != std::string::npos);
  CHECK(why.detail.find("/jumun/shop/lives/n1") != std::string::npos);
  CHECK(!n.now()->joined);
  n.start_again(/*knows=*/false, 9, 7); // which its disk still begins: that start did not count
  CHECK(n.refused().why == refusal::cause::superseded);
  n.start_again(/*knows=*/false, 9, 8);
  n.until_joined();
  CHECK(n.owns() == 256);
}

TEST_CASE("an older copy does no harm where the node has no shards any more", "[etcd]") {
  const etcd_servers etcd;
  etcd_node n{{.node = "n1", .urls = {etcd.url()}, .life = 8}};
  etcd_node other{{.node = "n2", .urls = {etcd.url()}}};
  n.until_joined();
  CHECK(n.at().drain("n1") == change::begun);
  n.until("it has no shards", [&] { return n.now()->map.version > 0 && n.owns() == 0; });
  n.start_again(/*knows=*/false, 6, 5); // and its clock is behind
  n.until_joined();
  n.until("it has shards again", [&] { return n.owns() > 0; });
  n.start_again(/*knows=*/true, 7, 6); // from here on it is the newest
  n.until_joined();
}

TEST_CASE(
  "a dead process's lease is waited out, unless the disk tells that it was this one's", "[etcd]") {
  const etcd_servers etcd;
  etcd_node n{{"n1", {etcd.url()}}};
  n.until_joined();
  n.die();
  n.start_again(/*knows=*/false);
  n.until_joined();
  CHECK(n.has_noted("cluster.name_in_use"));
  CHECK(!n.has_refusal());
  CHECK(n.owns() == 256);
  n.die();
  n.start_again(/*knows=*/true);
  n.until_joined();
  CHECK(!n.has_noted("cluster.name_in_use"));
  n.until("it is the assigner again", [&] { return n.now()->assigner == "n1"; });
}

TEST_CASE("a process that finds its name taken when it wakes up is told to stop", "[etcd]") {
  const etcd_servers etcd;
  etcd_node sleeps{{"n1", {etcd.url()}}};
  sleeps.until_joined();
  sleeps.freeze();
  etcd_node other{{"n2", {etcd.url()}}};
  sleeps.until("it stands still", [&] { return sleeps.stands_still(); });
  etcd_node::options same{"n1", {etcd.url()}};
  same.stored = sleeps.now()->map;
  etcd_node heir{same};
  heir.until_joined();
  sleeps.thaw();
  CHECK(sleeps.refused().why == refusal::cause::superseded);
  CHECK(heir.now()->joined);
  CHECK(!heir.has_refusal());
}

TEST_CASE("a folder of another cluster is refused", "[etcd]") {
  const etcd_servers etcd;
  etcd_node n{{"n1", {etcd.url()}}};
  n.until_joined();
  etcd_node::options foreign{"n2", {etcd.url()}};
  foreign.stored = domain::taken_by("n2", {});
  SECTION("of another lineage") { foreign.stored.lineage = "another"; }
  SECTION("with other owners at the same epochs") {}
  etcd_node other{foreign};
  const auto why = other.refused();
  CHECK(why.why == refusal::cause::other_cluster);
  CHECK(why.detail.starts_with("the map in etcd is of another cluster than this folder's: "));
  CHECK(n.state_of("n2").empty());
}

TEST_CASE(
  "nodes that were alone, each with shards of its own, do not become one cluster", "[etcd]") {
  const etcd_servers etcd;
  etcd_node::options alone{"n1", {etcd.url()}};
  alone.first_quiet = 1h; // no map is made
  alone.stored = domain::taken_by("n1", {});
  etcd_node first{alone};
  // It is a member. It serves nothing before there is a map that all agree on.
  first.until("it is there", [&] { return first.has_noted("cluster.joined"); });
  CHECK(!first.now()->joined);
  alone.node = "n2", alone.stored = domain::taken_by("n2", {});
  etcd_node second{alone};
  CHECK(second.refused().why == refusal::cause::other_cluster);
  CHECK(!first.has_refusal());
}

TEST_CASE("what is passed on while it is being stopped is of unknown outcome", "[etcd]") {
  later<passed> during, after;
  {
    etcd_node n{{"n1", {"http://127.0.0.1:" + std::to_string(free_ports(1).front())}}};
    n.at().pass(1, 1, "n2", during.hear());
    n.until("etcd was asked", [&] { return n.at().link().failures > 0; });
    CHECK(!during.heard());
    n.leave();
    CHECK(during.heard() == passed::unknown);
    n.at().pass(1, 1, "n2", after.hear());
  }
  CHECK(after.heard() == passed::unknown);
}

TEST_CASE("a cluster whose shards are counted otherwise is not joined", "[etcd]") {
  const etcd_servers etcd;
  etcd.ctl({"put", "/jumun/shop/config", R"({"format":1,"shards":512,"hash":"x"})"});
  etcd_node n{{"n1", {etcd.url()}}};
  CHECK(n.refused().why == refusal::cause::other_cluster);
}

TEST_CASE("a map that can't be read is neither taken for absent nor written over", "[etcd]") {
  const etcd_servers etcd;
  const auto all = start(etcd, 2);
  until_at_rest(all);
  const auto before = all[0]->now()->map;
  etcd.ctl({"put", "/jumun/shop/map", R"({"format":2})"});
  all[0]->until("it says so", [&] {
    return all[0]->at().link().error
           == "the value of /jumun/shop/map can't be read by this release";
  });
  CHECK(all[0]->now()->map == before);
  CHECK(etcd.ctl({"get", "--print-value-only", "/jumun/shop/map"}) == "{\"format\":2}\n");
  etcd.ctl({"del", "/jumun/shop/map"});
  all[0]->until("it was made again", [&] { return all[0]->now()->map.version > before.version; });
  CHECK(all[0]->now()->map.shards == before.shards);
}

TEST_CASE("a node that was alone brings its shards into a cluster", "[etcd]") {
  const etcd_servers etcd;
  etcd_node::options alone{"n1", {etcd.url()}};
  alone.stored = domain::taken_by("n1", domain::taken_by("n0", {}));
  etcd_node first{alone};
  etcd_node second{{"n2", {etcd.url()}}};
  first.until_joined();
  second.until("it has its share", [&] { return second.owns() >= 120; });
  for (const auto& s : second.now()->map.shards) CHECK(s.epoch == (s.node == "n1" ? 2 : 3));
  CHECK(!second.now()->map.lineage.empty());
  CHECK(first.complaints() == "");
}

TEST_CASE("the agreement outlives the leader of three etcds", "[etcd]") {
  etcd_servers::options three;
  three.count = 3;
  etcd_servers etcd{three};
  nodes all;
  for (int n = 0; n < 3; ++n) {
    etcd_node::options o{"n" + std::to_string(n + 1), {}};
    o.owners_min = 3;
    for (std::size_t i = 0; i < 3; ++i)
      o.urls.push_back(etcd.url((static_cast<std::size_t>(n) + i) % 3));
    all.push_back(std::make_unique<etcd_node>(o));
  }
  for (auto& n : all) n->until_joined();
  std::size_t leader = 0;
  for (std::size_t i = 0; i < 3; ++i)
    if (etcd.ctl({"endpoint", "status", "-w", "fields"}, i).find("\"Leader\" : ")
        != std::string::npos) {
      const auto text = etcd.ctl({"endpoint", "status", "-w", "fields"}, i);
      const auto field = [&](const std::string& name) {
        const auto from = text.find("\"" + name + "\" : ") + name.size() + 5;
        return text.substr(from, text.find('\n', from) - from);
      };
      if (field("Leader") == field("MemberID")) leader = i;
    }
  const auto had = all[leader]->owned_by("n2");
  GENERATE(true, false) ? etcd.kill(leader) : etcd.stall(leader);
  CHECK(all[leader]->at().move(domain::leases_of(all[0]->now()->map, "n1").front().shard, "n2")
        == change::begun);
  all[leader]->until("a move goes through", [&] { return all[leader]->owned_by("n2") > had; });
  for (auto& n : all) n->until("it is up", [&] { return n->at().link().up; });
  expect_sound(all);
}
