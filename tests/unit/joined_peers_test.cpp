#include "tests/catch.hpp"
#include "tests/support/joined_peers.hpp"

namespace {
using namespace jumun;
using cluster::asked;

cluster::envelope command(std::string bytes, std::int64_t deadline_ms = 0) {
  cluster::envelope e;
  e.kind = 1;
  e.deadline_ms = deadline_ms;
  e.bytes = std::move(bytes);
  return e;
}

/// What node b was told, and an answer to each ask: the same bytes again.
struct echo {
  explicit echo(tests::joined_peers& net, const std::string& node) {
    net.at(node).on_tell([this](const std::string& from, cluster::envelope e, cluster::receipt) {
      told.push_back(from + ":" + e.bytes);
    });
    net.at(node).on_ask([this](const std::string&, cluster::envelope e, cluster::reply_once reply) {
      ++asks;
      reply(std::move(e));
    });
  }
  std::vector<std::string> told;
  int asks = 0;
};
} // namespace

TEST_CASE("joined peers keep each peer's order, whatever the delay", "[peers]") {
  tests::joined_peers net{7};
  echo b{net, "b"};
  net.delay("a", "b", 500);
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back("a:" + std::to_string(i));
    CHECK(net.at("a").tell("b", command(std::to_string(i))));
  }
  CHECK(net.run());
  CHECK(b.told == sent);
}

TEST_CASE("an ask between joined peers ends once: answered, unknown or not sent", "[peers]") {
  tests::joined_peers net;
  echo b{net, "b"};
  std::vector<asked> ends;
  const auto ask = [&](std::int64_t deadline) {
    net.at("a").ask(
      "b", command("x", deadline), [&](cluster::ask_result r) { ends.push_back(r.how); });
  };
  ask(0);
  CHECK(net.run());
  CHECK(ends == std::vector{asked::answered});

  net.lose("b", "a", 100); // it is done, and nobody hears of it
  const auto deadline = net.now_ms() + 700;
  ask(deadline);
  CHECK(net.run());
  CHECK(ends.back() == asked::unknown);
  CHECK(net.now_ms() == deadline);
  CHECK(b.asks == 2);

  ask(0);
  net.cut("a", "b"); // on its way
  ask(0);
  CHECK(net.run());
  CHECK(ends == std::vector{asked::answered, asked::unknown, asked::unknown, asked::not_sent});
  CHECK(b.asks == 2);
  CHECK_FALSE(net.at("a").tell("b", command("x")));
  CHECK(net.at("b").tell("a", command("one way only")));

  net.join("a", "b");
  net.lose("b", "a", 0);
  ask(0);
  CHECK(net.run());
  CHECK(ends.back() == asked::answered);
}

TEST_CASE("a reply that nobody gives is unknown at once", "[peers]") {
  tests::joined_peers net;
  net.at("b").on_ask([](const std::string&, cluster::envelope, cluster::reply_once) {});
  const auto began = net.now_ms();
  auto how = asked::answered;
  net.at("a").ask("b", command("x"), [&](cluster::ask_result r) {
    how = r.how;
    CHECK(net.now_ms() == began);
  });
  CHECK(net.run());
  CHECK(how == asked::unknown);
}

TEST_CASE("without credit between joined peers nothing is sent, until some is handled", "[peers]") {
  tests::joined_peers net;
  std::vector<cluster::receipt> held;
  net.at("b").on_tell([&](const std::string&, cluster::envelope, cluster::receipt r) {
    held.push_back(std::move(r));
  });
  net.credit("a", "b", 2);
  CHECK(net.at("a").tell("b", command("1")));
  CHECK(net.at("a").tell("b", command("2")));
  CHECK_FALSE(net.at("a").tell("b", command("3")));
  CHECK(net.run());
  CHECK_FALSE(net.at("a").tell("b", command("3")));
  held.clear();
  CHECK(net.at("a").tell("b", command("3")));
  CHECK(net.at("a").figures().at(0).refused_for_credit == 2);
}

TEST_CASE("the same seed is the same story between joined peers", "[peers]") {
  const auto story = [](std::uint64_t seed) {
    tests::joined_peers net{seed};
    echo b{net, "b"};
    net.delay("a", "b", 20);
    net.lose("a", "b", 30);
    for (int i = 0; i < 40; ++i) (void)net.at("a").tell("b", command(std::to_string(i)));
    CHECK(net.run());
    return b.told;
  };
  CHECK(story(3) == story(3));
  CHECK(story(3) != story(4));
}
