#include "http/cors.hpp"
#include <algorithm>
#include <charconv>

namespace jumun::http {
namespace {
/// Origin, where it is there once and allowed; else empty.
std::string_view allowed_origin(const head& asked, const std::vector<std::string>& allowed) {
  if (allowed.empty() || asked.count("origin") != 1) return {};
  const auto origin = *asked.find("origin");
  return std::find(allowed.begin(), allowed.end(), origin) == allowed.end() ? std::string_view{}
                                                                            : origin;
}

bool is_host(std::string_view host) {
  const bool v6 = host.starts_with('[') && host.ends_with(']');
  if (v6) host = host.substr(1, host.size() - 2);
  return !host.empty() && std::all_of(host.begin(), host.end(), [v6](char c) {
    return (c >= 'a' && c <= (v6 ? 'f' : 'z')) || (c >= '0' && c <= '9')
           || (v6 ? c == ':' : c == '.' || c == '-');
  });
}
} // namespace

bool is_origin(std::string_view text) {
  const bool tls = text.starts_with("https://");
  if (!tls && !text.starts_with("http://")) return false;
  text.remove_prefix(tls ? 8 : 7);
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto port = text.substr(colon + 1);
    unsigned n = 0;
    const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), n);
    if (error != std::errc{} || stop != port.data() + port.size()) return false;
    if (port.starts_with('0') || n > 65'535 || n == (tls ? 443U : 80U)) return false;
    text = text.substr(0, colon);
  }
  return is_host(text);
}

void add_cors(const head& asked, const std::vector<std::string>& allowed, std::string& more) {
  if (allowed.empty()) return;
  more += "Vary: Origin\r\n"; // also without one: a cache must not hand this answer to a page
  const auto origin = allowed_origin(asked, allowed);
  if (origin.empty()) return;
  more.append("Access-Control-Allow-Origin: ").append(origin);
  more += "\r\nAccess-Control-Expose-Headers: ETag, Location, Link, RateLimit, RateLimit-Policy, "
          "Idempotency-Replayed, Preference-Applied, Retry-After\r\n";
}

std::string preflight_fields(
  const head& asked, const std::vector<std::string>& allowed, std::string_view methods) {
  if (allowed_origin(asked, allowed).empty()) return {};
  if (!asked.find("access-control-request-method")) return {};
  std::string out{"Access-Control-Allow-Methods: "};
  out.append(methods);
  out += "\r\nAccess-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, "
         "If-Match, If-None-Match, Prefer, Last-Event-ID, traceparent\r\n"
         "Access-Control-Max-Age: 600\r\n";
  return out;
}
} // namespace jumun::http
