#pragma once
#include "actors/payment_provider.hpp"
#include "app/resilience/fault_board.hpp"
#include <boost/asio/thread_pool.hpp>

namespace jumun::app {
/// A payment provider as the board's fault `payment-provider` makes it: slow (asked after
/// delay_ms), timeout (never asked, never answers), error (never asked, says unknown), decline
/// (charges are declined without being asked), timeout_after_charge (charges are made, their
/// answers lost). There is one only with --enable-faults. Thread-safe.
class faulty_provider final : public actors::payment_provider {
public:
  /// Both outlive this.
  faulty_provider(actors::payment_provider& inner, fault_board& board)
      : inner_(inner), board_(board) {}
  /// Forgets the calls that still wait for their delay.
  ~faulty_provider() override;

  void charge(actors::provider_charge c, actors::provider_callback said) override;
  void inquire(actors::provider_charge c, actors::provider_callback said) override;
  void cancel(actors::provider_charge c, actors::provider_callback said) override;

private:
  void after(std::int64_t delay_ms, std::function<void()> act);

  actors::payment_provider& inner_;
  fault_board& board_;
  boost::asio::thread_pool delays_{1};
};
} // namespace jumun::app
