#include "http/wire.hpp"
#include <ctime>

namespace jumun::http {
namespace {
std::string_view reason(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
  }
}

/// `Date: …` with CRLF; made once a second and thread.
std::string_view date_line() {
  thread_local std::time_t at = 0;
  thread_local char text[48];
  thread_local std::size_t bytes = 0;
  const auto now = std::time(nullptr);
  if (now != at) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    // Asio servers do not call setlocale(): these are the C locale's names, as RFC 9110 has them.
    bytes = std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    at = now;
  }
  return {text, bytes};
}

void field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).append(": ").append(value).append("\r\n");
}
} // namespace

std::string wire_text(const response& r, wire_form form) {
  std::string out;
  out.reserve(640 + r.more.size() + r.body.size());
  out.append("HTTP/1.1 ").append(std::to_string(r.status)).append(" ").append(reason(r.status));
  out.append("\r\n").append(date_line());
  field(out, "Cache-Control", r.cache_control);
  field(out, "Content-Security-Policy", r.content_policy);
  out.append("X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
  // RFC 6797 §7.2: not over plain HTTP.
  if (form.tls) out.append("Strict-Transport-Security: max-age=31536000\r\n");
  // RFC 9110 §8.6: none with a 204; with a 304 it would have to be that of the 200.
  if (r.endless) {
    field(out, "Content-Type", r.content_type);
    if (!form.http_1_0) field(out, "Transfer-Encoding", "chunked");
  } else if (r.status != 204 && r.status != 304) {
    if (!r.body.empty()) field(out, "Content-Type", r.content_type);
    field(out, "Content-Length", std::to_string(r.body.size()));
  }
  field(out, "ETag", r.etag);
  field(out, "Location", r.location);
  out.append(r.more);
  if (!form.keep) out.append("Connection: close\r\n");
  if (form.keep && form.http_1_0) out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
  if (!form.head_only) out.append(r.body);
  return out;
}
} // namespace jumun::http
