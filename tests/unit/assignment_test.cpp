#include "domain/assignment.hpp"
#include "tests/catch.hpp"
#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace jumun;
using namespace jumun::domain;
using namespace std::chrono_literals;

namespace {
constexpr auto long_quiet = 1h;

candidate node(int n) { return {"n" + std::to_string(n), "1.0"}; }
std::vector<candidate> nodes(int count) {
  std::vector<candidate> all;
  for (int n = 1; n <= count; ++n) all.push_back(node(n));
  return all;
}

std::map<std::string, std::size_t> loads_of(
  const shard_map& map, const std::vector<candidate>& present) {
  std::map<std::string, std::size_t> loads;
  for (const auto& c : present)
    if (c.owns && !c.draining) loads[c.node] = 0;
  for (const auto& s : map.shards) ++loads[s.node];
  return loads;
}
std::size_t apart(const std::map<std::string, std::size_t>& loads) {
  const auto by_load = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [least, most] = std::minmax_element(loads.begin(), loads.end(), by_load);
  return most->second - least->second;
}
std::size_t owned_by(const shard_map& map, const std::string& node) {
  return leases_of(map, node).size();
}

/// A world in which every wanted move is carried out sooner or later, in an order by the seed; it
/// watches what must hold at each step.
struct world {
  explicit world(std::uint64_t seed) : chance{seed} {}
  std::mt19937_64 chance;
  shard_map map;
  std::vector<candidate> present;
  std::vector<move_wish> wishes;
  assignment_rules rules;
  std::size_t moved = 0;

  void plan(std::chrono::milliseconds quiet_for) {
    const auto before = map;
    auto p = assign(map, present, wishes, quiet_for, rules);
    auto shuffled = present;
    std::shuffle(shuffled.begin(), shuffled.end(), chance);
    REQUIRE(assign(map, shuffled, wishes, quiet_for, rules).next == p.next); // deterministic
    for (const auto& done : p.answered) std::erase(wishes, done);
    map = std::move(p.next);
    REQUIRE(map.version == before.version + (map == before ? 0 : 1));
    bool sound = true;
    for (std::size_t i = 0; i < shard_count; ++i) {
      const auto &was = before.shards[i], &is = map.shards[i];
      const bool given_out = was.epoch == 0 && is.epoch == 1;
      // Only its owner gives a shard away, and its epoch is never the plan's to change.
      sound = sound && (given_out || (is.node == was.node && is.epoch == was.epoch))
              && (is.to.empty() || is.to != is.node);
    }
    REQUIRE(sound);
    std::map<std::string, std::size_t> busy;
    for (const auto& s : map.shards)
      if (!s.to.empty()) ++busy[s.node], ++busy[s.to];
    for (const auto& [who, moves] : busy) REQUIRE(moves <= rules.moves_per_node);
  }
  /// One of the moves that are wanted is carried out; false: there is none.
  bool carry_out_one() {
    std::vector<shard_id> wanted;
    for (std::size_t i = 0; i < shard_count; ++i)
      if (!map.shards[i].to.empty()) wanted.push_back(static_cast<shard_id>(i));
    if (wanted.empty()) return false;
    const auto shard = wanted[chance() % wanted.size()];
    const auto was = map.shards[shard];
    map = passed_on(map, shard, was.to);
    REQUIRE(map.shards[shard] == shard_owner{was.to, was.epoch + 1});
    ++moved;
    return true;
  }
  /// Until nobody wants anything any more.
  void settle(std::chrono::milliseconds quiet_for = long_quiet) {
    for (std::size_t n = 0;; ++n) {
      REQUIRE(n < 10 * shard_count); // it comes to rest
      plan(quiet_for);
      if (!carry_out_one()) break;
    }
  }
};
} // namespace

TEST_CASE("shards that never had an owner are given out evenly once it is quiet", "[assignment]") {
  for (const int count : {1, 2, 3, 5, 16, 100, 256}) {
    world w{1};
    w.present = nodes(count);
    w.plan(1999ms);
    CHECK(w.map == shard_map{});
    w.plan(2s);
    CAPTURE(count);
    CHECK(w.map.version == 1);
    CHECK(apart(loads_of(w.map, w.present)) <= 1);
    for (const auto& s : w.map.shards) CHECK((s.epoch == 1 && s.to.empty()));
  }
}

TEST_CASE(
  "shards are given out only when as many owners are there as were asked for", "[assignment]") {
  world w{1};
  w.rules.owners_min = 3;
  w.present = nodes(2);
  w.present.push_back({"gate", "1.0", /*owns=*/false});
  w.plan(long_quiet);
  CHECK(w.map == shard_map{});
  w.present.push_back(node(3));
  w.plan(long_quiet);
  CHECK(w.map.version == 1);
  CHECK(owned_by(w.map, "gate") == 0);
}

TEST_CASE("who joins gets about its share, and nobody else gets anything", "[assignment]") {
  for (int count = 1; count <= 9; ++count) {
    world w{static_cast<std::uint64_t>(count)};
    w.present = nodes(count);
    w.settle();
    w.moved = 0;
    const auto before = w.map;
    w.present.push_back(node(count + 1));
    w.settle(29'999ms);
    CHECK(w.map == before); // it waits
    w.settle(30s);
    const auto share = shard_count / static_cast<std::size_t>(count + 1);
    const auto got = owned_by(w.map, node(count + 1).node);
    CAPTURE(count, share, got);
    CHECK(got == w.moved);
    CHECK(got <= share + 1);
    CHECK(got + imbalance_max(shard_count, static_cast<std::size_t>(count + 1)) >= share);
    for (std::size_t i = 0; i < shard_count; ++i)
      if (w.map.shards[i].node != node(count + 1).node) CHECK(w.map.shards[i] == before.shards[i]);
  }
}

TEST_CASE("a node that joins gets the shards that like it most, of the fullest", "[assignment]") {
  world w{7};
  w.present = nodes(2);
  w.settle();
  w.present.push_back(node(3));
  w.plan(30s);
  for (const auto& s : w.map.shards) CHECK((s.to.empty() || s.to == "n3"));
  const auto first = wanted_moves(w.map, "n1");
  REQUIRE(first.size() == 1); // the two fullest give one each
  for (const auto& lease : leases_of(w.map, "n1"))
    CHECK(affinity("n3", lease.shard) <= affinity("n3", first[0].shard));
}

TEST_CASE("a node that is drained hands over everything, without waiting", "[assignment]") {
  for (const bool mixed : {false, true}) {
    world w{3};
    w.present = nodes(4);
    w.settle();
    if (mixed) w.present[3].release = "1.1";
    w.moved = 0;
    w.present[1].draining = true;
    const auto had = owned_by(w.map, "n2");
    w.settle(0ms);
    CHECK(owned_by(w.map, "n2") == 0);
    CHECK(w.moved == had); // and nobody else anything
    CHECK(apart(loads_of(w.map, {w.present[0], w.present[2], w.present[3]})) <= 1);
  }
}

TEST_CASE("a gateway owns nothing; a node that became one hands over", "[assignment]") {
  world w{3};
  w.present = nodes(3);
  w.settle();
  w.present[0].owns = false;
  w.settle(0ms);
  CHECK(owned_by(w.map, "n1") == 0);
  w.wishes = {{9, "n1"}};
  w.settle();
  CHECK(w.wishes.empty()); // impossible is an answer
  CHECK(owned_by(w.map, "n1") == 0);
}

TEST_CASE("nobody can take what the last node should give", "[assignment]") {
  world w{3};
  w.present = nodes(1);
  w.settle();
  w.present[0].draining = true;
  w.settle();
  CHECK(owned_by(w.map, "n1") == shard_count);
}

TEST_CASE("who is away keeps its shards, and moves from and to it are off", "[assignment]") {
  world w{5};
  w.present = nodes(3);
  w.settle();
  w.wishes = {
    {leases_of(w.map, "n1").front().shard, "n2"}, {leases_of(w.map, "n2").front().shard, "n3"}};
  w.plan(0ms);
  REQUIRE(wanted_moves(w.map, "n1").size() == 1);
  REQUIRE(wanted_moves(w.map, "n2").size() == 1);
  const auto had = owned_by(w.map, "n2");
  w.present.erase(w.present.begin() + 1);
  w.plan(0ms);
  CHECK(wanted_moves(w.map, "n1").empty());
  CHECK(wanted_moves(w.map, "n2").empty());
  w.settle();
  CHECK(owned_by(w.map, "n2") == had);
}

TEST_CASE("a shard that people have moved stays there", "[assignment]") {
  world w{5};
  w.present = nodes(3);
  w.settle();
  for (int n = 0; n < 2; ++n) { // 84, 85 and 87 or so: within the slack
    w.wishes.push_back({leases_of(w.map, "n1")[static_cast<std::size_t>(n)].shard, "n3"});
  }
  const auto asked = w.wishes;
  w.settle(0ms);
  CHECK(w.wishes.empty());
  const auto after = w.map;
  w.settle(long_quiet);
  CHECK(w.map == after);
  for (const auto& wish : asked) CHECK(w.map.shards[wish.shard].node == "n3");
}

TEST_CASE("wishes wait their turn, and one that is taken back is off", "[assignment]") {
  world w{5};
  w.present = nodes(2);
  w.settle();
  const auto held = leases_of(w.map, "n1");
  for (std::size_t n = 0; n < 5; ++n) w.wishes.push_back({held[n].shard, "n2"});
  w.plan(0ms);
  CHECK(w.wishes.size() == 3);
  CHECK(wanted_moves(w.map, "n1").size() == 2);
  w.wishes = {{held[0].shard, "n1"}};
  w.plan(0ms);
  CHECK(wanted_moves(w.map, "n1").size() == 1);
  CHECK(w.wishes.empty());
}

TEST_CASE("two releases are not mixed with rebalancing, unless that is asked", "[assignment]") {
  world w{5};
  w.present = nodes(2);
  w.settle();
  w.present.push_back({"n3", "1.1"});
  w.settle();
  CHECK(owned_by(w.map, "n3") == 0);
  w.rules.mixed_releases = true;
  w.settle();
  CHECK(owned_by(w.map, "n3") > 70);
}

TEST_CASE(
  "whatever comes and goes, shards have one owner and come to rest in balance", "[assignment]") {
  const auto start = std::random_device{}();
  for (std::uint64_t seed = start; seed < start + 30; ++seed) {
    INFO("seed " << seed);
    world w{seed};
    w.present = nodes(1 + static_cast<int>(w.chance() % 6));
    std::set<std::string> away;
    for (int step = 0; step < 60; ++step) {
      switch (w.chance() % 6) {
        case 0: { // one joins or comes back
          const auto c = node(1 + static_cast<int>(w.chance() % 9));
          const auto same = [&](const candidate& o) { return o.node == c.node; };
          if (std::none_of(w.present.begin(), w.present.end(), same)) w.present.push_back(c);
          break;
        }
        case 1: // one goes away
          if (w.present.size() > 1)
            w.present.erase(w.present.begin() + static_cast<long>(w.chance() % w.present.size()));
          break;
        case 2: // a drain, or its end
          w.present[w.chance() % w.present.size()].draining ^= true;
          break;
        case 3:
          w.wishes.push_back(
            {static_cast<shard_id>(w.chance()), node(1 + static_cast<int>(w.chance() % 9)).node});
          break;
        default: w.carry_out_one();
      }
      w.plan(w.chance() % 2 == 0 ? 0ms : long_quiet);
    }
    w.wishes.clear();
    w.settle();
    std::size_t frozen = shard_count;
    auto loads = loads_of(w.map, w.present);
    for (auto l = loads.begin(); l != loads.end();) {
      const auto takes = std::any_of(w.present.begin(), w.present.end(),
        [&](const candidate& c) { return c.node == l->first && !c.draining; });
      takes ? void(frozen -= l->second), ++l : l = loads.erase(l);
    }
    if (loads.empty()) continue; // all that are there are draining
    const auto shared = shard_count - frozen;
    CHECK(apart(loads) <= imbalance_max(shared, loads.size()));
    for (const auto& [who, load] : loads) // the promise of DESIGN §8
      CHECK(load * 4 * loads.size() <= 5 * shared + 4 * loads.size());
    for (const auto& c : w.present)
      if (c.draining) CHECK(owned_by(w.map, c.node) == 0);
  }
}

TEST_CASE("only who holds an epoch passes it on, once", "[assignment]") {
  CHECK(judge_pass({"n1", 4, "n2"}, "n1", 4) == passing::due);
  CHECK(judge_pass({"n1", 4}, "n1", 4) == passing::due); // nobody wants it any more: given up it is
  CHECK(judge_pass({"n2", 5}, "n1", 4) == passing::done);
  CHECK(judge_pass({"n3", 9}, "n1", 4) == passing::done);
  CHECK(judge_pass({"n2", 4}, "n1", 4) == passing::fenced);
  CHECK(judge_pass({"n1", 3}, "n1", 4) == passing::early);
}

TEST_CASE("a map is made again of what nodes have stored: the highest epoch of each shard",
  "[assignment]") {
  world w{11};
  w.present = nodes(3);
  w.settle();
  w.map.lineage = "abc";
  std::vector<shard_map> stored{w.map};
  for (int n = 0; n < 40; ++n) { // each node has stored another moment of it
    w.map = passed_on(w.map, static_cast<shard_id>(w.chance() % 20), node(1 + n % 3).node);
    stored.push_back(w.map);
  }
  for (int round = 0; round < 20; ++round) {
    std::shuffle(stored.begin(), stored.end(), w.chance);
    const auto made = std::get<shard_map>(merged(stored));
    CHECK(made.version == w.map.version + 1);
    CHECK(made.shards == w.map.shards);
    CHECK(made.lineage == "abc");
    for (const auto& one : stored) CHECK(covers(made, one));
  }
}

TEST_CASE("maps of two clusters are not mixed", "[assignment]") {
  world w{11};
  w.present = nodes(3);
  w.settle();
  auto a = w.map, b = w.map;
  a.lineage = "a", b.lineage = "b";
  CHECK(std::get<std::string>(merged({a, b})) == "their lineages are a and b");
  b.lineage.clear();
  CHECK(std::holds_alternative<shard_map>(merged({a, b})));
  b.shards[17] = {"elsewhere", 1};
  CHECK(std::get<std::string>(merged({a, b})).starts_with("shard 17 at epoch 1 is "));
  b.shards[17].epoch = 2;
  CHECK(std::holds_alternative<shard_map>(merged({a, b})));
}
