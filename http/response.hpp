#pragma once
#include <string>
#include <string_view>

namespace jumun::http {
/// An answer before it is written. The session adds Content-Length, Date, Connection and the
/// constant fields.
struct response {
  unsigned status = 200;
  std::string content_type = "application/json"; // unused without a body
  std::string body;
  std::string etag;     // empty: none
  std::string location; // empty: none
  std::string more;     // further field lines, each with its CRLF
  std::string_view cache_control = "no-store";
  /// Content-Security-Policy: this one for what is no page, but a browser might show as one.
  std::string_view content_policy = "default-src 'none'; frame-ancestors 'none'";
  bool last = false;    // the connection is closed behind it
  bool endless = false; // `body` is empty, and comes bit by bit: see endless_body
};
} // namespace jumun::http
