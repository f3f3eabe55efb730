#pragma once
#include "actors/guarded_provider.hpp"
#include "actors/supervisor.hpp"
#include "app/presenter.hpp"
#include "domain/shard_map.hpp"
#include "storage/check.hpp"
#include <caf/scheduler/test_coordinator.hpp>
#include <map>
#include <vector>

namespace jumun::tests {
struct one_thread : caf::actor_system_config {
  one_thread() { set("scheduler.policy", caf::atom("testing")); }
};

/// The payment provider: outside of us, so that no cut of ours takes back what it booked.
class bank final : public actors::payment_provider {
public:
  void charge(actors::provider_charge c, actors::provider_callback said) override {
    auto& a = of(c);
    if (c.token == "tok_decline" || a.voided) a.declined = true;
    if (!a.declined && a.charged == 0) a.charged = c.amount;
    say(said, a.declined ? domain::payment_said::declined : domain::payment_said::approved);
  }
  void inquire(actors::provider_charge c, actors::provider_callback said) override {
    const auto known = accounts_.find(c.payment_id);
    if (known == accounts_.end()) return say(said, domain::payment_said::absent);
    const auto& a = known->second;
    say(said, a.voided      ? domain::payment_said::cancelled
              : a.declined  ? domain::payment_said::declined
              : a.charged > 0 ? domain::payment_said::approved
                              : domain::payment_said::absent);
  }
  void cancel(actors::provider_charge c, actors::provider_callback said) override {
    auto& a = of(c);
    a.voided = true;
    a.refunded = a.charged;
    say(said, domain::payment_said::cancelled, a.refunded);
  }
  bool answer_one() {
    if (answers_.empty()) return false;
    const auto first = std::move(answers_.front());
    answers_.erase(answers_.begin());
    first();
    return true;
  }
  void hang_up() { answers_.clear(); }
  [[nodiscard]] std::vector<storage::ledger_line> ledger() const {
    std::vector<storage::ledger_line> out;
    for (const auto& [id, a] : accounts_) {
      if (a.charged > 0) out.push_back({"charge", a.order, id, "KRW", a.charged});
      if (a.refunded > 0) out.push_back({"refund", a.order, id, "KRW", a.refunded});
    }
    return out;
  }

private:
  struct account {
    std::string order;
    std::int64_t charged = 0, refunded = 0;
    bool voided = false, declined = false;
  };
  account& of(const actors::provider_charge& c) {
    auto& a = accounts_[c.payment_id];
    a.order = domain::to_text(domain::id_kind::order, c.order);
    return a;
  }
  void say(
    const actors::provider_callback& said, domain::payment_said what, std::int64_t amount = 0) {
    answers_.push_back([said, what, amount] { said({what, amount, {}}); });
  }
  std::map<std::string, account> accounts_;
  std::vector<std::function<void()>> answers_;
};

/// One life of the process: the real actors and the real journal over a store, in this thread.
class shop_life {
public:
  shop_life(std::shared_ptr<storage::store> disk, bank& money, std::uint64_t boot) : money_(money) {
    storage::journal::options how;
    how.manual = true;
    how.boot_offset = storage::read_last_offset(*disk);
    how.on_failure = [this](const storage::failure& why) { failed_ = why; };
    journal_ = std::make_unique<storage::journal>(std::move(disk), std::move(how));
    guarded_ = std::make_unique<actors::guarded_provider>(money_, domain::breaker_settings{},
      actors::guarded_provider::surroundings{
        [this] { return now_us(); }, [this] { return chance_ += 0x9e3779b97f4a7c15ULL; }, {}});
    env_.reset(new actors::environment{*journal_, route_, registry_, *presenter_, *guarded_,
      [this] { return now_us(); }, [this] { return chance_ += 0x9e3779b97f4a7c15ULL; },
      [](const domain::order_step&) {}, [](domain::shard_id) {}, [](std::string) {},
      [](std::string_view, std::string, std::string_view) {}, std::chrono::milliseconds{1000}, {},
      boot, {}});
    chance_ = boot << 32;
    root_ =
      system_.spawn(actors::node, env_.get(), domain::leases_of(domain::taken_by("n1", {}), "n1"));
    while (jobs().try_run_once()) {}
  }
  ~shop_life() {
    caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
    route_.clear();
    while (jobs().try_run_once()) {}
    root_ = nullptr;
    journal_.reset();
    money_.hang_up();
  }
  shop_life(const shop_life&) = delete;
  shop_life& operator=(const shop_life&) = delete;

  /// Until nothing more happens, or the disk has failed. False: it has. `between` after each
  /// commit.
  bool run(const std::function<void()>& between) {
    while (!failed_) {
      while (jobs().try_run_once()) {}
      if (journal_->run_once()) {
        between();
        continue;
      }
      if (failed_ || money_.answer_one()) continue;
      if (!jobs().trigger_timeout()) break;
    }
    return !failed_;
  }
  [[nodiscard]] const std::optional<storage::failure>& failed() const { return failed_; }
  [[nodiscard]] storage::journal& journal() { return *journal_; }
  template <class Command, class Handle>
  void ask(const Handle& to, Command c, std::function<void(actors::command_result)> done) {
    caf::anon_send(
      to, actors::asked_by_edge<Command>{std::move(c), actors::completion{std::move(done)}});
  }
  actors::router& route() { return route_; }

private:
  caf::scheduler::test_coordinator& jobs() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  std::int64_t now_us() {
    using namespace std::chrono;
    const auto t = jobs().clock().now().time_since_epoch();
    return 1'700'000'000'000'000 + duration_cast<microseconds>(t).count();
  }
  bank& money_;
  std::uint64_t chance_ = 0;
  std::optional<storage::failure> failed_;
  std::unique_ptr<actors::presenter> presenter_ = app::make_presenter();
  std::unique_ptr<storage::journal> journal_;
  std::unique_ptr<actors::guarded_provider> guarded_;
  actors::router route_;
  actors::actor_registry registry_;
  std::unique_ptr<actors::environment> env_;
  one_thread config_;
  caf::actor_system system_{config_};
  actors::node_actor root_;
};
} // namespace jumun::tests
