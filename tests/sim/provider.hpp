#pragma once
#include "actors/payment_provider.hpp"
#include "storage/check.hpp"
#include "tests/sim/chaos.hpp"
#include "tests/sim/timeline.hpp"
#include <map>
#include <memory>

namespace jumun::sim {
/// The payment provider: outside of us, so it remembers money through our crashes. Idempotent by
/// payment id; its network and its moods come from chance.
class provider final : public actors::payment_provider {
public:
  struct account {
    std::string order, token;
    std::int64_t charged = 0, refunded = 0;
    int charges = 0;
    bool voided = false, declined = false;
  };
  /// Called at the very moment that a call leaves our process.
  using call_check = std::function<void(std::string_view what, const actors::provider_charge&)>;

  provider(chaos& luck, timeline& time, std::int64_t latency_ms)
      : luck_(luck), time_(time), books_(std::make_shared<books>()) {
    books_->latency_ms = latency_ms;
  }
  /// Another process's connection to the same provider.
  [[nodiscard]] std::unique_ptr<provider> another_line() const {
    auto line = std::unique_ptr<provider>{new provider{luck_, time_, 0}};
    line->books_ = books_;
    return line;
  }
  void watch(call_check on_call) { books_->on_call = std::move(on_call); }

  void charge(actors::provider_charge c, actors::provider_callback said) override;
  void inquire(actors::provider_charge c, actors::provider_callback said) override;
  void cancel(actors::provider_charge c, actors::provider_callback said) override;

  /// A process connects; until then nobody calls.
  void connect() { ++connection_, connected_ = true; }
  /// It died: its connections are gone, the money is not.
  void hang_up() { ++connection_, connected_ = false; }
  /// From now on nobody is answered; half of what is asked happens all the same.
  void go_down() { books_->down = true; }
  void come_back() { books_->down = false; }
  /// From now on each call takes twice this: there, and back.
  void slow_down(std::int64_t latency_ms) { books_->latency_ms = latency_ms; }
  /// Reverses a charge on its own (a chargeback). False: there is none to reverse.
  bool give_back(const std::string& payment_id);

  [[nodiscard]] std::vector<storage::ledger_line> ledger() const;
  [[nodiscard]] const std::map<std::string, account>& accounts() const { return books_->accounts; }

private:
  struct books { // of the provider; the rest is of one connection to it
    std::map<std::string, account> accounts;
    call_check on_call;
    std::int64_t latency_ms = 0;
    std::uint64_t calls = 0;
    bool down = false;
  };
  account& account_of(const actors::provider_charge& c);
  /// Over the wire and to `act`, unless it is lost on the way; then the process that asked hears.
  template <class Act> void receive(
    const char* what, actors::provider_charge c, actors::provider_callback said, Act act);

  chaos& luck_;
  timeline& time_;
  std::shared_ptr<books> books_;
  std::uint64_t connection_ = 0;
  bool connected_ = false;
};
} // namespace jumun::sim
