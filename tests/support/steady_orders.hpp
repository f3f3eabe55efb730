#pragma once
#include "tests/support/shop_client.hpp"
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace jumun::tests {
/// People who order at a steady pace through one node, whatever happens to the others: each order
/// has a key of its own, and is asked for again with it until it has been answered.
class steady_orders {
public:
  using clock = std::chrono::steady_clock;
  struct answered {
    std::string id;
    texts before; // what came instead of an answer: a status and its body, or a broken connection
    std::chrono::milliseconds took{0};
  };

  /// Orders of `lines`, one each `pause`. Few enough are under way at once that one which waits for
  /// a restart holds nobody up.
  steady_orders(const server& through, order_lines lines, std::chrono::milliseconds pause)
      : lines_(std::move(lines)) {
    for (std::size_t i = 0; i < lanes; ++i)
      people_.emplace_back([this, &through, i, pause] {
        try {
          work(through, i, pause);
        } catch (const std::exception& why) {
          const std::lock_guard lock{guard_};
          broken_ = why.what();
        }
      });
  }
  ~steady_orders() { join(); }
  steady_orders(const steady_orders&) = delete;
  steady_orders& operator=(const steady_orders&) = delete;

  /// Until so many more have been answered.
  void await(std::size_t more) {
    std::unique_lock lock{guard_};
    const auto enough = all_.size() + more;
    if (!answered_one_.wait_for(lock, patience, [&] { return all_.size() >= enough; }))
      throw std::runtime_error("no orders are answered any more");
  }
  /// Stops, and hands out all that were answered.
  std::vector<answered> stop() {
    join();
    if (!broken_.empty()) throw std::runtime_error(broken_);
    return std::move(all_);
  }

private:
  static constexpr std::size_t lanes = 8;
  void join() {
    stopping_ = true;
    for (auto& one : people_) one.join();
    people_.clear();
  }
  void work(const server& through, std::size_t lane, std::chrono::milliseconds pause) {
    shop_client people{through};
    auto next = clock::now() + pause * lane;
    for (int n = 0; !stopping_; ++n) {
      std::this_thread::sleep_until(next);
      next += pause * lanes;
      auto one = order(people, "steady-" + std::to_string(lane) + "-" + std::to_string(n));
      const std::lock_guard lock{guard_};
      all_.push_back(std::move(one));
      answered_one_.notify_all();
    }
  }
  /// Also while stopping: what was asked for is asked for to its end.
  answered order(shop_client& people, const std::string& key) const {
    answered a;
    placing how;
    how.key = key;
    const auto begun = clock::now();
    for (const auto end = begun + patience; a.id.empty();) {
      std::string instead;
      try {
        const auto r = people.place("tok_approve", lines_, how);
        if (r.status == 201)
          a.id = r.json().at("id");
        else
          instead = std::to_string(r.status) + " " + r.body;
      } catch (const std::runtime_error& why) {
        instead = why.what();
      }
      if (!instead.empty()) a.before.push_back(std::move(instead));
      if (clock::now() > end) throw std::runtime_error(key + " was never answered");
    }
    a.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begun);
    return a;
  }

  const order_lines lines_;
  std::atomic<bool> stopping_{false};
  std::mutex guard_; // of what follows
  std::condition_variable answered_one_;
  std::vector<answered> all_;
  std::string broken_;
  std::vector<std::thread> people_;
};
} // namespace jumun::tests
