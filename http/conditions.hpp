#pragma once
#include "http/exchange.hpp"
#include <functional>

/// Conditional requests (RFC 9110 §13): what If-Match and If-None-Match make of a read or a write.
namespace jumun::http {
/// What a write must find, for the inside to check again when it decides.
struct write_condition {
  std::optional<std::uint64_t> if_version; // only this version
  bool if_absent = false;                  // only when there is none
};
/// `present` is asked for the version that is there now (nullopt: none), and only where the fields
/// do not say it all. nullopt: they do not hold, and the 412 is sent (an If-Match that is no list
/// names nothing), or If-None-Match is no list, and the 400 is.
[[nodiscard]] std::optional<write_condition> read_conditions(
  const exchange_ptr& ex, const std::function<std::optional<std::uint64_t>()>& present);

/// Whether If-None-Match has the representation whose ETag's opaque part this is.
[[nodiscard]] bool known_already(const exchange_ptr& ex, std::string_view opaque);

/// `r` with the ETag, 304 when If-None-Match has it, 412 when there is an If-Match without it.
void send_tagged(const exchange_ptr& ex, response r, std::string_view opaque);
/// The same with a JSON body.
void send_tagged(
  const exchange_ptr& ex, std::string body, std::string_view opaque, std::string more = {});
/// The same, where the version says it all.
void send_versioned(
  const exchange_ptr& ex, std::string body, std::uint64_t version, std::string more = {});
} // namespace jumun::http
