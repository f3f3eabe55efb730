#include "storage/manifest_end.hpp"
#include "storage/checksum.hpp"
#include "storage/log_format.hpp"
#include <rocksdb/env.h>

namespace jumun::storage {
namespace {
constexpr std::uint64_t recycled_head_bytes = 11;
constexpr unsigned char recycled_first = 5, recycled_last = 8;

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }
} // namespace

std::uint64_t log_number_at(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t n = 0;
  for (int i = count - 1; i >= 0; --i)
    n = n << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return n;
}

log_part log_part_at(std::string_view rest) {
  if (rest.size() < log_head_bytes) return {};
  const auto type = static_cast<unsigned char>(rest[6]);
  const bool recycled = type >= recycled_first && type <= recycled_last;
  const auto head = recycled ? recycled_head_bytes : log_head_bytes;
  const auto bytes = head + log_number_at(rest, 4, 2);
  if (type == 0 || bytes > rest.size()) return {};
  const auto checked = rest.substr(6, bytes - 6);
  if (masked(crc32c(checked)) != log_number_at(rest, 0, 4)) return {};
  return {bytes, type, rest.substr(head, bytes - head)};
}

std::optional<std::uint64_t> whole_records_end(std::string_view log) {
  std::uint64_t at = 0, end = 0; // end: behind the last record that is whole in all its parts
  bool inside = false;           // its first part was seen, its last not yet
  while (at < log.size()) {
    const auto in_block = log_block_bytes - at % log_block_bytes;
    if (in_block < log_head_bytes) {
      at += in_block;
      if (!inside) end = std::min<std::uint64_t>(at, log.size());
      continue;
    }
    const auto part = log_part_at(log.substr(at, in_block));
    if (part.bytes == 0) return end;
    if (part.type > log_part::last) return {};
    if (part.begins() == inside) return end;
    at += part.bytes;
    inside = !part.ends();
    if (!inside) end = at;
  }
  return end;
}

std::optional<std::uint64_t> torn_end(
  const durable_claim& claim, rocksdb::Env& on, const std::string& dir) {
  const auto name = manifest_in_force(on, dir);
  const auto bytes = name ? read_whole(on, dir + "/" + name->text) : std::nullopt;
  if (!bytes) return {};
  const auto end = whole_records_end(*bytes);
  const auto claimed = name->number == claim.manifest ? claim.manifest_bytes : 0;
  if (!end || *end == bytes->size() || *end < claimed) return {};
  return end;
}

std::optional<failure> cut_manifest(rocksdb::Env& on, const std::string& dir, std::uint64_t at) {
  const auto told = [&](const rocksdb::Status& s) -> std::optional<failure> {
    if (s.ok()) return {};
    return failure{errc::io_failed, "data folder " + dir + ": " + s.ToString()};
  };
  const auto name = manifest_in_force(on, dir);
  if (!name) return failure{errc::corrupt, "data folder " + dir + ": CURRENT names no manifest"};
  const auto path = dir + "/" + name->text;
  if (auto why = told(on.Truncate(path, at))) return why;
  std::unique_ptr<rocksdb::WritableFile> file;
  if (auto why = told(on.ReopenWritableFile(path, &file, rocksdb::EnvOptions{}))) return why;
  return told(file->Sync());
}
} // namespace jumun::storage
