#pragma once
#include <string>
#include <vector>

namespace jumun::bench {
/// `jumun bench`, with the arguments behind that word: prints, writes what was asked for, and
/// leaves nothing else behind. 0; 1 when what was measured does not add up; 2 when it could not be
/// asked so, or was stopped; 6 when a file could not be written.
[[nodiscard]] int run(const std::vector<std::string>& args);
} // namespace jumun::bench
