#pragma once
#include "storage/customer_index.hpp"
#include "storage/queries.hpp"
#include "tests/catch.hpp"
#include "tests/sim/life.hpp"
#include <map>

namespace jumun::sim {
/// A shop in which nothing goes wrong by chance: for stories that are told step by step. One SKU,
/// "a", of which there are 1,000; all shards are this node's; the order of steps comes from a seed.
class calm_shop {
public:
  explicit calm_shop(std::uint64_t seed, std::int64_t timeout_ms = 1'000)
      : payment_timeout_ms(timeout_ms), order(seed) {
    (void)storage::build_customer_index(disk_.bare());
    start();
    domain::adjust_stock c{from("stock"), "a", {1'000, "opening", ""}};
    node->ask(node->env().route.inventory(domain::shard_of(std::string_view{"a"})), c,
      [](const actors::command_result&) {});
    run_for(100);
  }
  /// Another life of the process, on the same disk.
  void start() {
    node.reset();
    disk_.revive();
    life_options how;
    how.boot = ++lives_;
    how.hurry = 1'000'000; // time passes when there is nothing else to do
    how.breaker.call_ms = how.payment_timeout_ms = payment_timeout_ms;
    for (std::size_t s = 0; s < domain::shard_count; ++s)
      how.leases.push_back({static_cast<domain::shard_id>(s), 2});
    node = std::make_unique<life>(world_, how);
    run_for(0); // until every shard is up; nothing has been asked yet
  }
  /// By a key that is used once.
  void place(int n) {
    for (int i = 0; i < n; ++i)
      place("order-" + std::to_string(++placed_), false,
        [this](const actors::command_result& r) { ++answers[r.reply.status]; });
  }
  void place(const std::string& key, bool waits, std::function<void(actors::command_result)> done) {
    node->ask(supervisor_of(key), order_by(key, waits), std::move(done));
  }
  /// One "a".
  [[nodiscard]] static domain::place_order order_by(const std::string& key, bool waits) {
    domain::place_order c;
    c.from = from(key);
    c.draft.customer = "c";
    c.draft.currency = "KRW";
    c.draft.lines.push_back({"a", "A", 1, 100, {}});
    c.draft.total = 100;
    c.draft.method = "card";
    c.draft.token = "tok_approve";
    c.wants_settled = waits;
    return c;
  }
  void cancel(domain::order_id id) {
    domain::cancel_order c{from("cancel"), id, "changed my mind"};
    node->ask(node->env().route.supervisor(domain::shard_of(id)), std::move(c),
      [](const actors::command_result&) {});
  }
  /// Simulated time.
  void run_for(std::int64_t ms) {
    bool over = false;
    time_.later(ms, [&over] { over = true; }); // after all else, as time passes only when idle
    while (!over && node->step()) {}
  }
  void run_out() {
    for (int steps = 0; steps < 2'000'000; ++steps)
      if (!node->step()) return;
    FAIL("it never comes to rest");
  }
  [[nodiscard]] actors::supervisor_actor supervisor_of(std::string_view key) {
    return node->env().route.supervisor(domain::shard_of(key));
  }
  [[nodiscard]] std::vector<domain::order> orders() const {
    return storage::list_orders(disk_.truth(), {}, 200, "")->rows;
  }
  [[nodiscard]] std::string breaker() {
    return std::string{domain::name_of(node->guarded().look().state)};
  }
  [[nodiscard]] storage::check_report check() const {
    return storage::check_store(
      disk_.truth(), payments.ledger(), [](std::uint64_t) { return true; });
  }
  [[nodiscard]] static domain::request_context from(const std::string& key) {
    return {"tester", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "0af7651916cd43dd8448eb211c80319c", /*traced=*/false, key, "body of " + key};
  }

private:
  static options nothing_happens() {
    options o{0};
    o.rate.fill(0);
    return o;
  }
  options options_ = nothing_happens();
  chaos luck_{0, options_};
  timeline time_;
  sim::disk disk_{luck_, time_};

public:
  std::int64_t payment_timeout_ms; // of the lives to come
  sim::provider payments{luck_, time_, /*latency_ms=*/1};
  std::mt19937_64 order;

private:
  outside world_{luck_, time_, disk_, payments, order};
  int placed_ = 0;
  std::uint64_t lives_ = 0;

public:
  sim::disk& disk() { return disk_; }
  timeline& time() { return time_; }
  std::unique_ptr<life> node;
  std::map<int, int> answers; // status → how many
};
} // namespace jumun::sim
