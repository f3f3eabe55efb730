#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <list>

namespace jumun::cluster::link {
/// Deadlines of many things that mostly don't come to them: adding and cancelling are O(1), and one
/// tick serves all (G. Varghese, T. Lauck, "Hashed and hierarchical timing wheels", SOSP 1987,
/// scheme 6). Not thread-safe. Times are ms of any clock that doesn't go back.
class timer_wheel {
  struct entry {
    std::int64_t tick = 0;
    std::uint64_t what = 0;
  };
  using slot = std::list<entry>;

public:
  static constexpr std::int64_t tick_ms = 16; // a deadline is late by less than this

  explicit timer_wheel(std::int64_t now_ms) : at_{now_ms / tick_ms} {}

  /// Names one deadline until it was cancelled or has expired.
  class handle {
    friend class timer_wheel;
    slot* in = nullptr;
    slot::iterator entry{};
  };
  /// One that is past already expires at the next tick.
  handle add(std::int64_t due_ms, std::uint64_t what) {
    const auto tick = std::max((due_ms + tick_ms - 1) / tick_ms, at_ + 1);
    handle h;
    h.in = &slots_[static_cast<std::size_t>(tick) % slots_.size()];
    h.entry = h.in->insert(h.in->end(), {tick, what});
    ++size_;
    return h;
  }
  void cancel(const handle& h) {
    h.in->erase(h.entry);
    --size_;
  }
  /// Calls expired(what) for all that is due. It may add to the wheel, not cancel.
  template <class Expired> void advance(std::int64_t now_ms, const Expired& expired) {
    const auto now = now_ms / tick_ms;
    const auto turns = std::min<std::int64_t>(now - at_, static_cast<std::int64_t>(slots_.size()));
    slot due;
    for (std::int64_t i = 0; i < turns; ++i) {
      auto& s = slots_[static_cast<std::size_t>(now - i) % slots_.size()];
      for (auto e = s.begin(); e != s.end();) {
        const auto here = e++;
        if (here->tick <= now) due.splice(due.end(), s, here);
      }
    }
    at_ = std::max(at_, now);
    size_ -= due.size();
    for (const auto& e : due) expired(e.what);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  void clear() {
    for (auto& s : slots_) s.clear();
    size_ = 0;
  }

private:
  std::array<slot, 512> slots_; // 8 s; what is due later stays for another turn
  std::int64_t at_;             // the last tick that was served
  std::size_t size_ = 0;
};
} // namespace jumun::cluster::link
