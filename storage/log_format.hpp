#pragma once
#include <cstdint>
#include <string_view>

/// RocksDB's log format, of manifests and of write-ahead logs, as its documentation gives it:
/// blocks of 32 KiB; in them records of a masked crc32c (4 bytes), a length (2), a type (1) and
/// what the length says; a block's last bytes are zero where no head fits. Records of a recycled
/// log have 4 bytes more, and ours are never recycled.
namespace jumun::storage {
inline constexpr std::uint64_t log_block_bytes = 32'768, log_head_bytes = 7;

/// One record, whole or a part of a longer one.
struct log_part {
  enum kind : unsigned char { whole = 1, first, middle, last }; // beyond: of a recycled log
  std::uint64_t bytes = 0;                                      // with its head; 0: broken
  unsigned char type = 0;
  std::string_view payload;
  [[nodiscard]] bool begins() const { return type == whole || type == first; }
  [[nodiscard]] bool ends() const { return type == whole || type == last; }
};
/// At the begin of `rest`, which ends with its block or its file. Pure.
[[nodiscard]] log_part log_part_at(std::string_view rest);
/// Little endian. @pre the bytes are there. Pure.
[[nodiscard]] std::uint64_t log_number_at(std::string_view bytes, std::size_t at, int count);
} // namespace jumun::storage
