#pragma once
#include "tests/history/sightings.hpp"
#include <unordered_map>

namespace jumun::tests::history {
/// One order, as API.md promises it. Its saga moves it along between any two calls, but only along
/// the automaton, and not at all once it is preparing or later: from there on each change is a
/// client's. A version has one body; the version and the list of events never go back.
class order_model {
public:
  struct state {
    standing at = standing::none;
    bool at_least = false; // `version` is a lower bound: an unanswered call made it
    bool doomed = false;   // it can't be cancelled, as it is being rejected
    std::int64_t version = 0, events = 0;
    bool operator==(const state&) const = default;
  };
  explicit order_model(part& of);
  [[nodiscard]] const std::string& contradiction() const { return contradiction_; }
  [[nodiscard]] const std::vector<std::uint32_t>& contradicting() const { return contradicting_; }

  [[nodiscard]] state first() const { return {}; }
  [[nodiscard]] std::optional<state> step(const state& now, const call& c) const;
  [[nodiscard]] fingerprint hash(const state& s) const;
  [[nodiscard]] std::string text(const state& s) const;

private:
  void contradict(std::string why, std::vector<std::uint32_t> between);
  std::string contradiction_;
  std::vector<std::uint32_t> contradicting_;
};

/// One Idempotency-Key: one effect, one answer, byte for byte, and `Idempotency-Replayed` on all
/// but the first.
class key_model {
public:
  struct state {
    bool used = false;        // a request with it has been taken
    std::uint64_t answer = 0; // 0: nobody has seen it yet
    bool operator==(const state&) const = default;
  };
  explicit key_model(part& of);
  [[nodiscard]] std::string contradiction() const { return {}; }
  [[nodiscard]] std::vector<std::uint32_t> contradicting() const { return {}; }

  [[nodiscard]] state first() const { return {}; }
  [[nodiscard]] std::optional<state> step(const state& now, const call& c) const;
  [[nodiscard]] fingerprint hash(const state& s) const;
  [[nodiscard]] std::string text(const state& s) const;
};
} // namespace jumun::tests::history
