#include "tests/catch.hpp"
#include "tests/support/shop_of_nodes.hpp"

using namespace jumun;
using namespace jumun::tests;

TEST_CASE("a node is emptied while orders come: all of them are there, and it owns nothing",
  "[cluster][moves]") {
  shop_of_nodes shop{2, {"--simulator-node", "n0"}};
  auto people = shop.client(0);
  const auto tea = shop.sku_of(0, "tea"), cake = shop.sku_of(1, "cake");
  people.sell(tea, 100, 10'000);
  people.sell(cake, 250, 10'000);
  std::vector<std::string> orders;
  const auto place = [&] {
    orders.push_back(shop.placed(0, {{tea, 1}, {cake, 1}}));
    return orders.back();
  };
  const auto early = place();
  people.wait_settled(early);
  auto ops = shop.at(0).ops();
  need(ops.post("/admin/v1/nodes/n1/drain", json::object()), 202);
  ask_while_less([&] {
    place(); // wherever its shard is by now
    return domain::shard_count - shop.served(0);
  });
  CHECK(shop.served(1) == 0);
  for (const auto& id : orders) CHECK(people.wait_settled(id).at("status") == "preparing");
  const auto left = 10'000 - static_cast<int>(orders.size());
  CHECK(people.stock(tea).at("on_hand") == left);
  CHECK(people.stock(cake).at("on_hand") == left); // its shard came with its stock
  need(people.cancel(early), 202);                 // and the money is where the order is
  CHECK(people.wait_for(early, "cancelled").at("payment").at("status") == "refunded");
  CHECK(shop.client(1).order(early).at("status") == "cancelled"); // by the emptied node, too
  CHECK(shop.books() == "");
}

TEST_CASE("a node empties itself by a command that ends when it can't", "[cluster][moves]") {
  shop_of_nodes shop{2};
  temp_dir dir;
  const auto drain = [&](std::size_t i, texts more) {
    texts args{
      "cluster", "drain", "--ops", "http://127.0.0.1:" + std::to_string(shop.at(i).ops_port())};
    args.insert(args.end(), more.begin(), more.end());
    process command{{args, dir.path() / "drain.log", {"JUMUN_NODE_ID=n" + std::to_string(i)}}};
    while (command.read_line()) {}
    return command.wait().exit_code;
  };
  CHECK(drain(1, {}) == 0); // by its variable, as a pod's preStop does
  CHECK(shop.served(1) == 0);
  CHECK(drain(0, {}) == 12); // n1 takes none
  REQUIRE(shop.at(1).stop() == 0);
  shop.at(1).restart(); // it was emptied, and is meant to work again
  ask_until([&] { return drain(0, {"--within", "600"}) == 0; });
  CHECK(shop.served(0) == 0);
  CHECK(shop.served(1) == domain::shard_count);
  shop.at(0).kill9(); // and is missed only after a while: it seems to be there
  ask_until([&] { return drain(1, {"--within", "1"}) == 12; });
  CHECK(shop.served(1) == domain::shard_count);
}

TEST_CASE("a node that is stopped in the middle of its drain takes part again when it is started, "
          "or when somebody says so",
  "[cluster][moves]") {
  shop_of_nodes shop{2, {"--cluster-resume"}};
  auto ops = shop.at(0).ops();
  const auto state = [&](const std::string& node) {
    const auto c = need(ops.get("/admin/v1/cluster"), 200).json();
    for (const auto& m : c.at("members"))
      if (m.at("id") == node) return m.at("state").get<std::string>();
    return std::string{};
  };
  const auto drain = [&](const std::string& node) {
    return ops.post("/admin/v1/nodes/" + node + "/drain", json::object()).status;
  };
  need(ops.post("/admin/v1/nodes/n1/drain", json::object()), 202);
  ask_until([&] { return state("n1") == "draining"; });
  CHECK(drain("n0") == 409); // somebody has to have the shards
  shop.at(1).kill9();
  shop.at(1).restart();
  ask_until([&] { return state("n1") == "up"; });
  ask_until([&] { return drain("n0") == 202; });
  ask_until([&] { return state("n0") == "draining"; });
  temp_dir dir;
  process command{
    {{"cluster", "resume", "--ops", "http://127.0.0.1:" + std::to_string(shop.at(1).ops_port())},
      dir.path() / "resume.log", {"JUMUN_NODE_ID=n0"}}};
  while (command.read_line()) {}
  CHECK(command.wait().exit_code == 0);
  ask_until([&] { return state("n0") == "up"; });
  shop.await_whole();
}

TEST_CASE("a shard that is moved there and back has its whole history", "[cluster][moves]") {
  shop_of_nodes shop{2, {"--simulator-node", "n0"}};
  auto people = shop.client(0);
  const auto tea = shop.sku_of(1, "tea");
  const auto shard = domain::shard_of(std::string_view{tea});
  people.sell(tea, 100, 50);
  for (const std::size_t to : {0, 1, 0}) {
    shop.move(shard, to);
    people.wait_settled(shop.placed(0, {{tea, 1}}));
  }
  CHECK(people.figures(tea) == "47/0/47");
  CHECK(shop.client(1).all_of("/v1/inventory/" + tea + "/movements").size() == 4);
  CHECK(shop.shards(0).at(shard).at("epoch") == 4);
  CHECK(shop.books() == "");
}
