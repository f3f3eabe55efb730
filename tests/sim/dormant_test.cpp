#include "domain/hook.hpp"
#include "tests/sim/calm_shop.hpp"

// Sagas that wait for long are out of memory, and whatever comes for them finds them (ADR 0014).
using namespace jumun;
using domain::operator_action;

namespace {
constexpr std::int64_t second = 1'000, minute = 60 * second;
constexpr std::int64_t idle = std::chrono::milliseconds{limits::dormant_after}.count();

/// Saga actors in memory / sagas out of memory.
std::pair<std::size_t, std::size_t> sagas(sim::calm_shop& t) {
  std::pair<std::size_t, std::size_t> n;
  for (const auto& a : t.node->env().registry.all())
    if (a.kind == "saga") ++(a.state == "dormant" ? n.second : n.first);
  return n;
}
using count = std::pair<std::size_t, std::size_t>;

actors::supervisor_actor supervisor(sim::calm_shop& t, domain::order_id id) {
  return t.node->env().route.supervisor(domain::shard_of(id));
}
int act(sim::calm_shop& t, domain::order_id id, operator_action what) {
  domain::act_on_saga c;
  c.from = sim::calm_shop::from("");
  c.order = id;
  c.what = {what, "asked for"};
  int status = 0;
  t.node->ask(supervisor(t, id), std::move(c),
    [&](const actors::command_result& r) { status = r.reply.status; });
  t.run_for(10);
  return status;
}
int send_hook(sim::calm_shop& t, domain::order_id id) {
  domain::hook_record h;
  h.order = id;
  h.event = std::string(32, 'e');
  h.received_ms = 1;
  int status = 0;
  t.node->ask(supervisor(t, id), domain::take_hook{sim::calm_shop::from(""), h},
    [&](const actors::command_result& r) { status = r.reply.status; });
  t.run_for(10);
  return status;
}
std::string live_state(sim::calm_shop& t, domain::order_id id) {
  std::string state;
  caf::anon_send(supervisor(t, id), actors::describe_saga{id, {[&](std::string s) { state = s; }}});
  t.run_for(10);
  return state;
}
/// So many orders, whose charges take the provider 40 s.
void wait_for_slow_payments(sim::calm_shop& t, int n) {
  t.payments.slow_down(20 * second);
  t.place(n);
  t.run_for(2 * idle);
}
void all_sold(sim::calm_shop& t, std::size_t n) {
  CHECK(t.orders().size() == n);
  for (const auto& o : t.orders()) CHECK(domain::status_of(o) == "preparing");
  for (const auto& [id, a] : t.payments.accounts()) CHECK(a.charges == 1);
  CHECK(sagas(t) == count{0, 0});
  CHECK(t.node->env().orders_unpaid == 0);
  CHECK(t.node->env().orders_held == 0);
  CHECK(t.check().findings.empty());
}
} // namespace

TEST_CASE("a saga that waits for a slow payment is out of memory until the answer comes",
  "[sim][dormant]") {
  sim::calm_shop t{1, 100 * second};
  wait_for_slow_payments(t, 30);
  CHECK(sagas(t) == count{0, 30});
  CHECK(t.node->env().orders_unpaid == 30); // they are no less waited for
  CHECK(t.orders().front().charges_asked == 1);
  t.run_for(40 * second);
  all_sold(t, 30);
}

TEST_CASE("a saga that sleeps can be cancelled", "[sim][dormant]") {
  sim::calm_shop t{1, 100 * second};
  wait_for_slow_payments(t, 1);
  t.payments.slow_down(1);
  t.cancel(t.orders()[0].id);
  t.run_out();
  CHECK(domain::status_of(t.orders()[0]) == "cancelled");
  CHECK(t.check().findings.empty());
}

TEST_CASE("an operator finds a saga that sleeps, and a paused one sleeps again", "[sim][dormant]") {
  sim::calm_shop t{1, 100 * second};
  wait_for_slow_payments(t, 1);
  const auto id = t.orders()[0].id;
  CHECK(act(t, id, operator_action::pause) == 202);
  CHECK(domain::saga_state_of(t.orders()[0]) == "paused");
  t.run_for(2 * idle);
  CHECK(sagas(t) == count{0, 1});
  t.run_for(2 * minute); // the answer is taken, and nothing is sent
  CHECK(t.orders()[0].at == domain::phase::dispatching);
  CHECK(sagas(t) == count{0, 1});
  CHECK(act(t, id, operator_action::resume) == 202);
  t.run_for(second);
  all_sold(t, 1);
}

TEST_CASE("a saga that sleeps tells its live state, and sleeps on", "[sim][dormant]") {
  sim::calm_shop t{1, 100 * second};
  wait_for_slow_payments(t, 1);
  const auto id = t.orders()[0].id;
  const auto listed = t.node->env().registry.find(actors::saga_name(id));
  REQUIRE(listed);
  CHECK(listed->state == "dormant");
  CHECK(listed->order == id);
  CHECK(live_state(t, id).find(R"("phase":"charging")") != std::string::npos);
  CHECK(sagas(t) == count{0, 1});
  CHECK(t.node->env().registry.find(actors::saga_name(id))->id == listed->id);
  t.run_for(40 * second); // and the answer still finds it
  all_sold(t, 1);
}

TEST_CASE("a question that the payment actor forgot is asked again for sagas that sleep",
  "[sim][dormant]") {
  sim::calm_shop t{1, 100 * second};
  wait_for_slow_payments(t, 1);
  t.payments.slow_down(1);
  const auto shard = domain::shard_of(t.orders()[0].id);
  const auto payment = t.node->env().registry.find("payment/" + std::to_string(shard));
  REQUIRE(payment);
  actors::stop_actor(payment->address, payment->address,
    caf::make_error(actors::errc::restart_asked, std::string{"asked for"}));
  t.run_for(second); // long before any deadline
  all_sold(t, 1);
}

TEST_CASE("a supervisor that falls finds the sagas that slept", "[sim][dormant]") {
  sim::calm_shop t{1, 100 * second};
  wait_for_slow_payments(t, 20);
  t.payments.slow_down(1);
  for (std::size_t s = 0; s < domain::shard_count; ++s) {
    const auto who = t.node->env().route.supervisor(static_cast<domain::shard_id>(s)).address();
    actors::stop_actor(
      who, who, caf::make_error(actors::errc::restart_asked, std::string{"asked for"}));
  }
  t.run_for(2 * second);
  all_sold(t, 20);
}

TEST_CASE("a start wakes those that waited, and they sleep again", "[sim][dormant]") {
  sim::calm_shop t{1, 100 * second};
  wait_for_slow_payments(t, 20);
  t.node->kill();
  t.start();
  t.run_for(second);
  CHECK(sagas(t) == count{0, 20});
  t.run_for(minute);
  all_sold(t, 20);
}

TEST_CASE("orders that a breaker holds back sleep from one attempt to the next", "[sim][dormant]") {
  sim::calm_shop t{1};
  t.payments.go_down();
  t.place(30);
  t.run_for(minute);
  REQUIRE(t.breaker() != "closed");
  t.place(120);
  t.run_for(minute);
  std::size_t in_memory = 0;
  constexpr int looks = 50;
  for (int i = 0; i < looks; ++i) {
    t.run_for(second);
    const auto [awake, asleep] = sagas(t);
    CHECK(awake + asleep == 150);
    in_memory += awake;
  }
  CHECK(in_memory / looks < 100); // the breaker's own back-off is 10 s at most
  CHECK(t.node->env().orders_held > 140);
  const auto id = t.orders()[0].id; // was never asked
  CHECK(send_hook(t, id) == 202);
  CHECK(act(t, id, operator_action::retry_now) == 202);
  t.payments.come_back();
  t.run_for(5 * minute);
  all_sold(t, 150);
}
