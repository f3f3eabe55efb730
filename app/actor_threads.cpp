#include "app/actor_threads.hpp"
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <mutex>

namespace jumun::app {
namespace asio = boost::asio;

namespace {
/// So many of the jobs that follow from one another run before the thread looks after its sockets.
constexpr int jobs_in_a_row = 64;
} // namespace

/// What a job sees of its thread. Jobs that it makes wait here, and run behind it on the same
/// thread: what they need is in its caches, and nobody has to be woken.
class actor_threads::unit final : public caf::execution_unit {
public:
  /// The thread's own: its queue keeps its room.
  static unit& of_this_thread(caf::actor_system& system) {
    thread_local unit only;
    only.system_ = &system;
    return only;
  }
  void exec_later(caf::resumable* job) override { waiting_.push_back(job); }
  /// Null: none waits.
  caf::resumable* take() {
    if (taken_ == waiting_.size()) {
      waiting_.clear();
      taken_ = 0;
      return nullptr;
    }
    return waiting_[taken_++];
  }

private:
  std::vector<caf::resumable*> waiting_;
  std::size_t taken_ = 0;
};

/// Delayed messages. CAF's own clock is a thread that is woken for each of them, and for each actor
/// that ends; here that takes a lock.
class actor_threads::timers final : public caf::detail::simple_actor_clock {
public:
  explicit timers(asio::io_context& io) : alarm_(io) {}
  using base = caf::detail::simple_actor_clock;
  using time = caf::actor_clock::time_point;

  void set_ordinary_timeout(
    time t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override {
    change([&] { base::set_ordinary_timeout(t, self, type, id); });
  }
  void set_multi_timeout(
    time t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override {
    change([&] { base::set_multi_timeout(t, self, type, id); });
  }
  void set_request_timeout(time t, caf::abstract_actor* self, caf::message_id id) override {
    change([&] { base::set_request_timeout(t, self, id); });
  }
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override {
    change([&] { base::cancel_ordinary_timeout(self, type); });
  }
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override {
    change([&] { base::cancel_request_timeout(self, id); });
  }
  void cancel_timeouts(caf::abstract_actor* self) override {
    change([&] { base::cancel_timeouts(self); });
  }
  void schedule_message(
    time t, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) override {
    change([&] { base::schedule_message(t, std::move(receiver), std::move(content)); });
  }
  void schedule_message(
    time t, caf::group target, caf::strong_actor_ptr sender, caf::message content) override {
    change(
      [&] { base::schedule_message(t, std::move(target), std::move(sender), std::move(content)); });
  }
  void cancel_all() override {
    schedule_map dropped; // their actors may end with them, which comes back here
    const std::lock_guard lock{guard_};
    actor_lookup_.clear();
    dropped.swap(schedule_);
  }
  void stop() {
    cancel_all();
    const std::lock_guard lock{guard_};
    alarm_.cancel();
  }

private:
  template <class Change> void change(Change what) {
    const std::lock_guard lock{guard_};
    what();
    set_alarm();
  }
  /// Where the first is due before the alarm that is set. One that is taken away leaves it be.
  void set_alarm() {
    if (schedule_.empty()) return;
    const auto due = schedule_.begin()->first;
    if (due >= set_for_) return;
    set_for_ = due;
    alarm_.expires_at(due);
    alarm_.async_wait([this](boost::system::error_code ec) {
      if (!ec) ring();
    });
  }
  void ring() {
    std::vector<unique_delayed_event_ptr> due;
    {
      const std::lock_guard lock{guard_};
      set_for_ = time::max();
      const auto end = schedule_.upper_bound(now());
      for (auto at = schedule_.begin(); at != end; ++at) {
        if (at->second->backlink != actor_lookup_.end()) actor_lookup_.erase(at->second->backlink);
        due.push_back(std::move(at->second));
      }
      schedule_.erase(schedule_.begin(), end);
      set_alarm();
    }
    for (auto& event : due) ship(*event);
  }

  std::recursive_mutex guard_; // an actor that ends with its last message cancels its timeouts
  time set_for_ = time::max();
  asio::steady_timer alarm_;
};

std::function<caf::actor_system::module*(caf::actor_system&)> actor_threads::factory(
  std::size_t own) {
  return [own](caf::actor_system& system) { return new actor_threads{system, own}; };
}

actor_threads::actor_threads(caf::actor_system& system, std::size_t own)
    : abstract_coordinator(system), own_(own), timers_(std::make_unique<timers>(ours_)) {}

actor_threads::~actor_threads() = default;

caf::actor_clock& actor_threads::clock() noexcept { return *timers_; }

void actor_threads::start() {
  for (std::size_t i = 0; i < own_; ++i)
    threads_.emplace_back([this] {
      system().thread_started();
      ours_.run();
      system().thread_terminates();
    });
  abstract_coordinator::start();
}

/// Called when all actors but CAF's own have ended.
void actor_threads::stop() {
  stop_actors();
  timers_->stop();
  work_.reset(); // run() returns once what there is has run
  for (auto& t : threads_) t.join();
  ours_.restart();
  ours_.poll(); // what came in since
}

void actor_threads::share(asio::io_context& edge) { at_ = &edge; }

void actor_threads::leave() {
  at_ = &ours_;
  while (handing_over_.load() > 0) std::this_thread::yield(); // for a few instructions of theirs
}

void actor_threads::enqueue(caf::resumable* job) {
  ++handing_over_;
  post(*at_.load(), job);
  --handing_over_;
}

void actor_threads::post(asio::io_context& to, caf::resumable* job) {
  asio::post(to, [this, &to, job] { run(to, job); });
}

void actor_threads::run(asio::io_context& on, caf::resumable* job) {
  auto& here = unit::of_this_thread(system());
  for (int left = jobs_in_a_row; job && left > 0; --left, job = here.take()) {
    switch (job->resume(&here, max_throughput())) {
      case caf::resumable::resume_later: here.exec_later(job); break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message: intrusive_ptr_release(job); break;
      case caf::resumable::shutdown_execution_unit: break; // no job of ours says so
    }
  }
  for (; job; job = here.take()) post(on, job);
}
} // namespace jumun::app
