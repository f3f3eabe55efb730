#include "tests/sim/calm_shop.hpp"

using namespace jumun;

namespace {
constexpr std::int64_t minute = 60'000;
} // namespace

TEST_CASE("orders wait out the provider's outage, and none of them is lost to it", "[sim]") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    sim::calm_shop t{seed};
    t.place(1);
    t.run_for(1'000);
    const auto sold = t.orders().at(0).id;
    t.payments.go_down();
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
    t.payments.come_back();
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
    for (const auto& [id, a] : t.payments.accounts()) CHECK(a.charges <= 1);
    CHECK(t.check().findings.empty());
    CHECK(t.node->env().orders_unpaid == 0);
    CHECK(t.node->env().orders_held == 0);
  }
}

TEST_CASE("past the bound on waiting orders new ones are turned away", "[sim]") {
  sim::calm_shop t{1};
  t.node->env().waiting_orders_max = 40;
  t.payments.go_down();
  t.place(30);
  t.run_for(minute);
  REQUIRE(t.breaker() != "closed");
  for (int i = 0; i < 30; ++i) {
    t.place(1);
    t.run_for(20);
  }
  CHECK(t.answers == std::map<int, int>{{201, 40}, {503, 20}});
  t.payments.come_back();
  t.run_out();
  t.place(1);
  t.run_out();
  CHECK(t.answers == std::map<int, int>{{201, 41}, {503, 20}});
}
