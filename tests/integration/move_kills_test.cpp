#include "tests/catch.hpp"
#include "tests/support/shop_witness.hpp"
#include <csignal>

// Real processes, killed exactly at each step of a move (--failpoints move.<step>) under load.
using namespace jumun;
using namespace jumun::tests;
using namespace std::chrono_literals;

namespace {
enum class who : std::uint8_t { giver, taker };
struct death {
  who dies;
  std::string at;
};
/// Each step that app/cluster/mover.cpp reaches.
const std::vector<death> deaths{{who::giver, "move.offered"}, {who::giver, "move.copying"},
  {who::giver, "move.copied"}, {who::giver, "move.pausing"}, {who::giver, "move.paused"},
  {who::giver, "move.completing"}, {who::giver, "move.completed"}, {who::giver, "move.given"},
  {who::giver, "move.passed"}, {who::giver, "move.emptied"}, {who::taker, "move.take.offered"},
  {who::taker, "move.take.rows"}, {who::taker, "move.take.completed"}};

constexpr std::int64_t pieces = 100'000;

/// A node without shards, which all load goes through, and which is everybody's bank. It is added
/// last, and never dies.
struct shop_under_load {
  explicit shop_under_load(std::size_t owners)
      : shop{owners, {"--simulator-node", shop_of_nodes::name(owners)}}, gateway{owners} {
    shop.add({"--role", "gateway"});
    shop.await_whole();
    auto people = shop.client(gateway);
    for (std::size_t i = 0; i < owners; ++i) {
      skus.push_back(shop.sku_of(i, "sku-"));
      people.sell(skus.back(), 100, pieces);
    }
    order_lines one_of_each;
    for (const auto& sku : skus) one_of_each.emplace_back(sku, 1);
    orders = std::make_unique<steady_orders>(shop.at(gateway), one_of_each, 40ms);
  }
  /// Kills it where it is, if it is not dead by itself, and starts it with `failpoint` (or none).
  void restart(std::size_t node, const std::string& failpoint) {
    auto& at = shop.at(node);
    if (at.child().running()) at.kill9();
    at.restart(failpoint.empty() ? texts{} : texts{"--failpoints", failpoint});
  }
  void await_death(std::size_t node) {
    const auto how = shop.at(node).child().wait();
    if (how.signal != SIGKILL) throw std::runtime_error("it ended by itself");
  }
  /// Nothing was lost, nothing done twice, and all of it is sound.
  void check() {
    const auto all = orders->stop();
    CHECK(all.size() > 100);
    const waits heard{all};
    INFO(heard.text());
    CHECK(witness.complaints(gateway, all, skus, pieces) == texts{});
    CHECK(shop.books() == "");
  }

  shop_of_nodes shop;
  shop_witness witness{shop};
  const std::size_t gateway;
  texts skus;
  std::unique_ptr<steady_orders> orders;
};

json shard_of(shop_under_load& all, std::size_t shard) {
  return all.shop.shards(all.gateway).at(shard);
}
/// Whether it is there, serves, and is to stay.
bool rests(const json& shard, const std::string& owner) {
  return shard.at("owner") == owner && shard.at("state") == "running"
         && shard.at("moving_to").is_null();
}
void ask_for_move(shop_under_load& all, std::size_t shard, const std::string& to) {
  auto ops = all.shop.at(all.gateway).ops();
  const auto target = "/admin/v1/shards/" + std::to_string(shard) + "/move";
  ask_until([&] { return ops.post(target, {{"to", to}}).status == 202; });
}
} // namespace

TEST_CASE("a move survives the death of either node at each of its steps, under load",
  "[cluster][moves][kills]") {
  shop_under_load all{2};
  const std::size_t shard = domain::shard_of(std::string_view{all.skus[0]}); // each order's
  std::size_t giver = 0;
  for (const auto& d : deaths) {
    INFO("at " << d.at);
    const auto taker = 1 - giver;
    const auto victim = d.dies == who::giver ? giver : taker;
    all.restart(victim, d.at);
    all.shop.await_whole();
    ask_for_move(all, shard, shop_of_nodes::name(taker));
    all.await_death(victim);
    all.witness.look();
    all.restart(victim, "");
    // It has ended, or it is undone and asked for anew: a wish ends with either node's absence.
    ask_until([&] {
      all.witness.look();
      const auto now = shard_of(all, shard);
      if (rests(now, shop_of_nodes::name(giver)))
        ask_for_move(all, shard, shop_of_nodes::name(taker));
      return rests(now, shop_of_nodes::name(taker));
    });
    all.shop.await_whole();
    giver = taker;
  }
  all.orders->await(20);
  all.check();
}

TEST_CASE(
  "a drain survives the deaths of both nodes at each step, under load", "[cluster][moves][kills]") {
  shop_under_load all{2};
  const std::size_t emptied = 0, other = 1;
  auto ops = all.shop.at(all.gateway).ops();
  all.restart(deaths[0].dies == who::giver ? emptied : other, deaths[0].at);
  all.shop.await_whole();
  ask_until([&] { return ops.post("/admin/v1/nodes/n0/drain", json::object()).status == 202; });
  for (std::size_t i = 0; i < deaths.size(); ++i) {
    INFO("at " << deaths[i].at);
    const auto victim = deaths[i].dies == who::giver ? emptied : other;
    all.await_death(victim);
    all.witness.look();
    const auto next = i + 1 < deaths.size() ? deaths[i + 1] : death{deaths[i].dies, ""};
    all.restart(victim, next.dies == deaths[i].dies ? next.at : "");
    if (next.dies != deaths[i].dies)
      all.restart(next.dies == who::giver ? emptied : other, next.at);
  }
  all.shop.await_whole();
  ask_while_less([&] {
    all.witness.look();
    return domain::shard_count - all.shop.served(other);
  });
  CHECK(all.shop.served(emptied) == 0);
  all.orders->await(20);
  all.check();
}
