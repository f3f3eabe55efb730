#pragma once
#include "tests/kills/people.hpp"

namespace jumun::tests::kills {
/// Until every order is at rest: operators resume what is paused, hurry what waits, and bring back
/// what the courier could not deliver. False: `within` was over first, which is reported.
bool settle(board& at, const addresses& where, std::chrono::seconds within);

/// Holds the server's books against what the crowd was told; all must be settled and nobody else
/// may write. What is wrong goes to the board.
void audit(board& at, const addresses& where, const std::vector<std::unique_ptr<person>>& crowd);
} // namespace jumun::tests::kills
