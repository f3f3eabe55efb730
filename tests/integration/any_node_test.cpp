#include "tests/catch.hpp"
#include "tests/support/shop_of_nodes.hpp"
#include "tests/support/sse_client.hpp"

// One shop of several processes, asked through all of them.
using namespace jumun::tests;

namespace {
/// All pages, each asked of the next node.
json all_by_turns(shop_of_nodes& shop, const std::string& target, bool ops = false) {
  json all = json::array();
  std::string cursor;
  for (std::size_t i = 0;; i = (i + 1) % shop.size()) {
    auto c = ops ? shop.at(i).ops() : shop.at(i).api();
    const auto more = cursor.empty() ? "" : "&cursor=" + cursor;
    const auto page = need(c.get(target + "?limit=3" + more), 200).json();
    CHECK(page.at("partial") == false);
    for (const auto& row : page.at("data")) all.push_back(row);
    if (page.at("next_cursor").is_null()) return all;
    cursor = page.at("next_cursor");
  }
}
std::map<std::string, std::vector<int>> by_key(const json& events) {
  std::map<std::string, std::vector<int>> out;
  for (const auto& e : events) out[e.at("partitionkey")].push_back(e.at("sequence"));
  return out;
}
/// The whole feed from `after` on, each page asked of the next node that is there.
json feed_by_turns(shop_of_nodes& shop, std::string& after, const std::vector<std::size_t>& nodes) {
  json all = json::array();
  for (std::size_t turn = 0, quiet = 0; quiet < nodes.size(); ++turn) {
    auto c = shop.at(nodes[turn % nodes.size()]).api();
    const auto page =
      need(c.get("/v1/events?limit=7" + (after.empty() ? "" : "&after=" + after)), 200).json();
    for (const auto& e : page.at("data")) all.push_back(e);
    quiet = page.at("data").empty() ? quiet + 1 : 0;
    after = page.at("next_cursor");
  }
  return all;
}
} // namespace

TEST_CASE("three nodes are one shop, whichever is asked", "[cluster]") {
  shop_of_nodes shop{3};
  const texts skus{shop.sku_of(0, "tea-"), shop.sku_of(1, "tea-"), shop.sku_of(2, "tea-")};
  for (std::size_t i = 0; i < 3; ++i) {
    auto other = shop.client((i + 1) % 3); // not the owner
    other.sell(skus[i], 100 * static_cast<std::int64_t>(i + 1), 50);
  }
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < 9; ++i) {
    auto c = shop.client(i % 3);
    const auto r = need(c.place("tok_approve", {{skus[0], 1}, {skus[1], 1}, {skus[2], 1}},
                          {.key = "key-" + std::to_string(i)}),
      201);
    CHECK(r.json().at("total").at("amount") == 600);
    ids.push_back(r.json().at("id"));
    auto elsewhere = shop.client((i + 1) % 3);
    const auto again =
      need(elsewhere.place("tok_approve", {{skus[0], 1}, {skus[1], 1}, {skus[2], 1}},
             {.key = "key-" + std::to_string(i)}),
        201);
    CHECK(again.body == r.body);
    CHECK(again.field("idempotency-replayed") == "true");
  }
  for (std::size_t i = 0; i < ids.size(); ++i)
    CHECK(shop.client((i + 2) % 3).wait_settled(ids[i]).at("status") == "preparing");
  // A price that changed on one node is in the next order on any.
  shop.client(0).put_product(skus[2], 1'000);
  for (std::size_t i = 0; i < 3; ++i) {
    auto c = shop.client(i);
    const auto id = c.placed("tok_approve", {{skus[2], 1}});
    CHECK(c.order(id).at("total").at("amount") == 1'000);
    c.wait_settled(id);
    ids.push_back(id);
  }
  need(shop.client(1).cancel(ids[0]), 202);
  shop.client(2).wait_for(ids[0], "cancelled");

  std::set<std::string> listed;
  for (const auto& o : all_by_turns(shop, "/v1/orders")) CHECK(listed.insert(o.at("id")).second);
  CHECK(listed == std::set<std::string>(ids.begin(), ids.end()));
  texts sorted{skus.begin(), skus.end()};
  std::sort(sorted.begin(), sorted.end());
  for (const auto* target : {"/v1/products", "/v1/inventory"}) {
    texts seen;
    for (const auto& row : all_by_turns(shop, target)) seen.push_back(row.at("sku"));
    CHECK(seen == sorted);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    auto c = shop.client(i);
    CHECK(c.stock(skus[0]).at("on_hand") == 42); // 9 orders, one undone
    CHECK(c.all_of("/v1/inventory/" + skus[1] + "/movements").size() == 11);
    CHECK(c.complaints() == texts{}); // orders against the ledger of all nodes
    CHECK(c.event_types(ids[1]).size() == 6);
  }
  std::string after;
  const auto events = feed_by_turns(shop, after, {0, 1, 2});
  for (const auto& [key, sequences] : by_key(events)) {
    INFO(key);
    for (std::size_t n = 0; n < sequences.size(); ++n)
      CHECK(sequences[n] == static_cast<int>(n + 1));
  }
  CHECK(by_key(events).size() == ids.size() + skus.size());
  sse_client stream{shop.at(1).public_port(), "/v1/events"};
  CHECK(stream.take(events.size()).size() == events.size());
  shop.client(0).put_product(skus[0], 7);
  CHECK(stream.take(1).at(0).json().at("partitionkey") == skus[0]);

  // Operators see all nodes from each.
  const auto done = all_by_turns(shop, "/admin/v1/actors", true);
  std::set<std::string> on;
  for (const auto& a : done) on.insert(a.at("node"));
  CHECK(on == std::set<std::string>{"n0", "n1", "n2"});
  auto ops = shop.at(0).ops();
  for (const auto& a : done)
    if (a.at("name") == "supervisor/0" || a.at("name") == "supervisor/1") {
      const std::string id = a.at("id");
      CHECK(id.starts_with(a.at("node").get<std::string>() + "."));
      CHECK(need(ops.get("/admin/v1/actors/" + id), 200).json().at("name") == a.at("name"));
      need(ops.send("POST", "/admin/v1/actors/" + id + "/restart"), 202);
    }
  CHECK(need(ops.get("/admin/v1/actors/nowhere.7"), 404).json().at("code") == "not-found");
  const auto audit = all_by_turns(shop, "/admin/v1/audit", true);
  CHECK(shop_client::each(audit, "action") == texts{"actor.restart", "actor.restart"});
  const auto c = need(ops.get("/admin/v1/cluster"), 200).json();
  CHECK(c.at("members").size() == 3);
  CHECK(c.at("sees").size() == 3);
  for (const auto& view : c.at("sees"))
    for (const auto& p : view.at("peers")) CHECK(p.at("state") == "up");
  const auto status = run_jumun(
    {"cluster", "status", "--ops", "http://127.0.0.1:" + std::to_string(shop.at(2).ops_port())});
  CHECK(status.how.exit_code == 0);
  CHECK(status.out.find("256 of 256 shards serve") != std::string::npos);
  CHECK(shop.books() == "");
}

TEST_CASE("a node that is away is missed by name, and its events are not", "[cluster]") {
  shop_of_nodes shop{3};
  const texts skus{shop.sku_of(0, "tea-"), shop.sku_of(1, "tea-"), shop.sku_of(2, "tea-")};
  for (std::size_t i = 0; i < 3; ++i) shop.client(i).sell(skus[i], 100, 50);
  std::string after;
  json events = feed_by_turns(shop, after, {0, 1, 2});
  sse_client stream{shop.at(0).public_port(), "/v1/events?after=" + after};
  shop.at(2).kill9();
  auto c = shop.client(0);
  ask_until([&] { // until it is known to be away
    const auto r = c.api.get("/v1/inventory/" + skus[2]);
    return r.status == 503 && r.field("retry-after") == "1"
           && r.json().at("code") == "shard-unavailable";
  });
  const auto list = need(c.api.get("/v1/inventory"), 200).json();
  CHECK(list.at("partial") == true);
  CHECK(list.at("data").size() == 2);
  CHECK(list.at("missing_shards").size() >= 50);
  const auto refused = c.place("tok_approve", {{skus[0], 1}, {skus[2], 1}}, {.key = "k"});
  CHECK(refused.status == 503);
  shop.client(1).sell(skus[0], 200, 1);
  const json more = feed_by_turns(shop, after, {0, 1});
  CHECK(stream.take(2).size() == 2);
  shop.at(2).restart();
  shop.await_whole();
  auto back = shop.client(2);
  back.sell(skus[2], 300, 1);
  for (const auto& e : more) events.push_back(e);
  for (const auto& e : feed_by_turns(shop, after, {2, 1, 0})) events.push_back(e);
  for (const auto& [key, sequences] : by_key(events)) {
    INFO(key);
    CHECK(sequences == (key == skus[1] ? std::vector<int>{1, 2} : std::vector<int>{1, 2, 3, 4}));
  }
  const auto heard = stream.take(2);
  for (const auto& f : heard) CHECK(f.json().at("partitionkey") == skus[2]);
  CHECK(
    shop.client(1).place("tok_approve", {{skus[0], 1}, {skus[2], 1}}, {.key = "k"}).status == 201);
}
