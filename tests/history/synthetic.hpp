#pragma once
#include "tests/history/history.hpp"

/// Histories of a simulated shop that is linearizable by construction: for the checker's own tests,
/// and to measure it without a server. They prove nothing of the product.
namespace jumun::tests::history {
struct synthetic {
  std::uint64_t seed = 1;
  std::size_t calls = 1'000; // of clients, in all
  std::size_t shelves = 1;   // that they are about
  std::size_t clients = 8;   // at once
  unsigned lost_per_mille = 5; // of the changes
};
/// The same options, the same story.
[[nodiscard]] story synthetic_story(const synthetic& how);

enum class flaw : std::uint8_t {
  stale_read,
  future_read,
  lost_update,
  applied_twice,
  version_stands_still,
  refused_wrongly,
};
/// Changes what one call was answered (and what follows from it) so that no shop could have lived
/// it. False: the story has no place for this flaw, and is as it was.
bool spoil(story& s, flaw what, std::uint64_t seed);
} // namespace jumun::tests::history
