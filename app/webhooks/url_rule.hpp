#pragma once
#include <string>

namespace jumun::app {
/// Why an endpoint can't have this URL; empty: it can. Reads it with libcurl, which will be the one
/// that connects, so that the two can't see different hosts. Without `allow_private` it must be
/// https, and a host that is an address must be one of the open Internet (what a name leads to is
/// judged at each connection). Pure.
[[nodiscard]] std::string wrong_webhook_url(const std::string& url, bool allow_private);
} // namespace jumun::app
