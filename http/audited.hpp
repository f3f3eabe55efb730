#pragma once
#include "http/exchange.hpp"

namespace jumun::http {
/// The asker's roles by their names in API.md, with commas; who may do everything is just `admin`.
[[nodiscard]] std::string role_names(unsigned roles);

/// What an audit entry says beside who asked. No secrets.
struct deed {
  std::string action;           // such as `actor.restart`
  std::string target = {};      // empty: the process
  std::string reason = {};      // a person's words
  std::string outcome = "done"; // or `no-op`, or the code of a problem
};

/// Answers an admin's write once it stands in the audit log; 503 where it can't be written there.
/// Without an audit port (a test's edge) it just answers. Any thread; never blocks.
void reply_recorded(const exchange_ptr& ex, deed what, response r);
} // namespace jumun::http
