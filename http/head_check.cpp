#include "http/head_check.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::http {
namespace {
using refusal = std::optional<head_refused>;

refusal bad(std::string_view detail) { return head_refused{&problems::bad_request, detail}; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
bool is_control(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u < 0x20 || u == 0x7f;
}
/// What RFC 3986 allows in path and query; and [ ], that many a client leaves as they are in
/// queries.
bool is_target_char(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u < 0x7f && std::string_view{"\"#<>\\^`{|}"}.find(c) == std::string_view::npos;
}
bool is_host_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || std::string_view{"-._~%!$&'()*+;=:[]"}.find(c) != std::string_view::npos;
}

/// Cuts off `s` up to `end` and drops `end`; nullopt: it is not there.
std::optional<std::string_view> cut(std::string_view& s, std::string_view end) {
  const auto at = s.find(end);
  if (at == std::string_view::npos) return {};
  const auto before = s.substr(0, at);
  s.remove_prefix(at + end.size());
  return before;
}

refusal check_target(std::string_view target, head& out) {
  if (target.size() > limits::target_bytes_max)
    return head_refused{&problems::uri_too_long, "the target may have 2048 bytes"};
  if (target.empty() || target[0] != '/') return bad("the target must begin with a slash");
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!is_target_char(target[i])) return bad("a character in the target must be percent-encoded");
    if (target[i] != '%') continue;
    const auto high = i + 2 < target.size() ? hex_of(target[i + 1]) : -1;
    const auto low = i + 2 < target.size() ? hex_of(target[i + 2]) : -1;
    if (high < 0 || low < 0) return bad("a percent sign in the target needs two hex digits");
    if (is_control(static_cast<char>(high * 16 + low))) return bad("a control in the target");
  }
  const auto mark = target.find('?');
  out.target = target;
  out.path = target.substr(0, mark);
  out.query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  return {};
}

refusal check_version(std::string_view version, head& out) {
  const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5])
                      && version[6] == '.' && is_digit(version[7]);
  if (!shaped) return bad("the request line must end in HTTP/1.1");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return head_refused{&problems::version_not_supported, ""};
  out.http_1_0 = version == "HTTP/1.0";
  return {};
}

refusal check_method(std::string_view method, head& out) {
  constexpr std::string_view known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  if (method.empty() || !std::all_of(method.begin(), method.end(), is_tchar))
    return bad("the method is not a token");
  if (std::find(std::begin(known), std::end(known), method) == std::end(known))
    return head_refused{&problems::not_implemented, ""};
  out.method = method;
  return {};
}

refusal check_request_line(std::string_view line, head& out) {
  const auto method = cut(line, " ");
  const auto target = cut(line, " ");
  if (!method || !target) return bad("the request line is method, target and version");
  // The version first: another one may mean something else by all the rest.
  if (auto why = check_version(line, out)) return why;
  if (auto why = check_method(*method, out)) return why;
  return check_target(*target, out);
}

refusal check_field(std::string_view line, head& out) {
  if (line[0] == ' ' || line[0] == '\t') return bad("a folded field line (obs-fold)");
  const auto name = cut(line, ":");
  if (!name) return bad("a field line without a colon");
  if (name->empty() || !std::all_of(name->begin(), name->end(), is_tchar))
    return bad("a field name that is not a token, or whitespace before its colon");
  const auto value = trimmed(line);
  for (const char c : value)
    if (is_control(c) && c != '\t') return bad("a control character in a field value");
  if (out.field_count == out.fields.size())
    return head_refused{&problems::header_too_large, "a header may have 64 fields"};
  out.fields[out.field_count++] = {*name, value};
  return {};
}

refusal check_host(const head& h) {
  const auto hosts = h.count("host");
  if (hosts > 1) return bad("more than one Host");
  if (hosts == 0) return h.http_1_0 ? refusal{} : bad("HTTP/1.1 needs a Host");
  const auto host = *h.find("host");
  if (!std::all_of(host.begin(), host.end(), is_host_char)) return bad("the Host is not one");
  return {};
}

/// Where a body ends must be beyond doubt: that doubt is what smuggling lives on.
refusal check_framing(head& h) {
  const auto codings = h.count("transfer-encoding");
  const auto lengths = h.count("content-length");
  if (codings > 0) {
    if (h.http_1_0) return bad("HTTP/1.0 has no Transfer-Encoding");
    if (lengths > 0) return bad("Transfer-Encoding together with Content-Length");
    if (codings > 1 || !same_text(*h.find("transfer-encoding"), "chunked"))
      return bad("the Transfer-Encoding is not understood");
    return head_refused{&problems::length_required, "chunked bodies are not taken"};
  }
  if (lengths == 0) return {};
  if (lengths > 1) return bad("more than one Content-Length");
  const auto text = *h.find("content-length");
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
    return bad("the Content-Length is not a number");
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), h.content_length);
  if (parsed.ec != std::errc{} || h.content_length > limits::body_bytes_max)
    return head_refused{&problems::too_large, "a body may have 65536 bytes"};
  return {};
}

/// Those of which a second one would leave open which one counts.
refusal check_singles(const head& h) {
  for (const auto* name : {"content-type", "authorization", "idempotency-key", "expect"})
    if (h.count(name) > 1) return bad("a field that may come only once came twice");
  return {};
}

void read_connection(head& h) {
  bool close = false, keep = false;
  for (std::size_t i = 0; i < h.field_count; ++i) {
    if (!same_text(h.fields[i].name, "connection")) continue;
    auto rest = h.fields[i].value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      const auto option = trimmed(rest.substr(0, comma));
      close = close || same_text(option, "close");
      keep = keep || same_text(option, "keep-alive");
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  h.keep_alive = !close && (keep || !h.http_1_0);
}

refusal check_expect(head& h) {
  const auto expect = h.find("expect");
  if (!expect || h.http_1_0) return {};
  if (!same_text(*expect, "100-continue")) return head_refused{&problems::expectation_failed, ""};
  h.expects_continue = h.content_length > 0;
  return {};
}
} // namespace

std::optional<std::string_view> head::find(std::string_view name) const {
  for (std::size_t i = 0; i < field_count; ++i)
    if (same_text(fields[i].name, name)) return fields[i].value;
  return {};
}

std::size_t head::count(std::string_view name) const {
  return static_cast<std::size_t>(
    std::count_if(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(field_count),
      [name](const head_field& f) { return same_text(f.name, name); }));
}

head_end find_head_end(std::string_view bytes, std::size_t from) {
  for (auto at = bytes.find('\n', from); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return {head_end::bad, at};
    if (at >= 3 && bytes[at - 2] == '\n') return {head_end::found, at + 1};
  }
  return {};
}

std::optional<head_refused> check_head(std::string_view bytes, head& out) {
  if (bytes.size() > limits::head_bytes_max) return why_too_large(bytes);
  // RFC 9112 §2.2: one empty line before a request is some clients' leftover.
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  const auto first = cut(bytes, "\r\n");
  if (!first) return bad("the request line has no end");
  if (auto why = check_request_line(*first, out)) return why;
  out.field_count = 0;
  for (;;) {
    const auto line = cut(bytes, "\r\n");
    if (!line) return bad("the header has no end");
    if (line->empty()) break;
    if (auto why = check_field(*line, out)) return why;
  }
  if (!bytes.empty()) return bad("there is something behind the header");
  if (auto why = check_host(out)) return why;
  if (auto why = check_framing(out)) return why;
  if (auto why = check_singles(out)) return why;
  read_connection(out);
  return check_expect(out);
}

head_refused why_too_large(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find("\r\n"));
  const auto space = line.find(' ');
  if (space != std::string_view::npos) {
    const auto target = line.substr(space + 1);
    if (std::min(target.find(' '), target.size()) > limits::target_bytes_max)
      return {&problems::uri_too_long, "the target may have 2048 bytes"};
  }
  return {&problems::header_too_large, "a header may have 8192 bytes"};
}

bool is_tchar(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c != '\0' && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos);
}

bool same_text(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) {
    return lower(x) == lower(y);
  });
}

std::string_view trimmed(std::string_view s) {
  const auto first = s.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

std::optional<std::string> percent_decoded(std::string_view s, bool plus) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '+' && plus) c = ' ';
    if (c == '%') {
      if (i + 2 >= s.size() || hex_of(s[i + 1]) < 0 || hex_of(s[i + 2]) < 0) return {};
      c = static_cast<char>(hex_of(s[i + 1]) * 16 + hex_of(s[i + 2]));
      i += 2;
    }
    if (is_control(c)) return {};
    out += c;
  }
  return out;
}
} // namespace jumun::http
