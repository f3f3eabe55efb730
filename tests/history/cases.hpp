#pragma once
#include "tests/history/history.hpp"

namespace jumun::tests::history {
/// A history that was made by hand, and whether any shop could have lived it.
struct made_by_hand {
  std::string name; // a sentence
  bool good;
  story what;
};
/// What every checker must agree on; Porcupine gets them as files.
[[nodiscard]] std::vector<made_by_hand> cases();
} // namespace jumun::tests::history
