#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// One event, one line of JSON on stderr: {"time","level","event",…fields}. All of it is
/// thread-safe; a line blocks for its write(2). Never a card token, an address, a key or a body.
namespace jumun::app::log {
/// error: a person must look. warn: healed itself. info: start, stop.
/// debug: per message.
enum class level : std::uint8_t { debug, info, warn, error };

/// `{"port", 8080}`; texts are escaped, and bytes that are no UTF-8 are replaced.
struct field {
  field(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  field(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  field(std::string_view k, const std::string& v) : key(k), value(v) {}
  field(std::string_view k, bool v) : key(k), value(v) {}
  field(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T> field(std::string_view k, T v)
      : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T> field(std::string_view k, T v) // a bool has its own, above
      : key(k), value(static_cast<std::uint64_t>(v)) {}

  std::string key;
  std::variant<std::string, bool, std::int64_t, std::uint64_t, double> value;
};
using fields = std::initializer_list<field>;

/// `event` is `room.what`, e.g. server.ready; stable, alerts are made of it.
void debug(std::string_view event, fields with = {});
void info(std::string_view event, fields with = {});
void warn(std::string_view event, fields with = {});
void error(std::string_view event, fields with = {});

/// Lines below `least` are dropped from now on. The default is info.
void set_level(level least);
[[nodiscard]] level current_level();
/// Whether lines of that level are written at present: before making one that costs something.
[[nodiscard]] bool writes(level l);
[[nodiscard]] std::string_view name_of(level l);
[[nodiscard]] std::optional<level> parse_level(std::string_view name);

/// The line, without its end. Pure. `unix_ms` is the time of the event.
[[nodiscard]] std::string render(
  level l, std::string_view event, fields with, std::int64_t unix_ms);
} // namespace jumun::app::log

namespace jumun::app {
/// RFC 3339, UTC, milliseconds: 2025-11-22T17:41:00.123Z.
[[nodiscard]] std::string rfc3339(std::int64_t unix_ms);
/// The inverse, for exactly that form.
[[nodiscard]] std::optional<std::int64_t> parse_rfc3339(std::string_view text);
} // namespace jumun::app
