#pragma once
#include "tests/sim/model.hpp"
#include <functional>
#include <optional>

namespace jumun::sim {
/// What one seed came to.
struct outcome {
  std::uint64_t seed = 0;
  std::vector<violation> wrong; // empty: every promise was kept
  std::vector<fired> faults;    // what chance did
  std::uint64_t fingerprint = 0;
  std::size_t lives = 0, orders = 0, steps = 0;
  std::size_t moves = 0;                 // of shards between nodes
  std::uint64_t events = 0, batches = 0; // that reached the feed; that the disk was asked to write
};
struct run_options {
  std::optional<std::set<fired>> only = {};           // nothing but these may happen
  std::function<void(const std::string&)> trace = {}; // empty: nobody reads it
  std::size_t nodes = 1;
  std::optional<options> with = {}; // in place of those that the seed draws
  std::uint64_t fail_batch = 0;     // the n-th batch fails; 0: none
  bool fail_landed = false;         // and is there all the same
};
/// One day of the shop and its end: a phase with faults, then one without, in which every accepted
/// order must settle or be listed as blocked. Deterministic: the same seed and options give the
/// same outcome, byte for byte.
[[nodiscard]] outcome run(std::uint64_t seed, const run_options& how = {});
/// A list of which nothing can be taken away without losing what `still_fails` sees in it (delta
/// debugging: Zeller, Hildebrandt, IEEE TSE 2002). `all` itself must fail.
[[nodiscard]] std::vector<fired> fewest(
  std::vector<fired> all, const std::function<bool(const std::vector<fired>&)>& still_fails);
/// The fewest faults that still break a promise with one of the same codes. `said`: a line of
/// progress whenever there are fewer.
[[nodiscard]] std::vector<fired> minimise(
  const outcome& failed, std::size_t nodes, const std::function<void(const std::string&)>& said);
} // namespace jumun::sim
