#pragma once
#include <cstddef>
#include <cstdint>

namespace jumun::cluster::link {
/// How much may be out at a peer that it hasn't handled yet: what keeps a slow one from filling
/// anybody's memory, as CAF bounds neither its mailboxes nor what waits for a socket. Counts are
/// cumulative, so that an acknowledgement may be late, or come twice. Not thread-safe.
class credit {
public:
  credit() = default;
  credit(std::uint64_t envelopes, std::uint64_t bytes) : most_{envelopes}, bytes_most_{bytes} {}

  /// False: there is none, and nothing was taken. One alone may be larger than the limit for bytes,
  /// or it could never be sent.
  [[nodiscard]] bool take(std::size_t bytes) {
    if (out() >= most_ || (out() > 0 && out_bytes() + bytes > bytes_most_)) return false;
    take_anyway(bytes);
    return true;
  }
  void take_anyway(std::size_t bytes) {
    ++taken_;
    taken_bytes_ += bytes;
  }
  /// What the peer says to have handled since the start. False: more than there was.
  [[nodiscard]] bool handled(std::uint64_t envelopes, std::uint64_t bytes) {
    if (envelopes > taken_ || bytes > taken_bytes_) return false;
    if (envelopes <= handled_) return true; // an older one
    handled_ = envelopes;
    handled_bytes_ = bytes;
    return true;
  }
  [[nodiscard]] std::uint64_t out() const { return taken_ - handled_; }
  [[nodiscard]] std::uint64_t out_bytes() const { return taken_bytes_ - handled_bytes_; }

private:
  std::uint64_t most_ = 0, bytes_most_ = 0;
  std::uint64_t taken_ = 0, taken_bytes_ = 0, handled_ = 0, handled_bytes_ = 0;
};

/// What the other side keeps of that: what came, what is handled, and whether it is time to say so.
class tally {
public:
  tally() = default;
  tally(std::uint64_t envelopes, std::uint64_t bytes) : most_{envelopes}, bytes_most_{bytes} {}
  /// False: the peer had no credit for it.
  [[nodiscard]] bool came(std::size_t bytes) {
    const bool alone = came_ == handled_;
    ++came_;
    came_bytes_ += bytes;
    return came_ - handled_ <= most_ && (alone || came_bytes_ - handled_bytes_ <= bytes_most_);
  }
  void handle(std::size_t bytes) {
    ++handled_;
    handled_bytes_ += bytes;
  }
  /// A quarter of the credit is handled and unsaid: the sender still has the rest.
  [[nodiscard]] bool worth_saying() const {
    return handled_ > said_
           && (handled_ - said_ >= (most_ + 3) / 4
               || handled_bytes_ - said_bytes_ >= bytes_most_ / 4);
  }
  template <class Frame> void say(Frame& in) {
    in.handled = said_ = handled_;
    in.handled_bytes = said_bytes_ = handled_bytes_;
  }
  [[nodiscard]] std::uint64_t waiting() const { return came_ - handled_; }

private:
  std::uint64_t most_ = 0, bytes_most_ = 0;
  std::uint64_t came_ = 0, came_bytes_ = 0, handled_ = 0, handled_bytes_ = 0;
  std::uint64_t said_ = 0, said_bytes_ = 0;
};
} // namespace jumun::cluster::link
