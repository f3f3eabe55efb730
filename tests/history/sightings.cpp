#include "tests/history/sightings.hpp"

namespace jumun::tests::history {
std::optional<std::pair<std::uint32_t, std::uint32_t>> narrow(
  std::vector<call>& calls, std::vector<sighting> seen) {
  std::sort(seen.begin(), seen.end(), [](const sighting& a, const sighting& b) {
    return std::pair{a.moment, a.call} < std::pair{b.moment, b.call};
  });
  const auto count = seen.size();
  const auto invoked = [&](std::size_t i) { return calls[seen[i].call].invoked; };
  const auto returned = [&](std::size_t i) { return calls[seen[i].call].returned; };
  // The latest question up to each, and the earliest answer from each.
  std::vector<std::size_t> latest(count), earliest(count);
  for (std::size_t i = 0; i < count; ++i)
    latest[i] = i > 0 && invoked(latest[i - 1]) > invoked(i) ? latest[i - 1] : i;
  for (auto i = count; i-- > 0;)
    earliest[i] =
      i + 1 < count && returned(earliest[i + 1]) < returned(i) ? earliest[i + 1] : i;
  const auto before = calls;
  for (std::size_t begin = 0; begin < count;) {
    auto end = begin;
    while (end < count && seen[end].moment == seen[begin].moment) ++end;
    for (auto i = begin; i < end; ++i) {
      auto& c = calls[seen[i].call];
      const auto low = begin > 0 ? latest[begin - 1] : i, high = end < count ? earliest[end] : i;
      const auto& from = before[seen[low].call];
      const auto& to = before[seen[high].call];
      c.invoked = std::max(c.invoked, from.invoked);
      c.returned = std::min(c.returned, to.returned);
      if (c.invoked <= c.returned) continue;
      const bool own_end = before[seen[i].call].returned == c.returned;
      const bool own_begin = before[seen[i].call].invoked == c.invoked;
      return std::pair{seen[own_begin ? i : low].call, seen[own_end ? i : high].call};
    }
    begin = end;
  }
  return {};
}
} // namespace jumun::tests::history
