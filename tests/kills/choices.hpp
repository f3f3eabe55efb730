#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace jumun::tests::kills {
/// One stream of choices for each part of a run, so that a part chooses the same whatever the
/// others did: a server, a disk and a crowd of threads do not run twice the same, choices do.
class choices {
public:
  choices(std::uint64_t seed, std::uint64_t part, std::uint64_t number)
      : source_(mixed(mixed(mixed(seed) ^ part) ^ number)) {}
  /// 0 … below − 1.
  std::uint64_t pick(std::uint64_t below) { return source_() % below; }
  bool percent(std::uint64_t p) { return pick(100) < p; }
  template <class T> const T& one_of(const std::vector<T>& all) { return all[pick(all.size())]; }

private:
  /// splitmix64: neighbours in, strangers out.
  static std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }
  std::mt19937_64 source_;
};
} // namespace jumun::tests::kills
