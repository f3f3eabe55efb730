#include "domain/limits.hpp"
#include "tests/catch.hpp"
#include "tests/support/shop_of_nodes.hpp"
#include "tests/support/steady_orders.hpp"
#include "tests/support/webhook_receiver.hpp"
#include <atomic>

// Outgoing webhooks of a shop of several nodes: one endpoint, whoever is asked, all events.
namespace {
using namespace jumun;
using namespace jumun::tests;
using namespace std::chrono_literals;

const std::string all_webhooks = "/admin/v1/webhooks";
std::string path(const std::string& id) { return all_webhooks + "/" + id; }

struct webhook_nodes {
  shop_of_nodes shop{3, {"--webhooks-allow-private", "--webhooks-hurry=1000", "--simulator-node",
                          "n0", "--cluster-owner-wait-ms", "60000"}};
  std::vector<std::string> skus;
  webhook_nodes() {
    for (std::size_t i = 0; i < shop.size(); ++i) {
      skus.push_back(shop.sku_of(i, "sku-"));
      shop.client(0).sell(skus.back(), 100, 100'000);
    }
  }
  client ops(std::size_t i) { return shop.at(i).ops(); }
  json create(std::size_t at, const webhook_receiver& to) {
    return need(ops(at).post(all_webhooks, {{"url", to.url()}}), 201).json();
  }
  json webhook(std::size_t at, const std::string& id) {
    return need(ops(at).get(path(id)), 200).json();
  }
  /// Who serves the endpoint, as node 0 knows it.
  std::size_t owner(const std::string& webhook) {
    const auto shard = domain::shard_of(*domain::parse_id(domain::id_kind::webhook, webhook));
    const auto name = shop.shards(0).at(shard).at("owner").get<std::string>();
    return static_cast<std::size_t>(name.back() - '0');
  }
  /// An order of each node, settled.
  texts order_everywhere() {
    texts ids;
    for (std::size_t i = 0; i < shop.size(); ++i)
      ask_until([&] {
        ids.push_back(shop.placed(i, {{skus[i], 1}}));
        return shop.holds(i, ids.back());
      });
    for (const auto& id : ids) CHECK(shop.client(0).wait_settled(id).at("status") == "preparing");
    return ids;
  }
  /// The ids of all events that an endpoint is told of, by what they are about, in their order.
  std::map<std::string, texts> fed(std::size_t by = 0, std::string after = "0") {
    std::map<std::string, texts> out;
    auto api = shop.at(by).api();
    for (;;) {
      const auto page = need(api.get("/v1/events?limit=200&after=" + after), 200).json();
      for (const auto& e : page.at("data"))
        if (e.at("topic") == "orders" || e.at("topic") == "deliveries")
          out[e.at("partitionkey")].push_back(e.at("id"));
      if (page.at("data").empty() && page.at("partial") == false) return out;
      after = page.at("next_cursor");
    }
  }
};

/// What came, by what it is about; an id where it came first. `again`: how many came twice.
struct arrived {
  std::map<std::string, texts> by_key;
  std::size_t events = 0, again = 0;
  explicit arrived(const std::vector<webhook_message>& all) {
    std::set<std::string> seen;
    for (const auto& m : all) {
      if (!seen.insert(m.id).second) {
        ++again;
        continue;
      }
      by_key[m.body().at("partitionkey")].push_back(m.id);
    }
    events = seen.size();
  }
};
std::size_t count(const std::map<std::string, texts>& by_key) {
  std::size_t n = 0;
  for (const auto& [key, ids] : by_key) n += ids.size();
  return n;
}
/// Once all has come that happened: it is that, and in order.
arrived await_all(webhook_nodes& at, webhook_receiver& receiver) {
  const auto wanted = at.fed();
  const auto enough = count(wanted);
  const arrived got{
    receiver.wait_until([&](const auto& all) { return arrived{all}.events >= enough; })};
  CHECK(got.by_key == wanted);
  return got;
}
} // namespace

TEST_CASE(
  "an endpoint is the same at every node, and told of all nodes' events", "[cluster][webhooks]") {
  webhook_nodes at;
  webhook_receiver receiver;
  texts ids, secrets;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto made = at.create(i, receiver);
    ids.push_back(made.at("id"));
    secrets.push_back(made.at("secret"));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto list = need(at.ops(i).get(all_webhooks), 200).json();
    CHECK(list.at("partial") == false);
    CHECK(shop_client::each(list.at("data"), "id") == ids); // the oldest first
    for (const auto& id : ids) CHECK(at.webhook(i, id).at("url") == receiver.url());
  }
  const auto id = ids[0];
  for (std::size_t i = 0; i < 3; ++i) { // one each is left: the others go by way of other nodes
    if (i > 0) need(at.ops(3 - i).send("DELETE", path(ids[i])), 204);
    if (i > 0) need(at.ops(i).get(path(ids[i])), 404);
    const json settings{{"description", "by n" + std::to_string(i)}};
    CHECK(need(at.ops(i).send("PATCH", path(id), settings.dump()), 200).json().at("description")
          == settings.at("description"));
    CHECK(need(at.ops(i).send("POST", path(id) + "/test"), 200).json().at("accepted") == true);
  }
  CHECK(receiver.so_far().size() == 3);
  at.order_everywhere();
  const auto wanted = count(at.fed());
  const auto all = receiver.wait_for(3 + wanted); // the tests came first
  const arrived got{{all.begin() + 3, all.end()}};
  CHECK(got.by_key == at.fed());
  CHECK(got.again == 0);
  for (const auto& m : all) CHECK(m.signed_by(secrets[0]));
  const auto last = all.back();
  for (std::size_t i = 0; i < 3; ++i) {
    ask_until([&] { return at.webhook(i, id).at("behind") == 0; });
    json sent; // up to a checkpoint ago
    ask_until([&] {
      sent = need(at.ops(i).get(path(id) + "/deliveries?limit=200"), 200).json().at("data");
      return sent.size() >= wanted;
    });
    CHECK(sent.size() == wanted);
    CHECK(sent[0].at("id") == last.id); // newest first
    // What it had with a message is a cursor of the feed, for any reader.
    CHECK(count(at.fed(i, sent[0].at("cursor"))) == 0);
    need(at.ops(i).send("POST", path(id) + "/deliveries/" + last.id + "/redeliver"), 202);
    CHECK(receiver.wait_for(all.size() + i + 1).back().id == last.id);
  }
  need(at.ops(1).send("POST", path(id) + "/rotate-secret"), 200);
  need(at.ops(2).send("DELETE", path(id)), 204);
  for (std::size_t i = 0; i < 3; ++i) {
    need(at.ops(i).get(path(id)), 404);
    CHECK(need(at.ops(i).get(all_webhooks), 200).json().at("data").empty());
  }
  CHECK(at.shop.books() == "");
}

TEST_CASE("what waits for an endpoint is sent though the shards of both move, and lost by none",
  "[cluster][webhooks]") {
  webhook_nodes at;
  std::atomic<bool> up = false;
  webhook_receiver receiver{[&](const webhook_message&, std::size_t) { return up ? 200 : 500; }};
  const auto id = at.create(1, receiver).at("id").get<std::string>();
  const auto shard = domain::shard_of(*domain::parse_id(domain::id_kind::webhook, id));
  const auto orders = at.order_everywhere();
  (void)receiver.wait_for(1); // the first one has failed; the others wait behind it
  for (const auto& order : orders)
    for (std::size_t to = 0; to < 3; ++to)
      if (!at.shop.holds(to, order)) {
        at.shop.move(at.shop.shard_of_order(order), to);
        break;
      }
  at.order_everywhere();
  const auto old = at.owner(id);
  at.shop.move(shard, (old + 1) % 3);
  const auto first = receiver.so_far().front().id;
  const auto failed = need(at.ops(old).get(path(id) + "/deliveries"), 200).json().at("data");
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].at("id") == first);
  CHECK(failed[0].at("state") == "retrying");
  CHECK(at.webhook(old, id).at("behind") > 0);
  up = true;
  need(at.ops(old).send("POST", path(id) + "/deliveries/" + first + "/redeliver"), 202);
  await_all(at, receiver);
  for (std::size_t i = 0; i < 3; ++i)
    ask_until([&] { return at.webhook(i, id).at("behind") == 0; });
  CHECK(at.webhook(0, id).at("lost") == 0);
  CHECK(at.shop.books() == "");
}

TEST_CASE("an endpoint misses nothing while its node is killed, its shard moves and nodes are "
          "drained under load",
  "[cluster][webhooks]") {
  webhook_nodes at;
  webhook_receiver receiver;
  const auto id = at.create(1, receiver).at("id").get<std::string>();
  const auto shard = domain::shard_of(*domain::parse_id(domain::id_kind::webhook, id));
  at.shop.move(shard, 1);
  order_lines one_of_each;
  for (const auto& sku : at.skus) one_of_each.emplace_back(sku, 1);
  steady_orders people{at.shop.at(0), one_of_each, 25ms};
  people.await(10);
  CHECK(arrived{receiver.so_far()}.again == 0);

  at.shop.at(1).kill9(); // its owner
  at.shop.at(1).restart();
  at.shop.await_whole();
  people.await(10);

  for (const std::size_t to : {2, 0, 2}) {
    at.shop.move(shard, to);
    people.await(5);
  }
  at.shop.at(1).kill9(); // another's, whose events it is reading
  at.shop.at(1).restart();
  at.shop.await_whole();
  people.await(10);

  need(at.ops(0).post("/admin/v1/nodes/n2/drain", json::object()), 202);
  for (auto left = at.shop.served(2); left > 0; left = at.shop.served(2))
    ask_until([&] { return at.shop.served(2) < left; }); // for as long as it goes on
  people.await(10);

  for (const auto& order : people.stop()) at.shop.client(0).wait_settled(order.id);
  const auto got = await_all(at, receiver);
  CAPTURE(got.events, got.again);
  CHECK(got.again <= 7 * limits::webhook_checkpoint_max); // a few, each time it changed hands
  ask_until([&] { return at.webhook(2, id).at("behind") == 0; });
  CHECK(at.webhook(2, id).at("lost") == 0);
  CHECK(at.shop.books() == "");
}
