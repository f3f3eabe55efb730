#include "tests/sim/calm_shop.hpp"

using namespace jumun;
using domain::operator_action;

TEST_CASE("what operators do within one millisecond is listed in the order in which it was done",
  "[sim][operators]") {
  sim::calm_shop t{1};
  t.place(1);
  t.run_for(1'000);
  const auto order = t.orders().at(0).id;
  std::vector<std::string> done;
  for (const auto* reason : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
    domain::act_on_saga c;
    c.from = sim::calm_shop::from("");
    c.order = order;
    c.what = {operator_action::retry_now, reason}; // of what is at rest: refused, and written down
    t.node->ask(t.node->env().route.supervisor(domain::shard_of(order)), std::move(c),
      [&done, reason](const actors::command_result&) { done.emplace_back(reason); });
  }
  t.run_for(1'000);
  REQUIRE(done.size() == 8);
  const auto log = storage::list_audit(t.disk().truth(), {}, 200, "");
  REQUIRE(log->rows.size() == 8);
  std::vector<std::string> listed;
  for (const auto& entry : log->rows) {
    CHECK(entry.time_ms == log->rows[0].time_ms);
    listed.insert(listed.begin(), entry.reason); // newest first
  }
  CHECK(listed == done);
}
