#include "actors/saga_actor.hpp"
#include "domain/hook.hpp"
#include "storage/rows.hpp"
#include "tests/sim/calm_shop.hpp"

// What the swarm found, told step by step.
using namespace jumun;

namespace {
/// As an operator does, and as a crash in a handler would.
void restart(const actors::supervisor_actor& who) {
  actors::stop_actor(who.address(), who.address(),
    caf::make_error(actors::errc::restart_asked, std::string{"asked for"}));
}
} // namespace

TEST_CASE("a supervisor that falls while its orders are on their way to the disk finds them again",
  "[sim][recovery]") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    sim::calm_shop t{seed};
    t.disk().stall(500); // appended, and not durable for half a second
    int answered = 0;
    t.place("key", false, [&](const actors::command_result& r) { answered = r.reply.status; });
    t.run_for(100);
    REQUIRE(t.orders().empty());
    restart(t.supervisor_of("key"));
    t.run_out();
    CHECK(answered == 201);
    REQUIRE(t.orders().size() == 1);
    CHECK(domain::at_rest(t.orders()[0]));
    CHECK(t.check().findings.empty());
  }
}

TEST_CASE("a hook that is parked while its supervisor falls is told to its order all the same",
  "[sim][recovery]") {
  sim::calm_shop t{1};
  const auto shard = domain::shard_of(std::string_view{"key"});
  t.disk().stall(500);
  domain::hook_record h;
  h.order = domain::make_order_id(shard, 1, 0, 7);
  h.event = std::string(32, 'e');
  h.received_ms = 1;
  int status = 0;
  t.node->ask(t.supervisor_of("key"), domain::take_hook{sim::calm_shop::from(""), h},
    [&](const actors::command_result& r) { status = r.reply.status; });
  t.run_for(100);
  restart(t.supervisor_of("key"));
  t.run_out();
  REQUIRE(status == 202);
  const auto parked =
    t.disk().truth().get(storage::table::hooks, storage::parked_hook_key(h.order, h.event));
  CHECK(parked.has_value());
  std::string state;
  caf::anon_send(
    t.supervisor_of("key"), actors::describe{[&](std::string s) { state = std::move(s); }});
  t.run_out();
  CHECK(state.find(R"("parked_hooks":1)") != std::string::npos);
}

TEST_CASE("a key whose answer was lost on its way is answered once it has waited long enough",
  "[sim][idempotency]") {
  sim::calm_shop t{1};
  domain::order_id first, later;
  t.place("key", true, [&](const actors::command_result& r) { first = r.to_settle; });
  t.run_for(1'000);
  REQUIRE(first != domain::order_id{}); // and here its edge, or the keeper of its answer, dies
  int status = 0;
  t.place("key", true, [&](const actors::command_result& r) { status = r.reply.status; });
  t.run_for(1'000);
  CHECK(status == 409); // it may still be on its way
  t.run_for(40'000);
  t.place("key", true, [&](const actors::command_result& r) { later = r.to_settle; });
  t.run_for(1'000);
  CHECK(later == first);
  CHECK(t.orders().size() == 1);
}

TEST_CASE("a clock that is set back while the provider is down does not keep its breaker open",
  "[sim][clock]") {
  sim::calm_shop t{1};
  t.payments.go_down();
  t.place(30);
  t.run_for(20'000);
  REQUIRE(t.breaker() != "closed");
  t.time().skew_by(-3'600'000);
  t.payments.come_back();
  t.run_for(60'000);
  CHECK(t.breaker() == "closed");
}

TEST_CASE("a shard with many open orders serves while it wakes them", "[sim][recovery]") {
  sim::calm_shop t{1};
  t.payments.go_down();
  int answered = 0;
  for (int i = 0; i < 150; ++i) // all in one shard
    t.node->ask(t.supervisor_of("key"), t.order_by("key " + std::to_string(i), false),
      [&](const actors::command_result& r) { answered += r.reply.status == 201 ? 1 : 0; });
  t.run_for(1'000);
  REQUIRE(answered == 150);
  t.start();
  const auto newest = t.orders().front().id; // woken last, and cancelled before
  t.cancel(newest);
  t.payments.come_back();
  t.run_out();
  for (const auto& o : t.orders()) {
    CHECK(domain::at_rest(o));
    CHECK(domain::status_of(o) == (o.id == newest ? "cancelled" : "preparing"));
  }
  CHECK(t.check().findings.empty());
}

TEST_CASE("a stock actor decides on nothing that its former life wrote behind its back",
  "[sim][recovery]") {
  using storage::table;
  sim::calm_shop t{1};
  const auto shard = domain::shard_of(std::string_view{"a"});
  t.payments.go_down();
  t.place(1); // a saga that asks
  t.run_for(1'000);
  const auto& env = t.node->env();
  const auto saga = env.registry.find(actors::saga_name(t.orders()[0].id));
  REQUIRE(saga);
  const auto asker = caf::actor_cast<actors::saga_actor>(saga->address);
  // A former life reserves one, after this one has read its shelf (seed 1036593 of the swarm).
  auto shelf = *storage::find_stock(t.disk().truth(), "a");
  domain::reservation held;
  held.order = domain::make_order_id(shard, 1, 0, 7);
  held.sku = "a";
  held.quantity = 2;
  held.state = domain::reservation_state::live;
  storage::write_set set;
  set.shard = shard;
  set.epoch = 2;
  set.replaces = {table::stock, storage::sku_key("a"), shelf.version};
  ++shelf.version;
  shelf.reserved += 2;
  set.entries = {{table::stock, storage::sku_key("a"), storage::encode(shelf)},
    {table::reservations, storage::reservation_key("a", held.order, 0), storage::encode(held)}};
  REQUIRE(env.journal.append(std::move(set)) == storage::append_result::ok);
  const auto release = [&] {
    domain::release_stock c;
    c.order = held.order;
    c.sku = "a";
    caf::anon_send(env.route.inventory(shard), actors::asked<domain::release_stock>{c, asker});
    t.run_for(1'000);
  };
  release(); // ends that actor, and nothing else
  release(); // by its next life, which reads them again
  CHECK(storage::find_stock(t.disk().truth(), "a")->reserved == 1);
  CHECK(env.registry.find("inventory/" + std::to_string(shard))->restarts == 1);
}
