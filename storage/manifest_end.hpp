#pragma once
#include "storage/durable_claim.hpp"
#include <string_view>

/// The torn end of a manifest. RocksDB takes a manifest that stops in the middle of a record, but
/// not one whose last record was cut by a power failure into holes or noise: it would not open,
/// though nobody was ever told of what that record says (ADR 0009).
namespace jumun::storage {
/// Where the whole records of a file in RocksDB's log format end, its size when nothing is broken;
/// nullopt: it has records of a kind that this release doesn't know. Pure.
[[nodiscard]] std::optional<std::uint64_t> whole_records_end(std::string_view log);

/// Where the manifest in force has to be cut off; nullopt: nowhere. Only what lies behind `claim`
/// may go. Blocks.
[[nodiscard]] std::optional<std::uint64_t> torn_end(
  const durable_claim& claim, rocksdb::Env& on, const std::string& dir);
/// Cuts it there, durably. Blocks.
[[nodiscard]] std::optional<failure> cut_manifest(
  rocksdb::Env& on, const std::string& dir, std::uint64_t at);
} // namespace jumun::storage
