#include "tests/catch.hpp"
#include "tests/history/cases.hpp"
#include "tests/history/judge.hpp"
#include "tests/history/synthetic.hpp"
#include <random>
#include <set>

using namespace jumun::tests::history;

TEST_CASE("what a shop could have lived is linearizable, and what it could not is not") {
  for (const auto& one : cases()) {
    const auto found = judge(one.what);
    CAPTURE(one.name, one.good);
    for (const auto& c : found.wrong) UNSCOPED_INFO(c.text);
    CHECK(found.passed() == one.good);
    for (const auto& c : found.wrong) CHECK(c.found.said == outcome::violated);
  }
}

TEST_CASE("each made history has a name of its own, and both kinds of each model are there") {
  std::set<std::string> names;
  std::set<std::pair<std::string, bool>> kinds;
  for (const auto& one : cases()) {
    CHECK(names.insert(one.name).second);
    kinds.emplace(one.what.keys[0].substr(0, one.what.keys[0].find('/')), one.good);
  }
  CHECK(kinds.size() == 6);
}

TEST_CASE("the order of the lines makes no difference") {
  std::mt19937_64 chance{7};
  for (auto one : cases())
    for (int i = 0; i < 20; ++i) {
      std::shuffle(one.what.calls.begin(), one.what.calls.end(), chance);
      CAPTURE(one.name, i);
      CHECK(judge(one.what).passed() == one.good);
    }
}

TEST_CASE("a history comes back from its file as it was") {
  for (const auto& one : cases()) {
    std::string lines;
    for (const auto& c : one.what.calls) lines += line_of(c, one.what.keys[c.key]) + '\n';
    const auto back = parse(lines);
    CAPTURE(one.name, lines);
    CHECK(back.keys == one.what.keys);
    CHECK(back.calls == one.what.calls);
  }
  CHECK_THROWS_AS(parse("{\"key\":\"stock/tea\"}"), std::runtime_error);
  CHECK_THROWS_AS(parse("no JSON"), std::runtime_error);
  CHECK_THROWS_AS(judge({{"shelf/tea"}, {}}), std::runtime_error);
}

TEST_CASE("a verdict says where the history broke, with the lines that can't be placed") {
  for (const auto& one : cases())
    for (const auto& c : judge(one.what).wrong) {
      CAPTURE(one.name, c.text);
      CHECK(c.text.find("\"invoke\":") != std::string::npos);
      CHECK((!c.found.window.empty() || !c.found.tail.empty()));
    }
}

TEST_CASE("a search that costs too much gives up, and that is no pass") {
  const auto lived = synthetic_story({1, 2'000, 1, 12, 0});
  judging how;
  how.most.steps = 500;
  const auto found = judge(lived, how);
  REQUIRE(!found.passed());
  CHECK(found.wrong[0].found.said == outcome::gave_up);
}

TEST_CASE("what a simulated shop answers is linearizable, from any seed") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto found = judge(synthetic_story({seed, 2'000, 3, 12, 20}));
    CAPTURE(seed);
    for (const auto& c : found.wrong) UNSCOPED_INFO(c.text);
    CHECK(found.passed());
  }
}

TEST_CASE("the same history costs the same search") {
  const auto lived = synthetic_story({5, 3'000, 3, 12, 20});
  const auto once = judge(lived);
  judging two;
  two.threads = 2;
  const auto again = judge(lived, two);
  CHECK(once.steps == again.steps);
  CHECK(once.remembered == again.remembered);
}

TEST_CASE("one wrong answer among thousands is found") {
  std::size_t tried = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed)
    for (const auto wrong : {flaw::stale_read, flaw::lost_update, flaw::applied_twice,
           flaw::version_stands_still, flaw::refused_wrongly, flaw::future_read}) {
      auto lived = synthetic_story({seed, 2'000, 2, 12, 20});
      if (!spoil(lived, wrong, seed)) continue;
      ++tried;
      CAPTURE(seed, static_cast<int>(wrong));
      CHECK(!judge(lived).passed());
    }
  CHECK(tried > 100); // or nothing was spoilt
}
