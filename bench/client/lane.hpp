#pragma once
#include "bench/client/connection.hpp"
#include "bench/client/load.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <optional>

namespace jumun::bench {
/// One thread's share of a load: its connections, its workload, its counts.
class lane final : public connection::owner {
public:
  /// `begin`: when the warm-up begins; the same for all lanes.
  lane(const load_plan& plan, unsigned number, clock::time_point begin);

  /// To the end of the load; blocks. On a thread of its own.
  void run();
  [[nodiscard]] load_result take();
  /// Good answers in the time that counts, so far. Any thread.
  [[nodiscard]] std::uint64_t good_so_far() const { return good_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool done() const { return done_; }

private:
  void on_open(connection& by) override;
  void on_answer(connection& by, const response& answer) override;
  void on_lost(connection& by) override;

  void ask(connection& by, clock::time_point meant);
  void go_on(connection& by);
  void send_due(clock::time_point now);
  void wait_for_due();
  void count(connection& by, verdict said, clock::time_point now);
  void count_slice(clock::time_point meant, verdict said, clock::time_point now);
  void count_unanswered(clock::time_point meant, clock::time_point now);
  void count_unanswered(clock::time_point meant);
  void tick();
  void finish();
  [[nodiscard]] bool counts(clock::time_point t) const { return t >= measured_ && t < end_; }
  [[nodiscard]] bool spent() const { return requests_max_ > 0 && asked_ >= requests_max_; }
  [[nodiscard]] slice& slice_at(clock::time_point t);
  [[nodiscard]] phase_result* phase_at(clock::time_point t);

  const load_plan& plan_;
  boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  std::unique_ptr<workload> work_;
  std::deque<connection> connections_;
  std::deque<connection*> idle_; // open loop: the longest idle first
  std::optional<schedule> schedule_;
  clock::time_point measured_, end_, give_up_at_;
  bool waits_for_due_ = false; // due_ is set
  boost::asio::steady_timer due_{context_}, tick_{context_};
  std::uint64_t requests_max_ = 0, asked_ = 0; // 0: no such end
  bool stopping_ = false;
  std::size_t under_way_ = 0;
  std::uint64_t connects_failed_ = 0; // since the last answer
  load_result result_;
  clock::time_point last_answer_;
  std::atomic<std::uint64_t> good_{0};
  std::atomic<bool> done_{false};
};
} // namespace jumun::bench
