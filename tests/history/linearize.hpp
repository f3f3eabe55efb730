#pragma once
#include "tests/history/history.hpp"
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// Is there one order of these calls, each at a moment between its question and its answer, in which
// one thing after another would have answered so? Wing & Gong, "Testing and Verifying Concurrent
// Objects" (1993), with the memory of what was tried of Lowe, "Testing for Linearizability" (2017),
// and one key at a time: Horn & Kroening, "Faster Linearizability Checking via P-Compositionality"
// (2015). Pure: no clock, no randomness; the same calls give the same verdict and the same figures.
namespace jumun::tests::history {
enum class outcome : std::uint8_t { linearizable, violated, gave_up };

/// What the search may cost for one key. Beyond it: gave_up, which is no pass.
struct budget {
  std::uint64_t steps = 2'000'000'000; // asked of the model
  std::size_t remembered = 16'000'000; // configurations, 16 bytes each and half as much again
};

struct verdict {
  outcome said = outcome::linearizable;
  std::uint64_t steps = 0, remembered = 0;
  // Where it got no further, as indices of what was checked:
  std::size_t prefix = 0;            // the longest that could be ordered
  std::vector<std::uint32_t> tail;   // the last of that prefix, in their order
  std::vector<std::uint32_t> window; // what could have come next, and could not
  std::string state;                 // of the model, behind the prefix
  std::string why;                   // of a contradiction that needs no search
};

/// Spreads the bits of n: SplitMix64.
constexpr std::uint64_t spread(std::uint64_t n) {
  n += 0x9e3779b97f4a7c15U;
  n = (n ^ (n >> 30U)) * 0xbf58476d1ce4e5b9U;
  n = (n ^ (n >> 27U)) * 0x94d049bb133111ebU;
  return n ^ (n >> 31U);
}

/// 128 bits that stand for a set of calls and a state. Two that differ and meet would make a
/// correct history look wrong, once in 2^64 histories of 2^32 configurations; never the reverse.
struct fingerprint {
  std::uint64_t high = 0, low = 0;
  bool operator==(const fingerprint&) const = default;
  fingerprint& operator^=(const fingerprint& o) {
    high ^= o.high, low ^= o.low;
    return *this;
  }
};
constexpr fingerprint fingerprint_of(std::uint64_t n) { return {spread(n), spread(~n)}; }

/// A set of fingerprints with open addressing.
class remembered_set {
public:
  remembered_set() : slots_(1024) {}
  /// False: it was there.
  bool insert(fingerprint f) {
    if (f == fingerprint{}) f.low = 1; // that one means: free
    if ((size_ + 1) * 3 > slots_.size() * 2) grow();
    if (!put(f)) return false;
    ++size_;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

private:
  bool put(const fingerprint& f) {
    for (auto i = f.low & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i] == f) return false;
      if (slots_[i] != fingerprint{}) continue;
      slots_[i] = f;
      return true;
    }
  }
  void grow() {
    auto old = std::exchange(slots_, std::vector<fingerprint>(slots_.size() * 2));
    for (const auto& f : old)
      if (f != fingerprint{}) put(f);
  }
  std::vector<fingerprint> slots_;
  std::size_t size_ = 0;
};

/// One key's calls, and what is known of their order besides their times.
struct part {
  std::vector<call> calls;
  std::vector<std::uint32_t> after; // a call that this one can't precede; itself: none
  /// Calls of one number other than 0 do the same thing, now and in what follows from them, so that
  /// the one that must be over first may go first.
  std::vector<std::uint32_t> twin;
};

/// The search over one key's calls. A Model has
///   state                    comparable with ==
///   state first() const      before all calls
///   optional<state> step(const state&, const call&) const   nullopt: it can't have happened there;
///       of a call without answer: what it does if it happens now
///   fingerprint hash(const state&) const
///   string text(const state&) const
template <class Model> class linearizer {
  using state = typename Model::state;

public:
  /// Both stay alive for as long as it does.
  linearizer(const Model& model, const part& of, const budget& most)
      : model_(model), calls_(of.calls), after_(of.after), twin_(of.twin), most_(most),
        done_(of.calls.size(), false), now_(model.first()) {
    link();
  }

  verdict run() {
    while (result_.steps < most_.steps && seen_.size() < most_.remembered) {
      enter();
      if (left_ == 0) return finish(outcome::linearizable);
      if (open_.back().begin == choices_.size()) note_dead_end();
      if (!next_choice()) return finish(outcome::violated);
    }
    if (result_.prefix == 0) note_dead_end();
    return finish(outcome::gave_up);
  }

private:
  // Questions and answers in one doubly linked list by time: 2i and 2i+1 are those of call i. What
  // is lifted out of it has been put into the order, and goes back in reverse.
  void link() {
    std::vector<std::uint32_t> order;
    const auto count = static_cast<std::uint32_t>(calls_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      order.push_back(2 * i);
      if (calls_[i].returned == never) continue;
      order.push_back(2 * i + 1);
      ++left_;
    }
    const auto time = [this](std::uint32_t n) {
      return n % 2 == 0 ? calls_[n / 2].invoked : calls_[n / 2].returned;
    };
    // At the same time questions come first: the two overlap.
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::tuple{time(a), a % 2, a} < std::tuple{time(b), b % 2, b};
    });
    end_ = 2 * count;
    next_.assign(end_ + 1, end_);
    prev_.assign(end_ + 1, end_);
    auto last = end_;
    for (const auto n : order) {
      next_[last] = n, prev_[n] = last;
      last = n;
    }
    next_[last] = end_, prev_[end_] = last;
  }
  void unlink(std::uint32_t n) { next_[prev_[n]] = next_[n], prev_[next_[n]] = prev_[n]; }
  void relink(std::uint32_t n) { next_[prev_[n]] = n, prev_[next_[n]] = n; }

  void lift(std::uint32_t i) {
    unlink(2 * i);
    if (calls_[i].returned != never) unlink(2 * i + 1), --left_;
    done_[i] = true;
    set_ ^= fingerprint_of(0x8000'0000'0000'0000U + i);
    ordered_.push_back(i);
  }
  void unlift() {
    const auto i = ordered_.back();
    ordered_.pop_back();
    set_ ^= fingerprint_of(0x8000'0000'0000'0000U + i);
    done_[i] = false;
    if (calls_[i].returned != never) relink(2 * i + 1), ++left_;
    relink(2 * i);
  }

  /// One more level: puts in order at once what changes nothing, and lists what could come next.
  /// A call that is possible here and changes nothing can always come first, as all others see what
  /// they saw; so that needs no second choice.
  void enter() {
    const auto begin = choices_.size();
    const auto depth = ordered_.size();
    for (auto n = next_[end_], then_n = n; n != end_ && n % 2 == 0; n = then_n) {
      const auto i = n / 2;
      then_n = next_[n];
      if (after_[i] != i && !done_[after_[i]]) continue;
      ++result_.steps;
      const auto then = model_.step(now_, calls_[i]);
      if (!then) continue;
      if (!(*then == now_)) {
        choices_.push_back(i);
      } else if (calls_[i].returned != never) {
        if (then_n == n + 1) then_n = next_[then_n]; // its own answer goes with it
        lift(i);
      }
    }
    drop_twins(begin);
    open_.push_back({now_, depth, begin, begin});
  }
  /// The one that must be over first goes first; of those that do the same, only that one.
  void drop_twins(std::size_t begin) {
    const auto from = choices_.begin() + static_cast<std::ptrdiff_t>(begin);
    std::sort(from, choices_.end(), [this](std::uint32_t a, std::uint32_t b) {
      return std::pair{calls_[a].returned, a} < std::pair{calls_[b].returned, b};
    });
    std::vector<std::uint32_t> met;
    const auto again = [&](std::uint32_t i) {
      const auto kind = twin_[i];
      if (kind == 0) return false;
      if (std::find(met.begin(), met.end(), kind) != met.end()) return true;
      met.push_back(kind);
      return false;
    };
    choices_.erase(std::remove_if(from, choices_.end(), again), choices_.end());
  }

  /// Takes the next choice of the innermost level that has one. False: there is none anywhere.
  bool next_choice() {
    while (!open_.empty()) {
      auto& level = open_.back();
      while (level.next < choices_.size()) {
        const auto i = choices_[level.next++];
        auto then = model_.step(level.at, calls_[i]);
        ++result_.steps;
        lift(i);
        auto config = set_;
        config ^= model_.hash(*then);
        if (seen_.insert(config)) {
          now_ = std::move(*then);
          return true;
        }
        unlift();
      }
      choices_.resize(level.begin);
      while (ordered_.size() > level.depth) unlift();
      open_.pop_back();
      if (!open_.empty()) unlift(); // the choice that led here
    }
    return false;
  }

  void note_dead_end() {
    if (result_.prefix > 0 && ordered_.size() <= result_.prefix) return;
    constexpr std::size_t tail_max = 12, window_max = 40;
    result_.prefix = ordered_.size();
    const auto from = ordered_.size() - std::min(ordered_.size(), tail_max);
    result_.tail.assign(ordered_.begin() + static_cast<std::ptrdiff_t>(from), ordered_.end());
    result_.state = model_.text(now_);
    result_.window.clear();
    for (auto n = next_[end_]; n != end_ && n % 2 == 0; n = next_[n])
      result_.window.push_back(n / 2);
    // Those that never ended matter least.
    std::stable_sort(result_.window.begin(), result_.window.end(),
      [this](auto a, auto b) { return calls_[a].returned < calls_[b].returned; });
    if (result_.window.size() > window_max) result_.window.resize(window_max);
  }
  verdict finish(outcome said) {
    result_.said = said;
    result_.remembered = seen_.size();
    if (said == outcome::linearizable) result_.prefix = ordered_.size();
    return std::move(result_);
  }

  struct level {
    state at;
    std::size_t depth;       // of ordered_, before what changed nothing
    std::size_t begin, next; // in choices_, up to its end: inner levels are gone by then
  };
  const Model& model_;
  const std::vector<call>& calls_;
  const std::vector<std::uint32_t>& after_;
  const std::vector<std::uint32_t>& twin_;
  const budget most_;
  std::vector<std::uint32_t> next_, prev_;
  std::uint32_t end_ = 0;
  std::size_t left_ = 0; // calls with an answer that are not in order yet
  std::vector<bool> done_;
  fingerprint set_;
  remembered_set seen_;
  std::vector<std::uint32_t> ordered_, choices_;
  std::vector<level> open_;
  state now_;
  verdict result_;
};
} // namespace jumun::tests::history
