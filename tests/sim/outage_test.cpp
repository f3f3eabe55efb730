#include "tests/catch.hpp"
#include "tests/sim/world.hpp"

using namespace jumun;

namespace {
/// A shop whose payment provider goes down and comes back, from one seed.
class outage {
public:
  explicit outage(std::uint64_t seed) : chance_(seed) {
    domain::adjust_stock c{from("stock"), "a", {1'000, "opening", ""}};
    life.ask(life.env().route.inventory(domain::shard_of(std::string_view{"a"})), c,
      [](const actors::command_result&) {});
    run_for(100);
  }
  void place(int n) {
    for (int i = 0; i < n; ++i) {
      domain::place_order c;
      c.from = from("order-" + std::to_string(++placed_));
      c.draft.customer = "c";
      c.draft.currency = "KRW";
      c.draft.lines.push_back({"a", "A", 1, 100, {}});
      c.draft.total = 100;
      c.draft.method = "card";
      c.draft.token = "tok_approve";
      const auto shard = domain::shard_of(c.from.key);
      life.ask(life.env().route.supervisor(shard), std::move(c),
        [this](const actors::command_result& r) { ++answers[r.reply.status]; });
    }
  }
  void cancel(domain::order_id id) {
    domain::cancel_order c{from("cancel"), id, "changed my mind"};
    life.ask(life.env().route.supervisor(domain::shard_of(id)), std::move(c),
      [](const actors::command_result&) {});
  }
  /// Simulated time.
  void run_for(std::int64_t ms) {
    const auto end = life.now_ms() + ms;
    while (life.now_ms() < end && life.step()) {}
  }
  void run_out() {
    for (int steps = 0; steps < 2'000'000; ++steps)
      if (!life.step()) return;
    FAIL("it never comes to rest");
  }
  [[nodiscard]] std::vector<domain::order> orders() const {
    return storage::list_orders(*disk_, {}, 200, "")->rows;
  }
  [[nodiscard]] std::string breaker() {
    return std::string{domain::name_of(life.guarded().look().state)};
  }
  [[nodiscard]] storage::check_report check() const {
    return storage::check_store(*disk_, provider.ledger(), [](std::uint64_t) { return true; });
  }

private:
  static domain::request_context from(const std::string& key) {
    return {"tester", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "0af7651916cd43dd8448eb211c80319c", /*traced=*/false, key, "body of " + key};
  }
  std::mt19937_64 chance_;
  std::shared_ptr<tests::memory_store> disk_ = std::make_shared<tests::memory_store>();
  int placed_ = 0;

public:
  sim::sim_provider provider{chance_, 0};
  sim::life life{disk_, provider, chance_, /*boot=*/1, 1'700'000'000'000};
  std::map<int, int> answers; // status → how many
};
constexpr std::int64_t minute = 60'000;
} // namespace

TEST_CASE("orders wait out the provider's outage, and none of them is lost to it", "[sim]") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    outage t{seed};
    t.place(1);
    t.run_for(1'000);
    const auto sold = t.orders().at(0).id;
    t.provider.go_down();
    t.place(30);
    t.run_for(minute / 2); // until the failures have opened it
    REQUIRE(t.breaker() != "closed");
    t.place(10);
    t.run_for(100);
    t.cancel(sold);
    t.run_for(100);
    domain::order_id never_asked;
    for (const auto& o : t.orders())
      if (o.payment == domain::payment_status::none) never_asked = o.id;
    REQUIRE(never_asked != domain::order_id{});
    t.cancel(never_asked);
    t.run_for(100);
    t.run_for(10 * minute);
    std::size_t running = 0;
    for (const auto& o : t.orders()) {
      CAPTURE(domain::explain(o));
      if (o.id == never_asked) {
        CHECK(o.at == domain::phase::cancelled);
        continue;
      }
      CHECK_FALSE(domain::at_rest(o));
      CHECK_FALSE(o.blocked);
      CHECK(o.charges_asked <= 1);
      if (o.payment == domain::payment_status::none) CHECK(o.attempts == 0);
      if (o.id == sold) CHECK(o.at == domain::phase::refunding);
      if (domain::saga_state_of(o) != "waiting") ++running;
    }
    CHECK(running <= limits::breaker_probes_max);
    t.provider.heal();
    t.run_out();
    CHECK(t.breaker() == "closed");
    CHECK(t.answers == std::map<int, int>{{201, 41}});
    int kept = 0;
    for (const auto& o : t.orders()) {
      CAPTURE(domain::explain(o));
      CHECK(domain::at_rest(o));
      const bool cancelled = o.id == sold || o.id == never_asked;
      CHECK(o.at == (cancelled ? domain::phase::cancelled : domain::phase::fulfilled));
      if (!cancelled) ++kept;
    }
    CHECK(kept == 39);
    for (const auto& [id, a] : t.provider.accounts) CHECK(a.charges <= 1);
    CHECK(t.check().findings.empty());
    CHECK(t.life.env().orders_unpaid == 0);
    CHECK(t.life.env().orders_held == 0);
  }
}

TEST_CASE("past the bound on waiting orders new ones are turned away", "[sim]") {
  outage t{1};
  t.life.env().waiting_orders_max = 40;
  t.provider.go_down();
  t.place(30);
  t.run_for(minute);
  REQUIRE(t.breaker() != "closed");
  for (int i = 0; i < 30; ++i) {
    t.place(1);
    t.run_for(20);
  }
  CHECK(t.answers == std::map<int, int>{{201, 40}, {503, 20}});
  t.provider.heal();
  t.run_out();
  t.place(1);
  t.run_out();
  CHECK(t.answers == std::map<int, int>{{201, 41}, {503, 20}});
}
