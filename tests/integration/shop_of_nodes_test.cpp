#include "tests/catch.hpp"
#include "tests/support/shop_of_nodes.hpp"

// Real processes, real etcd: one shop of several nodes.
using namespace jumun::tests;

namespace {
/// Owner and epoch of each shard, as that node knows them; the figures beside them change.
json owners(shop_of_nodes& shop, std::size_t i) {
  auto all = json::array();
  for (const auto shards = shop.shards(i); const auto& s : shards)
    all.push_back({s.at("shard"), s.at("owner"), s.at("epoch")});
  return all;
}
std::string status_of(shop_client& people, const std::string& id) {
  return people.wait_settled(id).at("status");
}
} // namespace

TEST_CASE("three nodes share the shards, and an order on one takes its stock from the two others",
  "[cluster]") {
  shop_of_nodes shop{3};
  std::size_t all = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto n = shop.served(i);
    CHECK(n >= 85);
    CHECK(n <= 86);
    all += n;
    CHECK(owners(shop, i) == owners(shop, 0)); // they agree
  }
  CHECK(all == 256);

  auto people = shop.client(0);
  const auto tea = shop.sku_of(1, "tea"), cake = shop.sku_of(2, "cake");
  people.sell(tea, 100, 10);
  people.sell(cake, 250, 10);
  const auto kept = people.placed("tok_approve", {{tea, 2}, {cake, 1}});
  CHECK(status_of(people, kept) == "preparing");
  const auto taken_back = people.placed("tok_approve", {{tea, 3}, {cake, 3}});
  CHECK(status_of(people, taken_back) == "preparing");
  need(people.cancel(taken_back), 202);
  CHECK(people.wait_for(taken_back, "cancelled").at("status") == "cancelled");
  CHECK(status_of(people, people.placed("tok_approve", {{tea, 1}, {cake, 10}})) == "rejected");
  CHECK(status_of(people, people.placed("tok_decline", {{tea, 1}, {cake, 1}})) == "rejected");
  CHECK(people.figures(tea) == "8/0/8");
  CHECK(people.figures(cake) == "9/0/9");
  CHECK(people.money(kept) == money_moved{1, 0, 0, 450});
  CHECK(shop.books() == "");
}

TEST_CASE(
  "a node that is killed while an order needs it makes the order wait, not fail", "[cluster]") {
  shop_of_nodes shop{2, {"--payment-timeout-ms", "20000"}};
  const auto before = owners(shop, 1);
  auto people = shop.client(0);
  const auto tea = shop.sku_of(1, "tea");
  people.sell(tea, 100, 1'000);
  std::vector<std::string> here, all; // `here`: their sagas are node 0's
  while (here.size() < 3) {
    all.push_back(people.placed("tok_slow_6000", {{tea, 1}}));
    if (shop.holds(0, all.back())) here.push_back(all.back());
  }
  for (const auto& id : here) people.wait_for(id, "paying"); // its stock is reserved there
  shop.at(1).kill9();
  for (const auto& id : here) people.wait_for(id, "paid"); // and now it can't leave the shelf
  for (const auto& id : here) CHECK(people.order(id).at("status") == "paid");
  CHECK(shop.served(0) == 128); // nobody takes what is the other one's
  shop.at(1).restart();
  shop.await_whole();
  for (const auto& id : all) CHECK(status_of(people, id) == "preparing");
  CHECK(people.stock(tea).at("on_hand") == 1'000 - static_cast<int>(all.size()));
  CHECK(people.stock(tea).at("reserved") == 0);
  CHECK(owners(shop, 1) == before); // the same shards at the same epochs
  CHECK(shop.books() == "");
}

TEST_CASE("orders of every node over every SKU settle while nodes are killed", "[cluster]") {
  shop_of_nodes shop{3};
  std::vector<std::string> skus;
  {
    auto people = shop.client(0);
    for (std::size_t i = 0; i < 3; ++i) {
      skus.push_back(shop.sku_of(i, "sku"));
      people.sell(skus.back(), 100, 1'000);
    }
  }
  std::vector<std::vector<std::string>> orders(3);
  for (std::size_t victim = 0; victim < 3; ++victim) {
    for (std::size_t at = 0; at < 3; ++at) {
      for (int i = 0; i < 10; ++i)
        orders[at].push_back(shop.placed(at, {{skus[0], 1}, {skus[1], 1}, {skus[2], 1}}));
    }
    shop.at(victim).kill9();
    shop.at(victim).restart();
    shop.await_whole();
  }
  std::int64_t kept = 0;
  for (std::size_t at = 0; at < 3; ++at) {
    auto people = shop.client(at);
    for (const auto& id : orders[at]) kept += status_of(people, id) == "preparing" ? 1 : 0;
  }
  CHECK(kept == 90);
  auto people = shop.client(0);
  for (const auto& sku : skus) CHECK(people.figures(sku) == "910/0/910");
  CHECK(shop.books() == "");
}

TEST_CASE("a gateway owns nothing, and is the same shop", "[cluster]") {
  shop_of_nodes shop{2};
  shop.add({"--role", "gateway"});
  shop.await_whole(); // it knows the others
  CHECK(shop.served(2) == 0);
  auto people = shop.client(2);
  const auto tea = shop.sku_of(1, "tea");
  people.sell(tea, 100, 10);
  CHECK(status_of(people, people.placed("tok_approve", {{tea, 2}})) == "preparing");
  CHECK(people.figures(tea) == "8/0/8");
  CHECK(shop.at(2).stop() == 0);
  CHECK(shop.served(0) + shop.served(1) == 256);
}

TEST_CASE("an older copy of a node's folder is refused however often it is started", "[cluster]") {
  shop_of_nodes shop{2};
  const auto folder = shop.folder(1).string(), old = folder + ".old", newest = folder + ".newest";
  auto people = shop.client(0);
  const auto tea = shop.sku_of(1, "tea");
  people.sell(tea, 100, 5);
  REQUIRE(shop.at(1).stop() == 0);
  std::filesystem::copy(folder, old, std::filesystem::copy_options::recursive);
  shop.at(1).restart();
  shop.await_whole();
  people.wait_settled(people.placed("tok_approve", {{tea, 2}})); // the old copy knows nothing of it
  shop.at(1).kill9();
  std::filesystem::rename(folder, newest);
  std::filesystem::rename(old, folder);
  texts again{"serve", "--data-dir", folder, "--port", "0", "--ops-port", "0"};
  for (auto& word : shop.args(1)) again.push_back(word);
  for (int start = 1; start <= 3; ++start) {
    INFO("start " << start);
    const auto refused = run_jumun(again);
    CHECK(refused.how.exit_code == 11);
    CHECK(refused.err.find("an older copy of node n1's") != std::string::npos);
  }
  std::filesystem::remove_all(folder);
  std::filesystem::rename(newest, folder);
  shop.at(1).restart(); // the refused ones have not made it an old one
  shop.await_whole();
  CHECK(people.figures(tea) == "3/0/3");
  CHECK(shop.books() == "");
}

TEST_CASE("a node of a cluster is not mistaken for another one", "[cluster]") {
  shop_of_nodes shop{2};
  // Under a name that is taken, on a folder of its own.
  auto args = shop.args(0);
  const auto other = (shop.folder(0).parent_path() / "other").string();
  args.insert(args.begin(), {"serve", "--data-dir", other, "--port", "0", "--ops-port", "0"});
  const auto taken = run_jumun(args);
  CHECK(taken.how.exit_code == 11);
  CHECK(taken.err.find("cluster.refused") != std::string::npos);

  CHECK(shop.at(0).stop() == 0);
  const auto folder = shop.folder(0).string();
  const auto start = [&](const texts& more) {
    texts all{"serve", "--data-dir", folder, "--port", "0", "--ops-port", "0"};
    all.insert(all.end(), more.begin(), more.end());
    return run_jumun(all);
  };
  CHECK(start({}).how.exit_code == 8); // alone, it would take the others' shards, too
  CHECK(start(shop.args(1)).how.exit_code == 8);
  CHECK(start({"--cluster", "mall", "--node-id", "n0", "--etcd", shop.etcd().url()}).how.exit_code
        == 8);
}

TEST_CASE(
  "a node that has lost its disk does not serve its shards as if they were empty", "[cluster]") {
  shop_of_nodes shop{2};
  CHECK(shop.at(1).stop() == 0);
  std::filesystem::remove_all(shop.folder(1));
  shop.at(1).restart();
  auto ops = shop.at(1).ops();
  ask_until(
    [&] { return ops.get("/readyz").body.find("without their data") != std::string::npos; });
  CHECK(ops.get("/readyz").status == 503);
  CHECK(shop.served(1) == 0);
  CHECK(shop.at(1).log().find("shards.data_missing") != std::string::npos);
}
