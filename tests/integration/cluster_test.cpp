#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

using namespace jumun::tests;

namespace {
json only_shard(client& ops, int n) {
  return need(ops.get("/admin/v1/shards"), 200).json().at("data").at(static_cast<std::size_t>(n));
}

/// What a row of /admin/v1/shards says of who has it.
json ownership_in(const json& row) {
  json out;
  for (const auto* field : {"shard", "owner", "epoch", "state", "moving_to"})
    out[field] = row.at(field);
  return out;
}
} // namespace

TEST_CASE("one node shows itself as a cluster that owns every shard", "[cluster]") {
  open_shop shop{{"--node-id", "shop-0"}};
  auto ops = shop.at.ops();
  const auto c = need(ops.get("/admin/v1/cluster"), 200).json();
  CHECK(c.at("node") == "shop-0");
  CHECK(c.at("coordinator") == "single");
  REQUIRE(c.at("members").size() == 1);
  const auto& self = c.at("members")[0];
  CHECK(self.at("id") == "shop-0");
  CHECK(self.at("role") == "all");
  CHECK(self.at("state") == "up");
  CHECK(self.at("shards") == 256);
  CHECK(c.at("sees")[0].at("peers").empty());
  const auto shards = need(ops.get("/admin/v1/shards"), 200).json().at("data");
  REQUIRE(shards.size() == 256);
  for (std::size_t i = 0; i < shards.size(); ++i)
    CHECK(ownership_in(shards[i])
          == json{{"shard", i}, {"owner", "shop-0"}, {"epoch", 1}, {"state", "running"},
            {"moving_to", nullptr}});
}

TEST_CASE("a folder opened under another name changes hands, with its orders", "[cluster]") {
  temp_dir dir;
  std::string id;
  {
    server first{dir.path() / "data", {"--node-id", "a"}};
    shop_client people{first};
    people.sell("tea", 100, 5);
    id = people.placed("tok_approve", {{"tea", 1}});
    people.wait_settled(id);
    CHECK(first.stop() == 0);
    first.restart();
    auto ops = first.ops();
    CHECK(only_shard(ops, 9).at("epoch") == 1); // the same owner: nothing changed hands
    CHECK(first.stop() == 0);
  }
  server second{dir.path() / "data", {"--node-id", "b"}};
  auto ops = second.ops();
  CHECK(ownership_in(only_shard(ops, 9))
        == json{{"shard", 9}, {"owner", "b"}, {"epoch", 2}, {"state", "running"},
          {"moving_to", nullptr}});
  shop_client people{second};
  CHECK(people.order(id).at("status") == "preparing");
  CHECK(
    people.wait_settled(people.placed("tok_approve", {{"tea", 1}})).at("status") == "preparing");
  CHECK(people.complaints() == texts{});
}

TEST_CASE("a node that is alone says so when its shards should go elsewhere", "[cluster]") {
  open_shop shop;
  auto ops = shop.at.ops();
  const auto code = [&](const std::string& path, const json& body, int status) {
    return need(ops.send("POST", path, body.dump()), status).json().value("code", "");
  };
  CHECK(code("/admin/v1/shards/3/move", {{"to", "n1"}}, 202).empty()); // it is there already
  CHECK(code("/admin/v1/shards/3/move", {{"to", "n2"}}, 404) == "not-found");
  CHECK(code("/admin/v1/shards/256/move", {{"to", "n1"}}, 404) == "not-found");
  CHECK(code("/admin/v1/shards/3/move", json::object(), 422) == "validation-failed");
  CHECK(
    need(ops.send("POST", "/admin/v1/nodes/n1/drain"), 409).json().at("code") == "no-other-node");
  CHECK(need(ops.send("POST", "/admin/v1/nodes/n2/drain"), 404).json().at("code") == "not-found");
  CHECK(need(ops.send("POST", "/admin/v1/nodes/n1/resume"), 202).json().at("state") == "up");
  need(ops.send("POST", "/admin/v1/nodes/n2/resume"), 404);
}
