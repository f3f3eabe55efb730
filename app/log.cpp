#include "app/log.hpp"
#include "domain/time_text.hpp"
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace jumun::app {
namespace {
/// `count` digits from `at` on, as a number. @pre they are digits.
int number_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(at, count)) value = value * 10 + (c - '0');
  return value;
}
} // namespace

std::string rfc3339(std::int64_t unix_ms) { return domain::time_text(unix_ms); }

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
  const auto at = [text](std::size_t from, std::size_t n) { return number_at(text, from, n); };
  const auto date =
    year{at(0, 4)} / month(static_cast<unsigned>(at(5, 2))) / day(static_cast<unsigned>(at(8, 2)));
  if (!date.ok() || at(11, 2) > 23 || at(14, 2) > 59 || at(17, 2) > 59) return std::nullopt;
  const milliseconds when = sys_days{date}.time_since_epoch() + hours{at(11, 2)}
                            + minutes{at(14, 2)} + seconds{at(17, 2)} + milliseconds{at(20, 3)};
  return when.count();
}
} // namespace jumun::app

namespace jumun::app::log {
namespace {
constexpr std::array<std::string_view, 4> names{"debug", "info", "warn", "error"};

spdlog::level::level_enum in_spdlog(level l) {
  switch (l) {
    case level::debug: return spdlog::level::debug;
    case level::info: return spdlog::level::info;
    case level::warn: return spdlog::level::warn;
    case level::error: break;
  }
  return spdlog::level::err;
}

/// One logger for the process; it outlives every static that may still log.
spdlog::logger& out() {
  static spdlog::logger& made = []() -> spdlog::logger& {
    auto* l = new spdlog::logger("jumun", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    l->set_pattern("%v"); // the line is already whole
    l->set_level(spdlog::level::info);
    l->flush_on(spdlog::level::trace);
    return *l;
  }();
  return made;
}

std::int64_t unix_ms_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

void write(level l, std::string_view event, fields with) {
  if (!writes(l)) return;
  out().log(in_spdlog(l), spdlog::string_view_t{"{}"}, render(l, event, with, unix_ms_now()));
}
} // namespace

void debug(std::string_view event, fields with) { write(level::debug, event, with); }
void info(std::string_view event, fields with) { write(level::info, event, with); }
void warn(std::string_view event, fields with) { write(level::warn, event, with); }
void error(std::string_view event, fields with) { write(level::error, event, with); }

void set_level(level least) { out().set_level(in_spdlog(least)); }

bool writes(level l) { return out().should_log(in_spdlog(l)); }

level current_level() {
  for (const level l : {level::debug, level::info, level::warn})
    if (out().level() <= in_spdlog(l)) return l;
  return level::error;
}

std::string_view name_of(level l) { return names.at(static_cast<std::size_t>(l)); }

std::optional<level> parse_level(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names.at(i) == name) return static_cast<level>(i);
  return std::nullopt;
}

std::string render(level l, std::string_view event, fields with, std::int64_t unix_ms) {
  nlohmann::ordered_json line;
  line["time"] = rfc3339(unix_ms);
  line["level"] = name_of(l);
  line["event"] = event;
  for (const auto& f : with) std::visit([&](const auto& v) { line[f.key] = v; }, f.value);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}
} // namespace jumun::app::log
