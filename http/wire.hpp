#pragma once
#include "http/exchange.hpp"

namespace jumun::http {
/// What the request and the connection say about the form of its answer.
struct wire_form {
  bool head_only = false; // HEAD: the fields of GET, and no body
  bool http_1_0 = false;
  bool keep = true;
  bool tls = false;
};
/// The answer as it goes over the wire, in one piece.
[[nodiscard]] std::string wire_text(const response& r, wire_form form);
} // namespace jumun::http
