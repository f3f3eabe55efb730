#pragma once
#include "storage/journal.hpp"
#include "tests/catch.hpp"
#include <functional>
#include <map>
#include <random>

/// What every log behind the commit path has to keep (storage/commit_log.hpp, ADR 0020). An
/// implementation brings a rig, and calls commit_log_conforms() in a test of its own.
namespace jumun::tests {
/// A log with a world around it that outlives its crashes.
class log_rig {
public:
  virtual ~log_rig() = default;
  /// Of the process that runs now. Until crash().
  virtual std::shared_ptr<storage::commit_log> log() = 0;
  /// The rows that became durable, as readers and the next start see them. Until crash().
  virtual std::shared_ptr<storage::store> rows() = 0;
  /// kill -9, and the next start: only what was durable is left.
  virtual void crash() = 0;
  /// The answer to the next append gets lost, `landed` or not. False: this rig can't do that.
  virtual bool lose_answer(bool landed) = 0;
};
using make_rig = std::function<std::unique_ptr<log_rig>()>;

namespace conformance {
using storage::appended;
using storage::log_batch;
using storage::table;

inline std::string key_of(domain::shard_id shard, std::string_view name) {
  return std::string(1, static_cast<char>(shard)).append(name);
}
/// Adds a part that puts `value` under `name`; without a value it deletes.
inline void put(log_batch& to, storage::log_part part, std::string_view name,
  std::optional<std::string> value) {
  to.parts.push_back(part);
  to.add({table::stock, key_of(part.shard, name), std::move(value)},
    static_cast<std::uint16_t>(to.parts.size() - 1));
}
inline std::optional<std::string> read(
  log_rig& rig, domain::shard_id shard, std::string_view name) {
  return rig.rows()->get(table::stock, key_of(shard, name));
}
inline std::vector<appended> append(log_rig& rig, const log_batch& batch) {
  return rig.log()->append(batch).parts;
}
inline appended append_one(
  log_rig& rig, storage::log_part part, std::string_view name, std::string value) {
  log_batch batch;
  put(batch, part, name, std::move(value));
  return append(rig, batch).front();
}
using outcomes = std::vector<appended>;
constexpr domain::shard_id tea = 3, milk = 200;

/// A log and a model of it get the same: appends in turn, again, too early, by former owners; the
/// rows must be the model's, after crashes too.
inline void behaves_as_a_model(log_rig& rig, std::uint32_t seed) {
  struct end {
    domain::epoch_id epoch = 0;
    std::uint64_t seq = 0;
  };
  std::mt19937 chance{seed};
  std::map<domain::shard_id, end> ends;
  std::map<std::pair<domain::shard_id, std::string>, std::string> rows;
  const auto open = [&](domain::shard_id s, domain::epoch_id epoch) {
    const auto last = rig.log()->open(s, epoch);
    REQUIRE(last.has_value());
    if (ends[s].epoch == epoch) CHECK(*last == ends[s].seq);
    ends[s] = {epoch, *last};
  };
  for (const auto s : {tea, milk}) open(s, 1);
  for (int step = 0; step < 300; ++step) {
    if (chance() % 40 == 0) {
      rig.crash();
      for (auto& [s, at] : ends) {
        const auto last = rig.log()->open(s, at.epoch);
        REQUIRE(last.has_value());
        at.seq = *last;
      }
    }
    if (chance() % 20 == 0) {
      const auto s = chance() % 2 ? tea : milk;
      open(s, ends[s].epoch + 1 + chance() % 2);
    }
    log_batch batch;
    outcomes wanted;
    for (const auto s : {tea, milk}) {
      auto& at = ends[s];
      storage::log_part part{s, at.epoch, at.seq + 1};
      const auto dice = chance() % 8;
      if (dice == 0 && at.seq > 0) part.seq = 1 + chance() % at.seq;
      if (dice == 1) part.seq += 1 + chance() % 3;
      if (dice == 2 && at.epoch > 1) part.epoch -= 1, part.seq = 1 + chance() % 9;
      const auto name = "row-" + std::to_string(chance() % 4);
      const auto value = std::to_string(step) + "-" + std::to_string(seed);
      put(batch, part, name, value);
      wanted.push_back(part.epoch < at.epoch    ? appended::fenced
                       : part.seq > at.seq + 1 ? appended::gap
                                               : appended::ok);
      if (part.epoch != at.epoch || part.seq != at.seq + 1) continue;
      ++at.seq;
      rows[{s, name}] = value;
    }
    REQUIRE(append(rig, batch) == wanted);
    for (const auto& [key, value] : rows) REQUIRE(read(rig, key.first, key.second) == value);
  }
}

/// Write sets of a journal on top of it: version `v` of the row of this shard.
inline storage::write_set set_of(domain::shard_id shard, int v, domain::epoch_id epoch = 1) {
  storage::write_set set;
  set.shard = shard, set.epoch = epoch;
  set.entries.push_back({table::stock, key_of(shard, "row"), std::to_string(v)});
  return set;
}

struct journal_on {
  explicit journal_on(log_rig& rig) {
    storage::journal::options how;
    how.manual = true;
    how.on_failure = [this](const storage::failure& why) { failures.push_back(why); };
    how.log = rig.log();
    to = std::make_unique<storage::journal>(rig.rows(), std::move(how));
  }
  std::vector<storage::failure> failures;
  std::unique_ptr<storage::journal> to;
};
} // namespace conformance

inline void commit_log_conforms(const make_rig& make) {
  using namespace conformance;
  const auto rig = make();
  const auto log = [&]() -> storage::commit_log& { return *rig->log(); };

  SECTION("parts take effect in the order of seq, those of several shards in one batch") {
    REQUIRE(log().open(tea, 1) == 0);
    REQUIRE(log().open(milk, 7) == 0);
    log_batch first;
    put(first, {tea, 1, 1}, "a", "1");
    first.add({table::stock, key_of(tea, "b"), "1"}, 0);
    put(first, {milk, 7, 1}, "a", "1");
    first.add({table::meta, "own", "1"}, log_batch::own);
    put(first, {tea, 1, 2}, "a", "2");
    CHECK(append(*rig, first) == outcomes{appended::ok, appended::ok, appended::ok});
    CHECK(read(*rig, tea, "a") == "2");
    CHECK(read(*rig, milk, "a") == "1");
    CHECK(rig->rows()->get(table::meta, "own") == "1");
    log_batch second;
    put(second, {tea, 1, 3}, "b", std::nullopt);
    CHECK(append(*rig, second) == outcomes{appended::ok});
    CHECK_FALSE(read(*rig, tea, "b"));
    CHECK(log().open(tea, 1) == 3);
  }

  SECTION("a repetition is ok and does nothing, beside a part that is new") {
    REQUIRE(log().open(tea, 1) == 0);
    REQUIRE(log().open(milk, 1) == 0);
    REQUIRE(append_one(*rig, {tea, 1, 1}, "a", "1") == appended::ok);
    REQUIRE(append_one(*rig, {tea, 1, 2}, "a", "2") == appended::ok);
    log_batch again;
    put(again, {tea, 1, 1}, "a", "1");
    put(again, {milk, 1, 1}, "a", "new");
    CHECK(append(*rig, again) == outcomes{appended::ok, appended::ok});
    CHECK(read(*rig, tea, "a") == "2");
    CHECK(read(*rig, milk, "a") == "new");
  }

  SECTION("what is too early is refused, and writes nothing") {
    REQUIRE(log().open(tea, 1) == 0);
    CHECK(append_one(*rig, {tea, 1, 2}, "a", "2") == appended::gap);
    CHECK(append_one(*rig, {milk, 1, 1}, "a", "not opened") == appended::gap);
    CHECK_FALSE(read(*rig, tea, "a"));
    CHECK_FALSE(read(*rig, milk, "a"));
    CHECK(append_one(*rig, {tea, 1, 1}, "a", "1") == appended::ok);
    CHECK(append_one(*rig, {tea, 1, 2}, "a", "2") == appended::ok);
    CHECK(read(*rig, tea, "a") == "2");
  }

  SECTION("a former owner is fenced, and what is written beside it is not") {
    REQUIRE(log().open(tea, 1) == 0);
    REQUIRE(log().open(milk, 1) == 0);
    REQUIRE(append_one(*rig, {tea, 1, 1}, "a", "1") == appended::ok);
    REQUIRE(log().open(tea, 2) == 0);
    log_batch batch;
    put(batch, {tea, 1, 2}, "a", "stale");
    put(batch, {milk, 1, 1}, "a", "1");
    put(batch, {tea, 2, 1}, "b", "1");
    batch.add({table::meta, "own", "1"}, log_batch::own);
    CHECK(append(*rig, batch) == outcomes{appended::fenced, appended::ok, appended::ok});
    CHECK(read(*rig, tea, "a") == "1");
    CHECK(read(*rig, tea, "b") == "1");
    CHECK(read(*rig, milk, "a") == "1");
    CHECK(rig->rows()->get(table::meta, "own") == "1");
    CHECK_FALSE(log().open(tea, 1));
    CHECK(append_one(*rig, {tea, 1, 2}, "a", "stale") == appended::fenced);
    CHECK(log().open(tea, 2) == 1);
  }

  SECTION("a lost answer is unknown, or was asked for again; the part is there once or not") {
    const bool landed = GENERATE(true, false);
    REQUIRE(log().open(tea, 1) == 0);
    REQUIRE(append_one(*rig, {tea, 1, 1}, "a", "1") == appended::ok);
    if (!rig->lose_answer(landed)) return;
    log_batch batch;
    put(batch, {tea, 1, 2}, "a", "2");
    batch.add({table::stock, key_of(tea, "b"), "2"}, 0);
    auto came_to = log().append(batch);
    for (int i = 0; i < 100 && !came_to.broken && came_to.parts.front() == appended::unknown; ++i)
      came_to = log().append(batch);
    if (!came_to.broken) {
      REQUIRE(came_to.parts.front() == appended::ok);
    } else {
      CHECK(came_to.parts.front() == appended::unknown);
      const auto before = read(*rig, tea, "a");
      log_batch next;
      put(next, {tea, 1, 3}, "a", "3");
      put(next, {tea, 1, 1}, "a", "1");
      const auto said = log().append(next);
      CHECK(said.broken);
      CHECK(said.parts == outcomes{appended::unknown, appended::unknown});
      CHECK(read(*rig, tea, "a") == before);
      rig->crash();
    }
    const auto a = read(*rig, tea, "a"), b = read(*rig, tea, "b");
    CHECK((a == "2" ? b == "2" : a == "1" && !b));
    const auto last = log().open(tea, 1);
    REQUIRE(last);
    CHECK(append_one(*rig, {tea, 1, *last + 1}, "a", "4") == appended::ok);
    CHECK(read(*rig, tea, "a") == "4");
  }

  SECTION("what was ok is there after a crash, and the owner goes on") {
    REQUIRE(log().open(tea, 4) == 0);
    for (std::uint64_t seq = 1; seq <= 5; ++seq) {
      const auto last = log().open(tea, 4);
      REQUIRE(last);
      REQUIRE(append_one(*rig, {tea, 4, *last + 1}, "a", std::to_string(seq)) == appended::ok);
      rig->crash();
      CHECK(read(*rig, tea, "a") == std::to_string(seq));
    }
  }

  SECTION("whatever comes, its rows are those of a model") {
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U);
    CAPTURE(seed);
    behaves_as_a_model(*rig, seed);
  }

  SECTION("a journal's callbacks run once each, in order, when their rows are durable") {
    journal_on j{*rig};
    std::vector<int> told;
    for (int v = 1; v <= 50; ++v) {
      const auto shard = v % 2 ? tea : milk;
      REQUIRE(j.to->append(set_of(shard, v), [&, shard, v] {
        told.push_back(v);
        CHECK(std::stoi(*read(*rig, shard, "row")) >= v);
      }) == storage::append_result::ok);
      if (v % 7 == 0) (void)j.to->run_once();
    }
    if (rig->lose_answer(true)) (void)j.to->run_once();
    j.to->flush();
    std::vector<int> all(50);
    for (int v = 0; v < 50; ++v) all[static_cast<std::size_t>(v)] = v + 1;
    if (j.failures.empty())
      CHECK(told == all);
    else // it was lost for good: who was not told by then never is
      CHECK(told == std::vector<int>(all.begin(), all.begin() + 49));
  }

  SECTION("a journal that is fenced stops, once, and tells nobody") {
    journal_on j{*rig};
    int told = 0;
    REQUIRE(j.to->append(set_of(tea, 1), [&] { ++told; }) == storage::append_result::ok);
    j.to->flush();
    REQUIRE(told == 1);
    REQUIRE(log().open(tea, 2));
    REQUIRE(j.to->append(set_of(tea, 2), [&] { ++told; }) == storage::append_result::ok);
    j.to->flush();
    CHECK(told == 1);
    REQUIRE(j.failures.size() == 1);
    CHECK(j.failures.front().code == storage::errc::fenced);
    CHECK(read(*rig, tea, "row") == "1");
    CHECK(j.to->append(set_of(milk, 1)) == storage::append_result::stopped);
  }
}
} // namespace jumun::tests
