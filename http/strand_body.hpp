#pragma once
#include "http/exchange.hpp"
#include "http/session.hpp"
#include <boost/asio/post.hpp>
#include <memory>

namespace jumun::http {
/// An endless body that hears from other threads: how its steps come onto its session's strand.
/// `Self` sets to_ in begin(), and clears it in closed().
template <class Self> class strand_body : public endless_body,
                                          public std::enable_shared_from_this<Self> {
protected:
  explicit strand_body(edge& at) : edge_{at} {}

  /// For other threads: runs `step(self, args…)` on the strand while the stream is open. Weak, so
  /// that who never calls it does not keep this alive.
  template <class Step> auto on_strand(Step step) {
    return [weak = this->weak_from_this(), strand = to_->strand(), step](auto... args) {
      boost::asio::post(strand, [weak, step, ... args = std::move(args)]() mutable {
        const auto self = weak.lock();
        if (self && self->to_) self->guard([&] { step(*self, std::move(args)...); });
      });
    };
  }
  template <class Step> void guard(Step step) {
    try {
      step();
    } catch (...) { // out of memory, say: it costs this reader, no other
      ++edge_.counts.exceptions;
      if (to_) to_->cut();
    }
  }

  edge& edge_;
  session* to_ = nullptr; // begin() to closed()
};
} // namespace jumun::http
