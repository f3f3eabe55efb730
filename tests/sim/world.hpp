#pragma once
#include "actors/guarded_provider.hpp"
#include "actors/supervisor.hpp"
#include "app/presenter.hpp"
#include "domain/shard_map.hpp"
#include "storage/check.hpp"
#include "storage/queries.hpp"
#include "tests/support/memory_store.hpp"
#include <caf/scheduler/test_coordinator.hpp>
#include <random>

/// The real actors, the real journal and the real decisions in one thread, from one seed: CAF's
/// test scheduler, its fake clock, a store whose n-th write fails, a payment provider that loses
/// answers.
namespace jumun::sim {
struct sim_config : caf::actor_system_config {
  sim_config() { set("scheduler.policy", caf::atom("testing")); }
};

/// The world outside of us: it remembers money through our crashes.
class sim_provider final : public actors::payment_provider {
public:
  struct account {
    std::int64_t charged = 0, refunded = 0;
    int charges = 0;
    bool voided = false, declined = false;
    std::string order;
  };
  explicit sim_provider(std::mt19937_64& chance, int lose_pct) : chance_(chance), lose_(lose_pct) {}

  void charge(actors::provider_charge c, actors::provider_callback said) override {
    later_.push_back([this, c = std::move(c), said = std::move(said)] {
      auto& a = account_of(c);
      if (a.voided) return say(said, domain::payment_said::declined);
      if (c.token == "tok_decline") a.declined = true;
      if (a.declined) return say(said, domain::payment_said::declined);
      if (lost()) return; // before it happened
      if (a.charged == 0) {
        a.charged = c.amount;
        ++a.charges;
      }
      say(said, domain::payment_said::approved);
    });
  }
  void inquire(actors::provider_charge c, actors::provider_callback said) override {
    later_.push_back([this, payment_id = std::move(c.payment_id), said = std::move(said)] {
      const auto known = accounts.find(payment_id);
      if (known == accounts.end()) return say(said, domain::payment_said::absent);
      const auto& a = known->second;
      if (a.voided) return say(said, domain::payment_said::cancelled);
      if (a.declined) return say(said, domain::payment_said::declined);
      say(said, a.charged > 0 ? domain::payment_said::approved : domain::payment_said::absent);
    });
  }
  void cancel(actors::provider_charge c, actors::provider_callback said) override {
    later_.push_back([this, c = std::move(c), said = std::move(said)] {
      if (lost()) return;
      auto& a = account_of(c);
      a.voided = true;
      a.refunded = a.charged;
      say(said, domain::payment_said::cancelled, a.refunded);
    });
  }
  /// One call reaches it, or one answer comes back. False: nothing is under way.
  bool deliver_one() {
    if (later_.empty()) return false;
    const auto which = chance_() % later_.size();
    auto act = std::move(later_[which]);
    later_.erase(later_.begin() + static_cast<std::ptrdiff_t>(which));
    act();
    return true;
  }
  /// Our process died: its connections are gone, the money is not.
  void hang_up() { later_.clear(); }
  void heal() { lose_ = 0, down_ = false; }
  /// From now on nobody is answered; half of what is asked happens all the same.
  void go_down() { down_ = true; }
  [[nodiscard]] std::vector<storage::ledger_line> ledger() const {
    std::vector<storage::ledger_line> out;
    for (const auto& [id, a] : accounts) {
      for (int i = 0; i < a.charges; ++i) out.push_back({"charge", a.order, id, "KRW", a.charged});
      if (a.refunded > 0) out.push_back({"refund", a.order, id, "KRW", a.refunded});
    }
    return out;
  }
  std::map<std::string, account> accounts;

private:
  account& account_of(const actors::provider_charge& c) {
    auto& a = accounts[c.payment_id];
    a.order = domain::to_text(domain::id_kind::order, c.order);
    return a;
  }
  bool lost() { return static_cast<int>(chance_() % 100) < (down_ ? 50 : lose_); }
  void say(
    const actors::provider_callback& said, domain::payment_said what, std::int64_t amount = 0) {
    if (down_ || lost()) return; // it happened, and nobody hears of it
    later_.push_back([said, what, amount] { said({what, amount, {}}); });
  }
  std::mt19937_64& chance_;
  int lose_;
  bool down_ = false;
  std::vector<std::function<void()>> later_;
};

/// One life of the process, on a disk and beside a provider that outlive it.
class life {
public:
  life(std::shared_ptr<storage::store> disk, sim_provider& provider, std::mt19937_64& chance,
    std::uint64_t boot, std::int64_t start_ms)
      : chance_(chance), provider_(provider), start_ms_(start_ms) {
    storage::journal::options how;
    how.manual = true;
    how.boot_offset = storage::read_last_offset(*disk);
    how.on_failure = [this](const storage::failure&) { crashed_ = true; };
    journal_ = std::make_unique<storage::journal>(std::move(disk), std::move(how));
    guarded_ = std::make_unique<actors::guarded_provider>(provider_, domain::breaker_settings{},
      actors::guarded_provider::surroundings{
        [this] { return now_ms() * 1000; }, [this] { return chance_(); }, {}});
    env_.reset(new actors::environment{*journal_, route_, registry_, *presenter_, *guarded_,
      [this] { return now_ms() * 1000; }, [this] { return chance_(); },
      [](const domain::order_step&) {}, [](domain::shard_id) {},
      [this](std::string) { escalated = true; },
      [](std::string_view, std::string, std::string_view) {}, std::chrono::milliseconds{1000}, {},
      boot, {}});
    root_ =
      system_.spawn(actors::node, env_.get(), domain::leases_of(domain::taken_by("n1", {}), "n1"));
    while (scheduler().try_run_once()) {} // until every shard is up; nothing has been asked yet
  }
  ~life() {
    caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
    route_.clear();
    while (scheduler().try_run_once()) {}
    root_ = nullptr;
    journal_.reset();
    provider_.hang_up();
  }

  /// Does one thing that could happen now, by chance; else lets time pass to the next deadline.
  /// False: nothing will ever happen again, or the process has died.
  bool step() {
    if (crashed_) return false;
    const auto first = chance_() % 8;
    if (first == 0 && journal_->run_once()) return !crashed_;
    if (first == 1 && provider_.deliver_one()) return true;
    if (run_a_job() || journal_->run_once() || provider_.deliver_one()) return !crashed_;
    return scheduler().trigger_timeout();
  }
  [[nodiscard]] bool crashed() const { return crashed_; }
  actors::environment& env() { return *env_; }
  actors::guarded_provider& guarded() { return *guarded_; }
  std::int64_t now_ms() {
    using namespace std::chrono;
    const auto t = scheduler().clock().now().time_since_epoch();
    return start_ms_ + duration_cast<milliseconds>(t).count();
  }
  template <class Command, class Handle>
  void ask(const Handle& to, Command c, std::function<void(actors::command_result)> done) {
    caf::anon_send(
      to, actors::asked_by_edge<Command>{std::move(c), actors::completion{std::move(done)}});
  }
  bool escalated = false;

private:
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  bool run_a_job() {
    auto& ready = scheduler().jobs;
    if (ready.empty()) return false;
    const auto lucky = static_cast<std::ptrdiff_t>(chance_() % ready.size());
    std::rotate(ready.begin(), ready.begin() + lucky, ready.begin() + lucky + 1);
    return scheduler().try_run_once();
  }
  std::mt19937_64& chance_;
  sim_provider& provider_;
  std::int64_t start_ms_;
  bool crashed_ = false;
  std::unique_ptr<actors::presenter> presenter_ = app::make_presenter();
  std::unique_ptr<storage::journal> journal_;
  std::unique_ptr<actors::guarded_provider> guarded_;
  actors::router route_;
  actors::actor_registry registry_;
  std::unique_ptr<actors::environment> env_;
  sim_config config_;
  caf::actor_system system_{config_};
  actors::node_actor root_;
};
} // namespace jumun::sim
