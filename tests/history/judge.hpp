#pragma once
#include "tests/history/linearize.hpp"

namespace jumun::tests::history {
/// One key whose calls are not linearizable, or too many to tell.
struct complaint {
  std::string key;
  verdict found;
  std::string text; // for a person: what could be ordered, and what not
};

struct judgement {
  std::size_t calls = 0;   // requests that clients sent
  std::size_t lines = 0;   // of the story
  std::size_t hidden = 0;  // what orders did on shelves
  std::size_t unknown = 0; // lines without an answer
  std::size_t keys = 0;
  std::uint64_t steps = 0, remembered = 0;
  std::vector<complaint> wrong; // by key
  [[nodiscard]] bool passed() const { return wrong.empty(); }
};

struct judging {
  budget most = {};
  unsigned threads = 1; // keys are shared out among them
};

/// Checks each key of the story by the model that its name begins with (stock/, order/, key/).
/// Blocks. Throws std::runtime_error for a key of no known kind. The same story, the same
/// judgement.
[[nodiscard]] judgement judge(const story& s, const judging& how = {});
} // namespace jumun::tests::history
