#pragma once
#include "tests/history/sightings.hpp"

namespace jumun::tests::history {
/// One shelf, as API.md promises it: on_hand and reserved, 0 ≤ reserved ≤ on_hand, and a version
/// that rises by one with every change, so that a version has one state. No oversell, ever.
class stock_model {
public:
  struct state {
    bool started = false;
    std::int64_t version = 0, on_hand = 0, reserved = 0;
    bool operator==(const state&) const = default;
  };
  /// Reads off `of` what each version must hold, and narrows its times by that; gives its hidden
  /// calls their order and their twins. After this contradiction() says whether versions alone
  /// rule it out.
  explicit stock_model(part& of);
  [[nodiscard]] const std::string& contradiction() const { return contradiction_; }
  [[nodiscard]] const std::vector<std::uint32_t>& contradicting() const { return contradicting_; }

  [[nodiscard]] state first() const { return {}; }
  [[nodiscard]] std::optional<state> step(const state& now, const call& c) const;
  [[nodiscard]] fingerprint hash(const state& s) const;
  [[nodiscard]] std::string text(const state& s) const;

private:
  /// What is known of a version from those who saw it.
  struct known {
    std::int64_t on_hand = unseen, reserved = unseen, available = unseen;
    std::uint32_t seen_by = 0;
    bool made_visibly = false; // by a call that was told so; by no other, then
  };
  void contradict(std::string why, std::vector<std::uint32_t> between);
  void learn(const part& of);
  void learn_figures(const part& of, std::uint32_t index);
  void order_hidden(part& of) const;
  [[nodiscard]] const known* find(std::int64_t version) const;
  [[nodiscard]] std::optional<state> moved(
    const state& now, std::int64_t on_hand, std::int64_t reserved, const call& told) const;
  [[nodiscard]] std::optional<state> step_adjust(const state& now, const call& c) const;
  [[nodiscard]] std::optional<state> step_count(const state& now, const call& c) const;

  std::int64_t lowest_ = 0;
  std::vector<known> versions_; // from lowest_
  std::string contradiction_;
  std::vector<std::uint32_t> contradicting_;
};
} // namespace jumun::tests::history
