#include "tests/catch.hpp"
#include "tests/support/shop_witness.hpp"
#include <cstdio>
#include <cstdlib>
#include <sstream>

// Nodes that are restarted, upgraded and added, while a gateway goes on answering.
using namespace jumun;
using namespace jumun::tests;
using namespace std::chrono_literals;

namespace {
constexpr std::int64_t pieces = 100'000;
constexpr std::size_t owners = 3, gateway = owners;

/// For as long as a restart may take on a machine that has other things to do.
const texts patient{"--cluster-owner-wait-ms", "60000"};

/// Three owners of shards and a gateway, which is everybody's bank. People order through it.
struct busy_shop {
  explicit busy_shop(texts more, const std::string& program = {})
      : shop{owners, with_bank(std::move(more)), program} {
    shop.add({"--role", "gateway"});
    shop.await_whole();
    auto people = shop.client(gateway);
    order_lines one_of_each;
    for (std::size_t i = 0; i < owners; ++i) {
      skus.push_back(shop.sku_of(i, "sku-"));
      people.sell(skus.back(), 100, pieces);
      one_of_each.emplace_back(skus.back(), 1);
    }
    orders = std::make_unique<steady_orders>(shop.at(gateway), one_of_each, 25ms);
    orders->await(20);
  }
  /// As a platform does it: SIGTERM, its end, the next one.
  void restart_all(const std::string& program = {}) {
    for (std::size_t i = 0; i < owners; ++i) {
      CHECK(shop.at(i).stop() == 0);
      witness.look();
      if (!program.empty()) shop.at(i).become(program);
      shop.at(i).restart();
      shop.await_whole();
      orders->await(20);
      witness.look();
    }
  }
  /// Hands out what came in place of an answer.
  texts check() {
    const auto all = orders->stop();
    const waits heard{all};
    UNSCOPED_INFO(heard.text());
    CHECK(witness.complaints(gateway, all, skus, pieces) == texts{});
    CHECK(shop.books() == "");
    return heard.instead;
  }

  static texts with_bank(texts more) {
    more.insert(more.end(), {"--simulator-node", shop_of_nodes::name(gateway)});
    return more;
  }
  shop_of_nodes shop;
  shop_witness witness{shop};
  texts skus;
  std::unique_ptr<steady_orders> orders;
};
} // namespace

TEST_CASE("all nodes are restarted in turn, and who orders through a gateway notices no more than "
          "a wait",
  "[cluster][rolling]") {
  busy_shop all{patient};
  all.restart_all();
  CHECK(all.check() == texts{}); // each was answered the first time
}

namespace {
/// Of each shard that a node gave away, for how long nobody served it: from its log.
std::vector<int> not_served_ms(const shop_of_nodes& shop) {
  std::vector<int> all;
  for (std::size_t i = 0; i < owners; ++i) {
    std::istringstream log{shop.at(i).log()};
    constexpr std::string_view field = "not_served_ms=";
    for (std::string line; std::getline(log, line);)
      if (const auto at = line.find(field); at != std::string::npos)
        all.push_back(std::atoi(line.c_str() + at + field.size()));
  }
  std::sort(all.begin(), all.end());
  return all;
}
/// A fourth node comes, and has its share; the load goes on all the while.
void join_fourth(busy_shop& all) {
  all.shop.add();
  const auto newest = all.shop.size() - 1;
  constexpr std::size_t share = domain::shard_count / (owners + 1) - 8;
  ask_while_less([&] { // 30 s after it came
    all.witness.look();
    return share - std::min(share, all.shop.served(newest));
  });
  ask_until([&] {
    const auto shards = all.shop.shards(gateway);
    return std::all_of(
      shards.begin(), shards.end(), [](const json& s) { return s.at("moving_to").is_null(); });
  });
  all.shop.await_whole();
}
} // namespace

TEST_CASE(
  "a node that joins under load gets its share, and nothing is lost", "[cluster][moves][rolling]") {
  busy_shop all{patient};
  join_fourth(all);
  CHECK(not_served_ms(all.shop).size() >= 50);
  CHECK(all.check() == texts{});
}

TEST_CASE("how long a shard is not served when it moves", "[.move-figures]") {
  busy_shop all{{}};
  join_fourth(all);
  const auto gone = not_served_ms(all.shop);
  const auto heard = waits{all.orders->stop()};
  const auto at = [&](double q) {
    return gone.at(static_cast<std::size_t>(q * static_cast<double>(gone.size() - 1)));
  };
  std::printf("%zu shards moved to a fourth node, each not served for: p50 %d ms, p99 %d ms, "
              "longest %d ms\n%s\n",
    gone.size(), at(0.5), at(0.99), at(1), heard.text().c_str());
  CHECK(heard.instead == texts{});
}

// scripts/mixed_releases.sh runs it: $JUMUN_PREVIOUS is the release before this one.
TEST_CASE("all nodes are upgraded in turn under load, and back", "[.mixed-releases]") {
  const char* previous = std::getenv("JUMUN_PREVIOUS");
  REQUIRE(previous != nullptr);
  busy_shop all{{}, previous}; // it may not know this one's settings
  all.restart_all(std::getenv("JUMUN_BINARY"));
  all.restart_all(previous);
  all.restart_all(std::getenv("JUMUN_BINARY"));
  for (const auto& instead : all.check()) CHECK(instead.substr(0, 4) == "503 "); // ask again
}
