#include "domain/ids.hpp"
#include "tests/catch.hpp"
#include "tests/support/shop_client.hpp"

namespace {
using namespace jumun::tests;
namespace domain = jumun::domain;

/// The admin's view of the actors.
class back_office {
public:
  explicit back_office(shop_client& shop) : ops_(shop.ops) {}

  json all() { return need(ops_.get("/admin/v1/actors"), 200).json().at("data"); }
  json one(const std::string& name) {
    for (const auto& a : all())
      if (a.at("name") == name) return a;
    return nullptr;
  }
  json live(const std::string& name) {
    return need(ops_.get("/admin/v1/actors/" + one(name).at("id").get<std::string>()), 200).json();
  }
  static int restarts(const json& actor) { return actor.at("restarts").get<int>(); }

  /// Asks for its restart, and for the actor until it is back.
  json restart(const std::string& name) {
    const auto before = one(name);
    if (before.is_null()) throw std::runtime_error("no actor is called " + name);
    ask_restart(before);
    return until(name,
      [&](const json& a) { return a.at("state") == "running" && restarts(a) > restarts(before); });
  }
  void ask_restart(const json& actor) {
    const auto id = actor.at("id").get<std::string>();
    need(ops_.post("/admin/v1/actors/" + id + "/restart", json::object()), 202);
  }
  /// Asks again and again: actors have no long poll.
  json until(const std::string& name, const std::function<bool(const json&)>& enough) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (auto a = one(name);; a = one(name)) {
      if (!a.is_null() && enough(a)) return a;
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error(name + " did not come to what was waited for: " + a.dump());
    }
  }

private:
  client& ops_;
};

std::string named(const std::string& kind, domain::shard_id shard) {
  return kind + "/" + std::to_string(shard);
}
domain::shard_id shard_of_order(const std::string& id) {
  return domain::shard_of(*domain::parse_id(domain::id_kind::order, id));
}
bool is_ready(shop_client& shop) { return shop.ops.get("/readyz").status == 200; }
} // namespace

TEST_CASE("all actors are listed, with what they have to do and have done", "[supervision]") {
  open_shop at;
  auto shop = at.client();
  back_office office{shop};
  shop.sell("tea", 100, 10);
  shop.wait_settled(shop.placed("tok_approve", {{"tea", 1}}));
  std::map<std::string, int> kinds;
  std::set<std::string> ids;
  for (const auto& a : office.all()) {
    CAPTURE(a.dump());
    ++kinds[a.at("kind").get<std::string>()];
    REQUIRE(ids.insert(a.at("id").get<std::string>()).second);
    REQUIRE(a.at("mailbox_depth").get<int>() >= 0);
    REQUIRE(a.at("messages_handled").get<int>() >= 0);
    REQUIRE(a.at("restarts") == 0);
    REQUIRE(a.at("last_error").is_null());
    const bool is_root = a.at("kind") == "node";
    REQUIRE(a.at("parent").is_null() == is_root);
    if (is_root) continue;
    const auto shard = a.at("shard").get<int>();
    REQUIRE((shard >= 0 && shard < 256));
  }
  kinds.erase("saga"); // gone once settled, at once or in a moment
  CHECK(kinds
        == std::map<std::string, int>{{"node", 1}, {"supervisor", 256}, {"inventory", 256},
          {"payment", 256}, {"delivery", 256}});
  const auto tea = named("inventory", domain::shard_of("tea"));
  CHECK(office.one(tea).at("messages_handled").get<int>() >= 4); // put, adjust, reserve, commit
  const auto live = office.live(tea);
  CAPTURE(live.dump());
  CHECK(live.at("live_state").at("skus_in_memory") == 1);
  CHECK(shop.ops.get("/admin/v1/actors/99999999").status == 404);
  CHECK(shop.ops.post("/admin/v1/actors/99999999/restart", json::object()).status == 404);
}

TEST_CASE(
  "an actor that is told to restart comes back from disk, and loses nothing", "[supervision]") {
  open_shop at{{"--payment-timeout-ms", "5000"}};
  auto shop = at.client();
  back_office office{shop};
  shop.sell("tea", 100, 10);
  const auto slow = shop.placed("tok_slow_700", {{"tea", 1}});
  const auto shard = shard_of_order(slow);
  shop.wait_for(slow, "paying");
  std::string fallen;
  SECTION("the inventory of its SKU") { fallen = named("inventory", domain::shard_of("tea")); }
  SECTION("its payment actor, while the provider is at work") { fallen = named("payment", shard); }
  SECTION("its delivery actor") { fallen = named("delivery", shard); }
  SECTION("its saga, in flight") { fallen = "saga/" + slow; }
  SECTION("its shard's supervisor, with all below it") { fallen = named("supervisor", shard); }
  CAPTURE(fallen);
  const auto back = office.restart(fallen);
  CHECK(back.at("restarts") == 1);
  CHECK(back.at("last_error").get<std::string>().find("operator") != std::string::npos);
  CHECK(shop.wait_settled(slow).at("status") == "preparing");
  CHECK(shop.money(slow) == money_moved{1, 0, 0, 100});
  const auto next = shop.placed("tok_approve", {{"tea", 2}});
  CHECK(shop.wait_settled(next).at("status") == "preparing");
  need(shop.cancel(slow), 202);
  shop.wait_for(slow, "cancelled");
  CHECK(shop.figures("tea") == "8/0/8");
  CHECK(shop.complaints() == texts{});
  CHECK(is_ready(shop));
  at.at.kill9(); // the answer to the restart was given once its audit entry was on disk
  at.at.restart();
  auto later = at.client();
  const auto audit =
    need(later.ops.get("/admin/v1/audit?action=actor.restart&target=" + fallen), 200).json();
  REQUIRE(audit.at("data").size() == 1);
  const auto& entry = audit.at("data")[0];
  CHECK(entry.at("principal") == "dev");
  CHECK(entry.at("roles") == "admin");
  CHECK(entry.at("outcome") == "done");
  CHECK(entry.at("trace_id").get<std::string>().size() == 32);
}

TEST_CASE("one poisoned order is set aside as blocked, and its shard goes on", "[supervision]") {
  const temp_dir tmp;
  std::string poisoned;
  {
    server at{tmp.path() / "data", {"--failpoints", "saga.throw:poison"}};
    shop_client shop{at};
    shop.sell("poison", 700, 10);
    shop.sell("tea", 100, 10'000);
    poisoned = shop.placed("tok_approve", {{"poison", 1}});
    CHECK(
      shop.wait_for(poisoned, [](const json& o) { return o.at("saga") == "blocked"; }).at("status")
      == "reserving");
    const auto blocked = shop.ops.get("/admin/v1/sagas?state=blocked").json().at("data");
    CAPTURE(blocked.dump());
    REQUIRE(blocked.size() == 1);
    CHECK(blocked[0].at("order_id") == poisoned);
    CHECK(blocked[0].at("last_error") == "failpoint saga.throw");
    CHECK(blocked[0].at("explain").get<std::string>().find("failpoint") != std::string::npos);
    const auto events = shop.event_types(poisoned);
    CHECK(events.back() == "SagaBlocked");
    // Orders with keys of their own fall on shards at random: go on until one is its neighbour.
    std::string neighbour;
    for (int tries = 0; neighbour.empty() && tries < 5'000; ++tries) {
      const auto id = shop.placed("tok_approve", {{"tea", 1}});
      if (shard_of_order(id) == shard_of_order(poisoned)) neighbour = id;
    }
    REQUIRE_FALSE(neighbour.empty());
    CHECK(shop.wait_settled(neighbour).at("status") == "preparing");
    CHECK(is_ready(shop));
    CHECK(at.stop() == 0);
    CHECK(run_jumun({"check", at.data_dir().string()}).how.exit_code == 0);
  }
  server healed{tmp.path() / "data"}; // the next release has no such bug
  shop_client shop{healed};
  CHECK(shop.wait_for(poisoned, "preparing").at("saga") == "done");
  CHECK(shop.money(poisoned) == money_moved{1, 0, 0, 700});
  CHECK(shop.ops.get("/admin/v1/sagas?state=blocked").json().at("data").empty());
}

TEST_CASE("an actor that keeps falling takes its supervisor with it, and the shard comes back",
  "[supervision]") {
  open_shop at;
  auto shop = at.client();
  back_office office{shop};
  shop.sell("tea", 100, 10);
  const auto shard = domain::shard_of("tea");
  const auto inventory = named("inventory", shard), supervisor = named("supervisor", shard);
  for (int i = 1; i <= 5; ++i) CHECK(office.restart(inventory).at("restarts") == i);
  CHECK(office.one(supervisor).at("restarts") == 0);
  office.ask_restart(office.one(inventory)); // the sixth within a minute
  const auto risen = office.until(
    supervisor, [](const json& a) { return a.at("restarts") == 1 && a.at("state") == "running"; });
  CHECK(risen.at("last_error").get<std::string>().find("operator") != std::string::npos);
  office.until(inventory, [](const json& a) { return a.at("state") == "running"; });
  CHECK(shop.wait_settled(shop.placed("tok_approve", {{"tea", 4}})).at("status") == "preparing");
  CHECK(shop.figures("tea") == "6/0/6");
  CHECK(is_ready(shop));
  CHECK(shop.complaints() == texts{});
}
