#pragma once
#include "domain/shard_set.hpp"
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace jumun::domain {
/// How far a reader of the feed has come: for each shard the offset up to which it has all wanted
/// events. A node counts its events, and gives one number to each; a shard that moves is never
/// given a number twice, because its new owner goes on above what the old one had counted to.
struct feed_position {
  /// In a place of its own for "from now on", while nobody can say where that is.
  static constexpr std::uint64_t latest = std::numeric_limits<std::uint64_t>::max();

  feed_position() = default; // from the begin
  explicit feed_position(std::uint64_t everywhere) { of.fill(everywhere); }
  /// The number that all shards share; nullopt: they differ.
  [[nodiscard]] std::optional<std::uint64_t> one() const;
  [[nodiscard]] std::uint64_t greatest() const;
  /// All shards of `which` at `offset` at least.
  void advance(const shard_set& which, std::uint64_t offset);
  bool operator==(const feed_position&) const = default;

  std::array<std::uint64_t, shard_count> of{};
};

/// A cursor: one number where all shards share it, else `v` and base64url of the groups of shards
/// that share one. Grows with the number of groups: about 110 characters for three, 1,000 for 100.
[[nodiscard]] std::string to_text(const feed_position& p);
/// The inverse; nullopt for what to_text() did not make. (Leading zeros of a number are read, too.)
[[nodiscard]] std::optional<feed_position> parse_feed_position(std::string_view text);
} // namespace jumun::domain
