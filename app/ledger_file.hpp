#pragma once
#include "http/shop.hpp"
#include "storage/store.hpp"
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// The simulator's ledger on disk: one line of JSON per movement of money, appended, never changed.
namespace jumun::app {
/// `{"kind":"charge","order_id":"ord_…","payment_id":"pay_…","amount":9000,"currency":"KRW",
/// "time":"2025-11-22T17:41:00.123Z","crc32c":"0123abcd"}` and a line feed; the checksum is of what
/// stands before its comma. Pure.
[[nodiscard]] std::string to_line(const http::ledger_entry& e);
/// The inverse, without the line feed; nullopt for anything else. Lines of releases before 0.2 have
/// no checksum, and damage inside of a value of theirs goes unseen. Pure.
[[nodiscard]] std::optional<http::ledger_entry> parse_ledger_line(std::string_view line);

/// The open file. One writer; every call blocks.
class ledger_file {
public:
  explicit ledger_file(std::filesystem::path where) : path_(std::move(where)) {}
  ~ledger_file();
  ledger_file(const ledger_file&) = delete;
  ledger_file& operator=(const ledger_file&) = delete;

  /// Opens it for appending; makes it, and its folder, durably.
  [[nodiscard]] std::optional<storage::failure> open();
  /// Calls `each` for every whole line up to `bytes_max` (0: to the end), oldest first; `end` is
  /// where the last one ends. What follows it is a torn end. Corrupt: a line that is none, or whose
  /// checksum is another, with a line feed behind it.
  [[nodiscard]] std::optional<storage::failure> read(std::uint64_t bytes_max,
    const std::function<void(http::ledger_entry)>& each, std::uint64_t& end) const;
  /// Drops what lies behind `end`, durably, and goes on from there.
  [[nodiscard]] std::optional<storage::failure> cut(std::uint64_t end);
  /// Appends and syncs. After a failure nothing may be appended any more.
  [[nodiscard]] std::optional<storage::failure> append(std::string_view lines);

private:
  [[nodiscard]] storage::failure failed(std::string_view what) const; // by errno
  std::filesystem::path path_;
  int fd_ = -1;
};
} // namespace jumun::app
