#include "http/fields.hpp"
#include "domain/time_text.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::http {
namespace {
/// The next item of a list, with `separator` between items and none inside of quotes.
std::string_view next_item(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (rest[i] == '"') quoted = !quoted;
    if (quoted && rest[i] == '\\') ++i;
    if (!quoted && rest[i] == separator) break;
  }
  const auto item = rest.substr(0, std::min(i, rest.size()));
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return trimmed(item);
}

std::string_view unquoted(std::string_view s) {
  const bool quoted = s.size() >= 2 && s.front() == '"' && s.back() == '"';
  return quoted ? s.substr(1, s.size() - 2) : s;
}

template <class Integer> std::optional<Integer> number(std::string_view s) {
  Integer value{};
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (ec != std::errc{} || end != s.data() + s.size() || s.empty()) return {};
  return value;
}

std::optional<std::uint64_t> version_in(std::string_view opaque) {
  const auto dash = std::min(opaque.find('-'), opaque.size());
  const auto behind = opaque.substr(dash);
  if (!behind.empty() && !number<std::uint64_t>(behind.substr(1))) return {};
  return number<std::uint64_t>(opaque.substr(0, dash));
}

bool all_lower_hex(std::string_view s) {
  return std::all_of(
    s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool all_zero(std::string_view s) { return s.find_first_not_of('0') == std::string_view::npos; }

void append_hex(std::string& out, std::uint64_t v) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(v >> shift) & 15];
}

/// `*/*`, `application/*`, `application/json`, `application/problem+json`: how exactly one names
/// JSON.
int json_range_rank(std::string_view range) {
  if (same_text(range, "application/json") || same_text(range, "application/problem+json"))
    return 3;
  if (same_text(range, "application/*")) return 2;
  return range == "*/*" ? 1 : 0;
}

int event_stream_range_rank(std::string_view range) {
  if (same_text(range, "text/event-stream")) return 3;
  if (same_text(range, "text/*")) return 2;
  return range == "*/*" ? 1 : 0;
}

/// In thousandths; what is no weight is as none: 1000.
int weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto p = next_item(parameters, ';');
    if (p.size() < 3 || (p[0] != 'q' && p[0] != 'Q') || p[1] != '=') continue;
    if (p[2] != '0' || (p.size() > 3 && p[3] != '.')) return 1000;
    int weight = 0, scale = 100;
    for (const char c : p.substr(std::min<std::size_t>(4, p.size()))) {
      if (c < '0' || c > '9') return 1000;
      weight += (c - '0') * scale, scale /= 10;
    }
    return weight;
  }
  return 1000;
}

int gzip_range_rank(std::string_view range) {
  if (same_text(range, "gzip") || same_text(range, "x-gzip")) return 2;
  return range == "*" ? 1 : 0;
}

/// What all fields of this name give to a type (or a coding), in thousandths; 0: it is not
/// acceptable; without a field `absent`. `rank` says how exactly a range names the type: the most
/// exact one decides, not the first.
int accepted_weight(const head& h, int (*rank)(std::string_view), std::string_view name = "accept",
  int absent = 1000) {
  bool any_field = false;
  int best = 0, weight = 0;
  for (std::size_t i = 0; i < h.field_count; ++i) {
    if (!same_text(h.fields[i].name, name)) continue;
    auto rest = h.fields[i].value;
    while (!rest.empty()) {
      auto parameters = next_item(rest, ',');
      const auto range = next_item(parameters, ';');
      any_field = any_field || !range.empty();
      const int exact = rank(range);
      if (exact == 0 || exact < best) continue;
      const int given = weight_of(parameters);
      weight = exact == best ? std::max(weight, given) : given;
      best = exact;
    }
  }
  return any_field ? weight : absent;
}

/// Two digits at `at`, or -1.
int two_digits(std::string_view s, std::size_t at) {
  if (at + 2 > s.size()) return -1;
  const auto v = number<unsigned>(s.substr(at, 2));
  return v ? static_cast<int>(*v) : -1;
}

/// `Z`, `+09:00`, `-05:30` in minutes.
std::optional<int> offset_minutes(std::string_view s) {
  if (s == "Z" || s == "z") return 0;
  if (s.size() != 6 || s[3] != ':' || (s[0] != '+' && s[0] != '-' && s[0] != ' ')) return {};
  const int hours = two_digits(s, 1), minutes = two_digits(s, 4);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return {};
  return (s[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}
} // namespace

std::optional<std::chrono::seconds> prefer_wait(const head& h) {
  for (std::size_t i = 0; i < h.field_count; ++i) {
    if (!same_text(h.fields[i].name, "prefer")) continue;
    auto rest = h.fields[i].value;
    while (!rest.empty()) {
      auto preference = next_item(rest, ',');
      const auto pair = next_item(preference, ';'); // behind the ; are parameters
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || !same_text(trimmed(pair.substr(0, equals)), "wait"))
        continue;
      const auto text = unquoted(trimmed(pair.substr(equals + 1)));
      const bool digits =
        !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
      if (!digits) return {};
      const std::int64_t most = std::chrono::seconds{limits::prefer_wait_max}.count();
      const auto seconds = std::min(number<std::int64_t>(text).value_or(most), most);
      if (seconds == 0) return {};
      return std::chrono::seconds{seconds};
    }
  }
  return {};
}

std::optional<std::string> idempotency_key(std::string_view value) {
  std::string key;
  if (value.starts_with('"')) {
    if (value.size() < 2 || value.back() != '"') return {};
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
      char c = value[i];
      if (c == '"') return {};
      if (c == '\\') {
        c = ++i + 1 < value.size() ? value[i] : '\0';
        if (c != '"' && c != '\\') return {};
      }
      if (c < 0x20 || c > 0x7e) return {};
      key += c;
    }
  } else {
    for (const char c : value)
      if (c <= 0x20 || c > 0x7e || c == '"' || c == ',' || c == ';' || c == '\\') return {};
    key = value;
  }
  if (key.empty() || key.size() > limits::idempotency_key_bytes_max) return {};
  return key;
}

std::string trace::child(std::uint64_t span) const {
  std::string out = "00-";
  out.reserve(55);
  out += trace_id, out += '-';
  append_hex(out, span == 0 ? 1 : span); // a span of zeros is not valid
  out += sampled ? "-01" : "-00";
  return out;
}

std::optional<trace> parse_traceparent(std::string_view v) {
  if (v.size() < 55 || v[2] != '-' || v[35] != '-' || v[52] != '-') return {};
  const auto version = v.substr(0, 2), id = v.substr(3, 32), span = v.substr(36, 16),
             flags = v.substr(53, 2);
  if (!all_lower_hex(version) || !all_lower_hex(id) || !all_lower_hex(span)
      || !all_lower_hex(flags))
    return {};
  if (version == "ff" || all_zero(id) || all_zero(span)) return {};
  if (v.size() > 55 && (version == "00" || v[55] != '-')) return {};
  const char low = flags[1];
  return trace{std::string{id}, ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0};
}

trace new_trace(std::uint64_t high, std::uint64_t low) {
  trace t;
  append_hex(t.trace_id, high);
  append_hex(t.trace_id, low == 0 ? 1 : low);
  return t;
}

bool tag_list::has_weakly(std::string_view opaque) const {
  return any
         || std::any_of(tags.begin(), tags.end(), [&](const tag& t) { return t.opaque == opaque; });
}

bool tag_list::has_strongly(std::string_view opaque) const {
  return any || std::any_of(tags.begin(), tags.end(), [&](const tag& t) {
    return t.opaque == opaque && !t.weak;
  });
}

std::vector<std::uint64_t> tag_list::versions() const {
  std::vector<std::uint64_t> out;
  for (const auto& t : tags)
    if (const auto v = version_in(t.opaque); v && !t.weak) out.push_back(*v);
  return out;
}

bool tag_list::has_version(std::uint64_t version) const {
  return std::any_of(
    tags.begin(), tags.end(), [&](const tag& t) { return version_in(t.opaque) == version; });
}

tag_list parse_tags(std::string_view value) {
  tag_list out;
  if (value == "*") {
    out.any = out.valid = true;
    return out;
  }
  while (!value.empty()) {
    auto item = next_item(value, ',');
    const bool weak = item.starts_with("W/");
    if (weak) item.remove_prefix(2);
    if (item.size() < 2 || item.front() != '"' || item.back() != '"') return {};
    const auto opaque = item.substr(1, item.size() - 2);
    if (opaque.find('"') != std::string_view::npos) return {};
    out.tags.push_back({opaque, weak});
  }
  out.valid = !out.tags.empty();
  return out;
}

std::string etag_of(std::uint64_t version) { return '"' + std::to_string(version) + '"'; }

bool accepts_json(const head& h) { return accepted_weight(h, json_range_rank) > 0; }

bool prefers_event_stream(const head& h) {
  return accepted_weight(h, event_stream_range_rank) > accepted_weight(h, json_range_rank);
}

bool accepts_gzip(const head& h) {
  return accepted_weight(h, gzip_range_rank, "accept-encoding", /*absent=*/0) > 0;
}

bool is_json_type(std::string_view content_type) {
  if (!same_text(next_item(content_type, ';'), "application/json")) return false;
  while (!content_type.empty()) {
    const auto parameter = next_item(content_type, ';');
    const auto equals = std::min(parameter.find('='), parameter.size());
    if (!same_text(parameter.substr(0, equals), "charset")) continue;
    if (!same_text(unquoted(parameter.substr(std::min(equals + 1, parameter.size()))), "utf-8"))
      return false;
  }
  return true;
}

std::optional<std::int64_t> parse_time(std::string_view s) {
  using namespace std::chrono;
  if (s.size() < 20 || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != 't') || s[13] != ':'
      || s[16] != ':')
    return {};
  const int century = two_digits(s, 0), years = two_digits(s, 2);
  const int mon = two_digits(s, 5), mday = two_digits(s, 8);
  const int hour = two_digits(s, 11), min = two_digits(s, 14), sec = two_digits(s, 17);
  if (std::min({century, years, mon, mday, hour, min, sec}) < 0) return {};
  const year_month_day date{year{century * 100 + years}, month{static_cast<unsigned>(mon)},
    day{static_cast<unsigned>(mday)}};
  if (!date.ok() || hour > 23 || min > 59 || sec > 60) return {};
  s.remove_prefix(19);
  std::int64_t fraction_ms = 0;
  if (s[0] == '.') {
    const auto end = std::min(s.find_first_not_of("0123456789", 1), s.size());
    if (end < 2 || end > 10) return {};
    std::string digits{s.substr(1, end - 1)};
    digits.resize(3, '0');
    fraction_ms = number<std::int64_t>(digits).value_or(0);
    s.remove_prefix(end);
  }
  const auto offset = offset_minutes(s);
  if (!offset) return {};
  const auto at = sys_days{date} + hours{hour} + minutes{min - *offset} + seconds{sec};
  return duration_cast<milliseconds>(at.time_since_epoch()).count() + fraction_ms;
}

std::optional<std::uint64_t> parse_offset(std::string_view text) {
  return number<std::uint64_t>(text);
}

std::string_view bearer_token(const head& h) {
  constexpr std::string_view scheme = "Bearer ";
  if (h.count("authorization") != 1) return {};
  const auto value = *h.find("authorization");
  if (!same_text(value.substr(0, scheme.size()), scheme)) return {};
  const auto token = trimmed(value.substr(scheme.size()));
  return token.size() <= limits::bearer_bytes_max ? token : std::string_view{};
}
} // namespace jumun::http
