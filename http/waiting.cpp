#include "http/waiting.hpp"
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

namespace jumun::http {
namespace asio = boost::asio;

namespace {
/// The race between change, timer and drain; its strand makes sure that exactly one wins.
class waiter : public std::enable_shared_from_this<waiter> {
public:
  waiter(exchange_ptr ex, domain::order_id id, std::function<void()> then)
      : ex_{std::move(ex)}, id_{id}, then_{std::move(then)},
        strand_{asio::make_strand(ex_->at->io)}, timer_{strand_} {}

  void start(bool settled_only, std::uint64_t version, std::chrono::milliseconds most) {
    on_strand([this, settled_only, version, most] {
      timer_.expires_after(most);
      timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
        if (!ec) self->end(false);
      });
      watch_ = ex_->inside().watch(id_, settled_only, version, ending(true));
      drain_ = ex_->at->drain.add(ending(false));
    });
  }

private:
  template <class Step> void on_strand(Step step) {
    asio::post(strand_, [self = shared_from_this(), step] { guarded(self->ex_, step); });
  }
  /// For other threads. Weak: who never calls it must not keep this alive.
  std::function<void()> ending(bool changed) {
    return [weak = weak_from_this(), changed] {
      if (auto self = weak.lock())
        self->on_strand([self = self.get(), changed] { self->end(changed); });
    };
  }
  void end(bool changed) {
    if (!then_) return;
    timer_.cancel();
    if (!changed) ex_->inside().stop_watching(id_, watch_);
    ex_->at->drain.remove(drain_);
    std::exchange(then_, nullptr)(); // our strand is guarded
  }

  const exchange_ptr ex_;
  const domain::order_id id_;
  std::function<void()> then_;
  asio::strand<asio::io_context::executor_type> strand_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
    asio::wait_traits<std::chrono::steady_clock>, decltype(strand_)>
    timer_; // its pending wait is what keeps this alive
  shop::watch_id watch_ = 0;
  std::uint64_t drain_ = 0;
};
} // namespace

void await_change(const exchange_ptr& ex, domain::order_id id, bool settled_only,
  std::uint64_t version, std::chrono::milliseconds most, std::function<void()> then) {
  std::make_shared<waiter>(ex, id, std::move(then))->start(settled_only, version, most);
}

void after(const exchange_ptr& ex, std::chrono::milliseconds pause, std::function<void()> then) {
  auto timer = std::make_shared<asio::steady_timer>(ex->at->io, pause);
  timer->async_wait([ex, timer, then = std::move(then)](boost::system::error_code ec) {
    if (!ec) guarded(ex, then);
  });
}
} // namespace jumun::http
