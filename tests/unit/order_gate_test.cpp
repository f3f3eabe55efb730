#include "http/order_gate.hpp"
#include "tests/catch.hpp"
#include <algorithm>
#include <deque>

using namespace jumun;
using http::order_gate;
using namespace std::chrono_literals;

// A shop in simulated time behind a gate: it takes so many orders a second, one after the other,
// and each is accepted at the end of a commit. Whoever finds the gate full has left at once.
namespace {
using microseconds = std::chrono::microseconds;

class simulated_shop {
public:
  simulated_shop(double per_second, microseconds commit) : can{per_second}, commit_{commit} {}

  /// Orders come at this rate for so long.
  void run(double per_second, std::chrono::milliseconds length) {
    begin();
    for (const auto end = now_ + length; now_ < end; now_ += 1ms) {
      serve();
      for (due_ += per_second / 1'000; due_ >= 1; --due_) arrive();
    }
    rate = static_cast<double>(accepted) / std::chrono::duration<double>{length}.count();
  }
  /// Connections that each ask again as soon as they are answered.
  void run_closed(std::size_t connections, std::chrono::milliseconds length) {
    begin();
    for (const auto end = now_ + length; now_ < end; now_ += 1ms) {
      serve();
      for (auto n = waiting_.size() + taken_.size() + committing_.size(); n < connections; ++n)
        arrive();
    }
    rate = static_cast<double>(accepted) / std::chrono::duration<double>{length}.count();
  }
  void burst(std::size_t orders) {
    begin();
    while (orders-- > 0) arrive();
  }
  void idle(std::chrono::seconds length) {
    run(0, std::chrono::seconds{1}); // whoever is inside leaves
    now_ += length;
  }

  double can; // orders a second
  bool stalled = false;
  std::uint64_t accepted = 0, refused = 0; // of the last run
  double rate = 0;                         // accepted a second
  microseconds longest{};                  // wait of one that was accepted
  std::size_t most_inside = 0;

  order_gate gate{{128, 3'072, 20ms, [this] { return commit_; }}};

private:
  struct order {
    order_gate::clock::time_point came;
    order_gate::pass pass;
  };
  void begin() { accepted = refused = most_inside = 0, longest = {}; }
  void arrive() {
    order o{now_, {}};
    if (!gate.enter(now_, o.pass)) {
      CHECK(gate.inside() >= gate.limit());
      ++refused;
      return;
    }
    waiting_.push_back(std::move(o));
    most_inside = std::max(most_inside, gate.inside());
  }
  void serve() {
    if (stalled) return;
    for (ready_ += can / 1'000; ready_ >= 1 && !waiting_.empty(); --ready_) {
      taken_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    ready_ = std::min(ready_, 1.0); // what nobody asked for is not done ahead
    if (now_ < committed_) return;
    committed_ = now_ + commit_;
    for (auto& o : std::exchange(committing_, std::exchange(taken_, {}))) {
      longest = std::max(longest, std::chrono::duration_cast<microseconds>(now_ - o.came));
      o.pass.served();
      ++accepted;
    }
  }

  const microseconds commit_;
  double due_ = 0, ready_ = 0;
  order_gate::clock::time_point now_{1h}, committed_{};
  std::deque<order> waiting_, taken_, committing_; // for its turn; for the next commit; in this one
};
} // namespace

TEST_CASE("at five times what a shop can do it does what it can, and nobody waits long", "[gate]") {
  for (const double can : {500.0, 4'000.0, 30'000.0}) {
    CAPTURE(can);
    simulated_shop shop{can, 3ms};
    shop.run(can / 2, 4s);
    CHECK(shop.refused == 0);
    shop.run(can * 5, 6s);
    CHECK(shop.rate > 0.97 * can);
    // The wanted wait and its commits; a slow shop has as many inside as are always let in.
    const auto wait = std::max(microseconds{static_cast<int>(128 / can * 1e6)}, microseconds{26ms});
    CHECK(shop.longest < wait * 5 / 4);
    CHECK(shop.most_inside < std::max(129.0, can * 0.035));
    shop.run(can / 2, 1s); // at once, or nearly: the queue was never long
    CHECK(static_cast<double>(shop.refused) < 0.1 * can / 2);
    shop.run(can / 2, 4s);
    CHECK(shop.refused == 0);
  }
}

TEST_CASE("an idle server refuses nobody, and a load that it can carry neither", "[gate]") {
  simulated_shop shop{4'000, 3ms};
  shop.burst(128);
  CHECK(shop.refused == 0);
  shop.run_closed(64, 5s);
  CHECK(shop.refused == 0);
  CHECK(shop.rate > 3'900);
  shop.idle(3'600s);
  shop.burst(64);
  CHECK(shop.refused == 0);
  shop.run(3'800, 5s);
  CHECK(shop.refused == 0);
}

TEST_CASE("a slow disk has more orders on their way, not fewer accepted", "[gate]") {
  simulated_shop shop{4'000, 200ms};
  shop.run(20'000, 2s); // finds out
  shop.run(20'000, 5s);
  CHECK(shop.rate > 3'800);
  CHECK(shop.longest < 50ms + 4 * 200ms);
}

TEST_CASE("a server that has become slower soon lets fewer in", "[gate]") {
  simulated_shop shop{20'000, 3ms};
  shop.run(100'000, 3s);
  CHECK(shop.most_inside > 400);
  shop.can = 4'000;
  shop.run(100'000, 1s);
  shop.run(100'000, 2s);
  CHECK(shop.longest < 45ms);
  CHECK(shop.rate > 3'900);
}

TEST_CASE("a server that stalls keeps no crowd waiting, and is itself again at once", "[gate]") {
  simulated_shop shop{4'000, 3ms};
  shop.run(3'800, 2s);
  shop.stalled = true;
  shop.run(3'800, 2s);
  CHECK(shop.accepted == 0);
  CHECK(shop.most_inside < 300); // of the 7,600 that came
  shop.stalled = false;
  shop.run(3'800, 1s);
  shop.run(3'800, 2s);
  CHECK(shop.refused == 0);
  CHECK(shop.rate > 3'700);
}

TEST_CASE("what was refused inside, or never got there, is no reason to let more in", "[gate]") {
  order_gate gate{{2, 1'000, 1s, {}}};
  order_gate::clock::time_point now{1h};
  for (int i = 0; i < 10'000; ++i, now += 1ms) {
    order_gate::pass p;
    REQUIRE(gate.enter(now, p));
  }
  CHECK(gate.inside() == 0);
  CHECK(gate.limit() == 2);
  order_gate::pass one, two, three;
  CHECK(gate.enter(now, one));
  CHECK(gate.enter(now, two));
  CHECK_FALSE(gate.enter(now, three));
  one.served();
  one.served(); // once
  CHECK(gate.inside() == 1);
  CHECK(gate.enter(now, three));
  two = std::move(three); // gives its own up
  CHECK(gate.inside() == 1);
}
