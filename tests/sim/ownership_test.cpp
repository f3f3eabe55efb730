#include "actors/remote.hpp"
#include "tests/sim/calm_shop.hpp"
#include <set>

// Shards that come and go while the node serves, and sagas whose stock lies in shards elsewhere.
using namespace jumun;
using sim::calm_shop;

namespace {
domain::shard_id shard_of(const char* key) { return domain::shard_of(std::string_view{key}); }
bool all_fulfilled(const calm_shop& shop) {
  const auto all = shop.orders();
  return std::all_of(
    all.begin(), all.end(), [](const auto& o) { return o.at == domain::phase::fulfilled; });
}
/// Names of the shard's own actors that the registry has.
std::set<std::string> actors_of(calm_shop& shop, domain::shard_id shard) {
  std::set<std::string> names;
  for (const auto& r : shop.node->env().registry.all())
    if (r.shard == shard) names.insert(r.name);
  return names;
}
} // namespace

TEST_CASE("a shard that is given up is durable and fenced, and goes on where it is owned",
  "[sim][cluster]") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    calm_shop shop{seed};
    const auto shard = shard_of("order-1");
    shop.place(1);
    for (std::uint64_t i = 0; i < seed * 3; ++i) shop.node->step(); // each time at another moment
    auto& env = shop.node->env();
    int done = 0, lost = 0;
    std::size_t rows_when_done = 0;
    shop.node->give_up(shard, [&] {
      ++done;
      rows_when_done = shop.orders().size();
    });
    shop.node->give_up(shard, [&] { ++done; }); // said twice
    shop.run_for(2'000);
    REQUIRE(done == 2);
    CHECK(rows_when_done == shop.orders().size()); // nothing came after it
    CHECK(env.journal.epoch_of(shard) == 3);
    CHECK_FALSE(env.route.supervisor(shard));
    CHECK(actors_of(shop, shard).empty());
    shop.place("order-1", false, [&](const actors::command_result& r) { lost += r.lost ? 1 : 0; });
    shop.run_for(100);
    CHECK(lost == 1);

    shop.node->own({shard, 4});
    shop.node->own({shard, 4});
    shop.place("order-1", false, [](const actors::command_result&) {}); // by the same key
    shop.run_out();
    CHECK(env.journal.epoch_of(shard) == 4);
    CHECK(shop.orders().size() == 1);
    CHECK(all_fulfilled(shop));
    CHECK(shop.check().findings_total == 0);
  }
}

TEST_CASE("a shard is owned anew while it is still being given up", "[sim][cluster]") {
  calm_shop shop{3};
  const auto shard = shard_of("order-1");
  bool done = false;
  shop.node->give_up(shard, [&] { done = true; });
  shop.node->own({shard, 2}); // at its old epoch: nobody else has taken it
  shop.place(1);
  shop.run_for(1'000);
  shop.place("order-1", false, [](const actors::command_result&) {});
  shop.run_out();
  CHECK(done);
  CHECK(shop.node->journal().epoch_of(shard) == 2);
  CHECK(all_fulfilled(shop));
}

namespace {
/// Puts the shard of "a" on another node, as far as the router knows: commands and answers go
/// through the stand-ins, and `lost` of them never arrive.
struct far_away {
  far_away(calm_shop& shop, int lost) : lost_(lost) {
    auto& env = shop.node->env();
    const auto shard = shard_of("a");
    const auto real = env.route.inventory(shard);
    asker_ = shop.node->system().spawn(
      actors::asker, &env, actors::outlet<domain::stock_answered>{[this, &env](const auto& a) {
        if (arrives()) caf::anon_send(env.route.supervisor(domain::shard_of(a.order)), a);
      }});
    elsewhere_ = shop.node->system().spawn(actors::elsewhere, &env,
      actors::outlet<actors::stock_command>{[this, &env, real, shard](const auto& c) {
        ++commands;
        CHECK(actors::shard_of(c) == shard);
        if (!arrives()) return;
        std::visit(
          [&](const auto& one) {
            caf::anon_send(real, actors::asked<std::decay_t<decltype(one)>>{one, asker_});
          },
          c);
      }});
    env.route.update(shard, [this](auto& a) { a.inventory = elsewhere_; });
  }
  ~far_away() {
    caf::anon_send_exit(elsewhere_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
  }
  int commands = 0;

private:
  bool arrives() { return lost_-- <= 0; }
  int lost_;
  actors::saga_actor asker_;
  actors::inventory_actor elsewhere_;
};
} // namespace

TEST_CASE("a saga can't tell that its stock is on another node", "[sim][cluster]") {
  for (const int lost : {0, 1, 3}) {
    CAPTURE(lost);
    calm_shop shop{11};
    far_away there{shop, lost};
    shop.place(5);
    shop.run_out();
    CHECK(shop.orders().size() == 5);
    CHECK(all_fulfilled(shop));
    CHECK(there.commands >= 10);
    shop.cancel(shop.orders().front().id);
    shop.run_out();
    CHECK(shop.orders().front().at == domain::phase::cancelled);
    CHECK(shop.check().findings_total == 0);
  }
}

TEST_CASE("what owes a command to another node is durable before it leaves", "[sim][cluster]") {
  calm_shop shop{5};
  auto& env = shop.node->env();
  int early = 0, sent = 0;
  const auto stub = shop.node->system().spawn(
    actors::elsewhere, &env, actors::outlet<actors::stock_command>{[&](const auto& c) {
      ++sent;
      const auto order = std::visit([](const auto& one) { return one.order; }, c);
      const auto all = shop.orders();
      const auto known = [&](const auto& o) { return o.id == order; };
      early += std::any_of(all.begin(), all.end(), known) ? 0 : 1;
    }});
  env.route.update(shard_of("a"), [&](auto& a) { a.inventory = stub; });
  shop.place(20);
  shop.run_for(1'000);
  CHECK(sent >= 20);
  CHECK(early == 0);
  caf::anon_send_exit(stub, caf::exit_reason::user_shutdown);
  shop.node.reset();
}

TEST_CASE("an order whose stock's owner is back asks at once", "[sim][cluster]") {
  calm_shop shop{5};
  auto& env = shop.node->env();
  // Held: CAF ends an actor that nobody holds, and its supervisor would put another in its place.
  const auto here = caf::actor_cast<caf::actor>(
    env.registry.find(actors::shard_actor_name("inventory", shard_of("a")))->address);
  far_away there{shop, 1'000'000}; // all are lost
  shop.place(1);
  shop.run_for(30'000);
  const auto home = domain::shard_of(shop.orders().front().id);
  const auto tell = [&](const char* sku) {
    const auto before = there.commands;
    actors::ask_again m;
    m.shards.set(shard_of(sku));
    caf::anon_send(env.route.supervisor(home), m);
    shop.run_for(0);
    return there.commands - before;
  };
  CHECK(tell("b") == 0);
  CHECK(tell("a") == 1);
}
