#include "app/cluster/mover.hpp"
#include "domain/limits.hpp"
#include "tests/catch.hpp"
#include "tests/support/joined_peers.hpp"
#include "tests/support/memory_store.hpp"
#include <random>
#include <set>

/// Shards on their way between nodes whose network, disks and lives are the test's: real movers and
/// journals, a map that is agreed on at once, one thing happening at a time, in an order that the
/// seed decides.
namespace {
using namespace jumun;
using storage::table;

constexpr domain::shard_id shard = 9;
const std::string no_step;

std::string key_of(unsigned n) {
  return std::string(1, static_cast<char>(shard)) + "key" + std::to_string(n);
}

class world;

/// One node: its disk outlives its lives.
class toy_node {
public:
  toy_node(world& in, std::string name) : in_(in), name_(std::move(name)) { boot(); }
  void boot();
  void crash();
  void follow(); // the map has changed, or the node has come up
  bool act(std::mt19937_64& chance);
  void write(std::mt19937_64& chance);
  [[nodiscard]] std::map<std::string, std::string> rows() const;

  world& in_;
  const std::string name_;
  std::shared_ptr<tests::memory_store> disk_ = std::make_shared<tests::memory_store>();
  std::unique_ptr<storage::journal> journal_;
  std::shared_ptr<app::mover> mover_;
  std::deque<std::function<void()>> tasks_;
  std::multimap<std::int64_t, std::function<void()>> timers_;
  std::deque<std::function<void()>> passes_; // on their way to whoever agrees on the map
  domain::epoch_id serves_ = 0;              // 0: it does not
  domain::epoch_id kept_ = 0;                // at which the map on its disk says that it is its own
  bool up_ = false;
  std::set<std::string> steps_;
  std::string die_at_; // dies when it reaches this step
  bool has_rows_ = true;
  bool syncs_ = true;         // false: its disk stalls
  std::int64_t clock_ms_ = 0; // by how much its wall clock differs
};

class world {
public:
  explicit world(std::uint64_t seed) : chance(seed), net(seed) {
    for (const auto* name : {"n1", "n2"}) nodes[name] = std::make_unique<toy_node>(*this, name);
    for (auto& [name, n] : nodes) n->follow();
  }
  toy_node& at(const std::string& name) { return *nodes.at(name); }
  void change(std::string to, domain::epoch_id e) {
    owner = std::move(to), epoch = e;
    for (auto& [name, n] : nodes)
      if (n->up_) n->tasks_.push_back([node = n.get()] { node->follow(); });
  }
  void want(std::string to) {
    wanted = std::move(to);
    for (auto& [name, n] : nodes)
      if (n->up_) n->tasks_.push_back([node = n.get()] { node->follow(); });
  }
  /// One thing happens. False: nothing can but time.
  bool step() {
    std::vector<std::function<bool()>> could;
    for (auto& [name, n] : nodes)
      if (n->up_) could.push_back([this, node = n.get()] { return node->act(chance); });
    could.push_back([this] { return net.step(); });
    std::shuffle(could.begin(), could.end(), chance);
    for (const auto& one : could)
      if (one()) return true;
    return false;
  }
  void pass_time(std::int64_t ms) {
    net.set_now(net.now_ms() + ms);
    for (auto& [name, n] : nodes) {
      auto due = n->timers_.upper_bound(net.now_ms());
      for (auto t = n->timers_.begin(); t != due; ++t) n->tasks_.push_back(t->second);
      n->timers_.erase(n->timers_.begin(), due);
    }
  }
  /// Until the shard is where it is wanted, and nothing is under way; false: it never was.
  bool settles() {
    for (int i = 0; i < 20'000; ++i) {
      while (step()) {}
      if (owner == wanted && at(owner).serves_ == epoch && moves_left() == 0) return true;
      pass_time(100);
    }
    return false;
  }
  /// However often the network makes it begin anew.
  [[nodiscard]] bool reaches(
    const std::string& who, const std::string& step, const std::function<void()>& more) {
    for (int i = 0; i < 20'000 && at(who).steps_.count(step) == 0; ++i) more();
    return at(who).steps_.count(step) == 1;
  }
  [[nodiscard]] std::size_t moves_left() {
    std::size_t n = 0;
    for (auto& [name, node] : nodes) n += node->mover_->progress().size();
    return n;
  }
  void check_one_serves() {
    int serving = 0;
    for (auto& [name, n] : nodes) serving += n->serves_ > 0 ? 1 : 0;
    REQUIRE(serving <= 1);
  }

  std::mt19937_64 chance;
  tests::joined_peers net;
  std::string owner = "n1", wanted = "n1";
  domain::epoch_id epoch = 1;
  bool agreeing = true;                     // false: nobody can change the map
  bool restored = false;                    // the next change of the owner is undone at once
  bool in_contact = true;                   // false: and everybody knows
  std::map<std::string, std::string> truth; // rows of the shard that somebody was told are durable
  std::map<std::string, std::unique_ptr<toy_node>> nodes;
};

void toy_node::boot() {
  up_ = true;
  disk_->revive();
  journal_ = std::make_unique<storage::journal>(disk_, storage::journal::options{true, 0, {}});
  auto& peers = in_.net.at(name_);
  app::mover::surroundings with{name_, *journal_, peers,
    [this](std::function<void()> work) { tasks_.push_back(std::move(work)); },
    [this](std::chrono::milliseconds pause, std::function<void()> work) {
      timers_.emplace(in_.net.now_ms() + pause.count(), std::move(work));
    },
    [this](domain::shard_id, std::function<void()> done) {
      serves_ = 0;
      journal_->when_durable(std::move(done));
    },
    [this](domain::shard_id) { serves_ = kept_; },
    [this](domain::shard_id) {
      return std::pair{in_.owner, in_.epoch};
    },
    [this](domain::shard_id, domain::epoch_id e, const std::string& to,
      std::function<void(cluster::passed)> done) {
      passes_.push_back([this, e, to, done = std::move(done)] {
        if (in_.owner == name_ && in_.epoch == e) in_.change(to, e + 1);
        done(in_.epoch > e ? cluster::passed::done : cluster::passed::fenced);
        if (std::exchange(in_.restored, false)) in_.change(name_, e);
      });
    },
    [this] { return in_.net.now_ms() + clock_ms_; }, [this] { return in_.chance(); },
    [](std::string_view, const std::string&) {},
    [this](std::string_view step) {
      steps_.emplace(step);
      if (step == die_at_) {
        die_at_.clear();
        tasks_.push_front([this] { crash(); });
      }
    },
    [this] { return in_.in_contact; }, [this](domain::shard_id) { return has_rows_; }};
  mover_ = std::make_shared<app::mover>(std::move(with));
  peers.on_ask([this](const std::string& from, cluster::envelope e, cluster::reply_once reply) {
    if (up_) mover_->take(from, std::move(e), std::move(reply));
  });
  mover_->start();
  tasks_.push_back([this] { follow(); });
}

void toy_node::crash() {
  up_ = false;
  serves_ = 0;
  disk_->cut(); // what waits in the journal is lost
  in_.net.isolate(name_);
  tasks_.clear();
  timers_.clear();
  passes_.clear();
  mover_.reset();
  journal_.reset();
  tasks_.clear();
  in_.net.heal(name_);
  boot();
}

void toy_node::follow() {
  // What is on its way may not be served, and is not missed: a person must not look for it.
  if (mover_->gave_away({shard, in_.epoch}))
    CHECK_FALSE(mover_->may_serve({shard, in_.epoch}, true, false));
  if (in_.owner == name_ && serves_ == 0 && mover_->progress().empty()) {
    const bool held = kept_ == in_.epoch, fresh = in_.epoch == 1;
    if (mover_->may_serve({shard, in_.epoch}, held, fresh)) {
      kept_ = in_.epoch;
      journal_->raise_epoch(shard, in_.epoch);
      serves_ = in_.epoch;
      in_.check_one_serves();
      // What was told to be durable is here, whoever it was told by.
      REQUIRE(rows() == in_.truth);
    }
  }
  std::vector<domain::wanted_move> moves;
  if (in_.owner == name_ && in_.wanted != name_) moves.push_back({shard, in_.epoch, in_.wanted});
  domain::shard_set coming;
  coming[shard] = in_.owner != name_ && in_.wanted == name_;
  mover_->want(std::move(moves), coming);
}

bool toy_node::act(std::mt19937_64& chance) {
  if (chance() % 3 == 0 && syncs_ && journal_->run_once()) return true;
  if (!passes_.empty() && in_.agreeing && chance() % 3 == 0) {
    auto pass = std::move(passes_.front());
    passes_.pop_front();
    pass();
    return true;
  }
  if (tasks_.empty() && syncs_ && journal_->run_once()) return true;
  if (tasks_.empty()) return !passes_.empty() && in_.agreeing;
  auto work = std::move(tasks_.front());
  tasks_.pop_front();
  work();
  return true;
}

void toy_node::write(std::mt19937_64& chance) {
  if (serves_ == 0) return;
  static constexpr table tables[] = {table::orders, table::stock, table::history};
  storage::write_set set;
  set.shard = shard;
  set.epoch = serves_;
  std::map<std::string, std::string> wrote;
  std::set<std::string> deleted;
  for (auto n = 1 + chance() % 5; n > 0; --n) {
    const auto in = tables[chance() % 3];
    storage::entry e{in, key_of(static_cast<unsigned>(chance() % 60)), {}};
    const auto named = std::string{storage::name_of(in)} + e.key;
    wrote.erase(named), deleted.insert(named);
    if (chance() % 5 != 0) {
      e.value = std::string(1 + chance() % 400, 'x') + std::to_string(chance());
      wrote[named] = *e.value;
    }
    set.entries.push_back(std::move(e));
  }
  const auto told = [this, wrote, deleted] {
    for (const auto& d : deleted) in_.truth.erase(d);
    for (const auto& [k, v] : wrote) in_.truth[k] = v;
  };
  (void)journal_->append(std::move(set), told);
}

std::map<std::string, std::string> toy_node::rows() const {
  std::map<std::string, std::string> all;
  storage::shard_reader from{*disk_, shard};
  for (auto piece = from.next(1 << 20); !piece.empty(); piece = from.next(1 << 20))
    for (const auto& e : piece) all[std::string{storage::name_of(e.in)} + e.key] = e.value.value();
  return all;
}

void some_writes(world& w, int times) {
  for (int i = 0; i < times; ++i) {
    w.at(w.owner).write(w.chance);
    if (w.chance() % 2 == 0) w.step();
  }
}
} // namespace

TEST_CASE("a shard moves while it is written to, and nothing that was told is lost", "[mover]") {
  world w{GENERATE(range(1U, 30U))};
  while (w.step()) {}
  some_writes(w, 200);
  w.want("n2");
  some_writes(w, 400);
  REQUIRE(w.settles());
  CHECK(w.owner == "n2");
  CHECK(w.epoch == 2);
  CHECK(w.at("n2").rows() == w.truth);
  CHECK(w.at("n1").rows().empty()); // given away means gone
  some_writes(w, 50);
  w.want("n1"); // and back
  REQUIRE(w.settles());
  CHECK(w.epoch == 3);
  CHECK(w.at("n1").rows() == w.truth);
}

TEST_CASE(
  "a shard is copied, and not taken out of service, while nobody can change the map", "[mover]") {
  world w{GENERATE(range(1U, 10U))};
  while (w.step()) {}
  some_writes(w, 200);
  w.agreeing = w.in_contact = false;
  w.want("n2");
  const auto a_second_passes = [&] {
    some_writes(w, 20);
    while (w.step()) REQUIRE(w.at("n1").serves_ == 1);
    w.pass_time(1'000);
  };
  REQUIRE(w.reaches("n1", "move.copied", a_second_passes)); // all but the last of it is there
  for (int second = 0; second < 10; ++second) a_second_passes();
  w.agreeing = w.in_contact = true;
  REQUIRE(w.settles());
  CHECK(w.at("n2").rows() == w.truth);
}

TEST_CASE(
  "a node serves a copy that is whole, at the epoch that it is for, and no other", "[mover]") {
  world w{1};
  auto& taker = w.at("n2");
  const auto keeps = [&](const storage::shard_copy& c) {
    (void)taker.disk_->apply({{table::meta, storage::shard_copy_key(shard), storage::encode(c)}});
  };
  const auto serves = [&](domain::epoch_id epoch) {
    return taker.mover_->may_serve({shard, epoch}, /*held=*/false, /*fresh=*/false);
  };
  CHECK_FALSE(serves(3));
  keeps({3, "n1", "move", false});
  CHECK_FALSE(serves(3));
  keeps({3, "n1", "move", true});
  CHECK(serves(3));
  CHECK_FALSE(serves(4));
}

TEST_CASE("a whole copy of a shard that went to another node is dropped", "[mover]") {
  const bool restarted = GENERATE(false, true);
  CAPTURE(restarted);
  world w{5};
  while (w.step()) {}
  some_writes(w, 50);
  w.want("n2");
  auto& taker = w.at("n2");
  REQUIRE(w.reaches("n2", "move.take.completed", [&] {
    if (!w.step()) w.pass_time(100);
  }));
  w.net.isolate("n2"); // so its giver does not hear of it
  REQUIRE_FALSE(taker.rows().empty());
  if (restarted) taker.crash();
  w.wanted = "n3";
  w.change("n3", 2);
  while (w.step()) {}
  CHECK(taker.rows().empty());
}

TEST_CASE("what was given is not offered again while its next owner can't be entered", "[mover]") {
  world w{7};
  while (w.step()) {}
  some_writes(w, 50);
  auto &giver = w.at("n1"), &taker = w.at("n2");
  w.agreeing = false;
  giver.die_at_ = "move.given";
  w.want("n2");
  REQUIRE(w.reaches("n1", "move.given", [&] {
    if (!w.step()) w.pass_time(100);
  }));
  REQUIRE_FALSE(w.truth.empty());
  giver.steps_.clear();
  for (int second = 0; second < 10; ++second) {      // it has died, and is back
    while (w.step()) CHECK(taker.rows() == w.truth); // an offer would have them deleted
    w.pass_time(1'000);
  }
  CHECK(giver.steps_.count("move.offered") == 0);
  w.agreeing = true;
  REQUIRE(w.settles());
  CHECK(taker.rows() == w.truth);
}

TEST_CASE(
  "what was passed on is told again to an agreement that is restored from before", "[mover]") {
  world w{GENERATE(range(1U, 20U))};
  while (w.step()) {}
  some_writes(w, 50);
  w.restored = true;
  w.want("n2");
  REQUIRE(w.settles());
  CHECK_FALSE(w.restored);
  CHECK(w.at("n2").rows() == w.truth);
  CHECK(w.at("n1").rows().empty());
  CHECK_FALSE(w.at("n1").mover_->gave_away({shard, 1})); // and it keeps no record of it
}

TEST_CASE(
  "a shard is not served for two seconds at most, whatever hangs or is set back", "[mover]") {
  const auto* const what = GENERATE("the disk", "the network and the clock");
  CAPTURE(what);
  world w{GENERATE(range(1U, 10U))};
  while (w.step()) {}
  some_writes(w, 50);
  w.want("n2");
  auto &giver = w.at("n1"), &taker = w.at("n2");
  REQUIRE(w.reaches("n1", "move.paused", [&] {
    if (!w.step()) w.pass_time(100);
  }));
  REQUIRE(giver.serves_ == 0);
  const auto failed = giver.mover_->counted().failed.load();
  if (std::string_view{what} == "the disk") {
    taker.syncs_ = false; // what it is asked is answered once it is durable
  } else {
    w.net.isolate("n2");
    giver.clock_ms_ = -3'600'000;
  }
  for (int tenth = 0; tenth < 21; ++tenth) {
    w.pass_time(100);
    while (giver.act(w.chance) || taker.act(w.chance) || w.net.step_now()) {}
  }
  CHECK(giver.serves_ == 1);
  CHECK(giver.mover_->counted().failed == failed + 1);
  taker.syncs_ = true;
  giver.clock_ms_ = 0;
  w.net.heal("n2");
  REQUIRE(w.settles());
  CHECK(taker.rows() == w.truth);
}

TEST_CASE("a shard whose rows are not in the folder is not given away", "[mover]") {
  world w{3};
  while (w.step()) {}
  w.at("n1").has_rows_ = false; // it was started on an old copy
  w.want("n2");
  CHECK_FALSE(w.settles());
  CHECK(w.owner == "n1");
  w.at("n1").has_rows_ = true;
  w.want("n2");
  CHECK(w.settles());
}

TEST_CASE("a move survives the death of either side at each of its steps", "[mover]") {
  struct death {
    const char *who, *step;
  };
  static constexpr death deaths[] = {{"n1", "move.offered"}, {"n1", "move.copying"},
    {"n1", "move.copied"}, {"n1", "move.pausing"}, {"n1", "move.paused"}, {"n1", "move.completing"},
    {"n1", "move.completed"}, {"n1", "move.given"}, {"n1", "move.passed"}, {"n1", "move.emptied"},
    {"n2", "move.take.offered"}, {"n2", "move.take.rows"}, {"n2", "move.take.completed"}};
  const auto [who, step] = deaths[GENERATE(range(std::size_t{0}, std::size(deaths)))];
  const auto seed = GENERATE(range(1U, 12U));
  INFO(who << " dies at " << step << ", seed " << seed);
  world w{seed};
  while (w.step()) {}
  some_writes(w, 150);
  w.at(who).die_at_ = step;
  w.agreeing = seed % 2 == 0; // so that the giver comes back before the map knows
  w.want("n2");
  some_writes(w, 150);
  for (int i = 0; i < 5'000 && w.step(); ++i) w.check_one_serves();
  w.pass_time(3'000);
  for (int i = 0; i < 5'000 && w.step(); ++i) w.check_one_serves();
  w.agreeing = true;
  REQUIRE(w.settles());
  CHECK(w.at(who).steps_.count(step) == 1);
  CHECK(w.at(who).die_at_ == no_step);
  CHECK(w.owner == "n2");
  CHECK(w.at("n2").rows() == w.truth);
}

TEST_CASE("a move survives a network that loses, cuts and delays, and nodes that die", "[mover]") {
  const auto seed = GENERATE(range(1U, 60U));
  INFO("seed " << seed);
  world w{seed};
  while (w.step()) {}
  some_writes(w, 100);
  for (int round = 0; round < 40; ++round) {
    const auto other = w.owner == "n1" ? "n2" : "n1";
    w.agreeing = w.chance() % 4 != 0;
    switch (w.chance() % 8) {
      case 0: w.want(other); break;
      case 1: w.want(w.owner); break;
      case 2: w.net.cut("n1", "n2"); break;
      case 3: w.net.cut("n2", "n1"); break;
      case 4: w.net.heal("n1"); break;
      case 5: w.net.lose("n1", "n2", static_cast<unsigned>(w.chance() % 30)); break;
      case 6: w.net.delay("n1", "n2", static_cast<std::int64_t>(w.chance() % 300)); break;
      case 7: w.at(w.chance() % 2 == 0 ? "n1" : "n2").crash(); break;
    }
    some_writes(w, 20);
    for (int i = 0; i < 200 && w.step(); ++i) w.check_one_serves();
    w.pass_time(static_cast<std::int64_t>(w.chance() % 1'500));
  }
  for (const auto* from : {"n1", "n2"})
    for (const auto* to : {"n1", "n2"}) w.net.lose(from, to, 0), w.net.delay(from, to, 0);
  w.net.heal("n1");
  w.agreeing = true;
  w.want(w.chance() % 2 == 0 ? "n1" : "n2");
  const bool settled = w.settles();
  for (auto& [name, n] : w.nodes) {
    for (auto& p : n->mover_->progress())
      UNSCOPED_INFO(name << " step " << p.step << " to " << p.to << " epoch " << p.epoch);
    UNSCOPED_INFO(name << " serves " << n->serves_ << " kept " << n->kept_ << " tasks "
                       << n->tasks_.size() << " timers " << n->timers_.size());
  }
  UNSCOPED_INFO("owner " << w.owner << " epoch " << w.epoch << " wanted " << w.wanted);
  REQUIRE(settled);
  CHECK(w.at(w.owner).rows() == w.truth);
}

TEST_CASE("an offer that is there before the map waits for it, for a second", "[mover]") {
  const bool comes = GENERATE(true, false);
  world w{7};
  while (w.step()) {}
  const auto all_act = [&w] {
    while (w.at("n1").act(w.chance) || w.at("n2").act(w.chance)) {}
  };
  w.wanted = "n2";
  w.at("n1").follow(); // n2 has not heard of it
  all_act();
  REQUIRE(w.net.step()); // the offer comes
  all_act();
  const auto& failed = w.at("n1").mover_->counted().failed;
  if (comes) {
    w.at("n2").follow();
    all_act();
    REQUIRE(w.net.step()); // what it was answered with
    all_act();
    CHECK(w.at("n1").steps_.count("move.copying") == 1);
    CHECK(failed == 0);
  } else {
    w.pass_time(1'000);
    all_act();
    REQUIRE(w.net.step()); // the refusal
    all_act();
    CHECK(failed == 1); // it is tried again
    w.at("n2").follow();
  }
  CHECK(w.settles());
}
