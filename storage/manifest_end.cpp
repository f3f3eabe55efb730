#include "storage/manifest_end.hpp"
#include "storage/checksum.hpp"
#include <rocksdb/env.h>

namespace jumun::storage {
namespace {
// RocksDB's log format, as its documentation gives it: blocks of 32 KiB; in them records of a
// masked crc32c (4 bytes), a length (2), a type (1) and what the length says; a block's last bytes
// are zero where no head fits. Records of a recycled log have 4 bytes more, and manifests none.
constexpr std::uint64_t block_bytes = 32'768, head_bytes = 7, recycled_head_bytes = 11;
enum part : unsigned char { whole = 1, first, middle, last, recycled_first = 5, recycled_last = 8 };

std::uint32_t number_at(std::string_view bytes, std::size_t at, int count) {
  std::uint32_t n = 0;
  for (int i = count - 1; i >= 0; --i)
    n = n << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return n;
}
std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

/// Bytes of the record at the begin of `rest`, which ends with its block or its file; 0: broken.
std::uint64_t record_bytes(std::string_view rest) {
  if (rest.size() < head_bytes) return 0;
  const auto type = static_cast<unsigned char>(rest[6]);
  const bool recycled = type >= recycled_first && type <= recycled_last;
  const auto bytes = (recycled ? recycled_head_bytes : head_bytes) + number_at(rest, 4, 2);
  if (type == 0 || bytes > rest.size()) return 0;
  const auto checked = rest.substr(6, bytes - 6);
  return masked(crc32c(checked)) == number_at(rest, 0, 4) ? bytes : 0;
}
} // namespace

std::optional<std::uint64_t> whole_records_end(std::string_view log) {
  std::uint64_t at = 0, end = 0; // end: behind the last record that is whole in all its parts
  bool inside = false;           // its first part was seen, its last not yet
  while (at < log.size()) {
    const auto in_block = block_bytes - at % block_bytes;
    if (in_block < head_bytes) {
      at += in_block;
      if (!inside) end = std::min<std::uint64_t>(at, log.size());
      continue;
    }
    const auto bytes = record_bytes(log.substr(at, in_block));
    if (bytes == 0) return end;
    const auto type = static_cast<unsigned char>(log[at + 6]);
    if (type > last) return {};
    if ((type == whole || type == first) == inside) return end;
    at += bytes;
    inside = type == first || type == middle;
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

std::optional<failure> cut_manifest(
  rocksdb::Env& on, const std::string& dir, std::uint64_t at) {
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
