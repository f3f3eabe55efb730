#pragma once
#include "http/exchange.hpp"
#include <span>

namespace jumun::http {
/// What a request needs before its handler runs.
enum class crowd : std::uint8_t { probe, request, new_order }; // a probe needs no permit

struct route {
  std::string_view method; // GET also serves HEAD
  std::string_view path;   // a segment in braces matches any one that is not empty
  listener on;
  unsigned roles; // any of them, or open_to_all
  void (*run)(const exchange_ptr&);
  bool reads = false; // it may wait for a disk: on the reader threads
  crowd as = crowd::request;
  bool streams = false; // also as text/event-stream
};
/// Every route there is.
[[nodiscard]] std::span<const route> all_routes();
/// The path template of all_routes()[at]; empty: `at` is no route's place.
[[nodiscard]] std::string_view route_path(std::size_t at);

/// Finds the request's route, does what is the same for all of them (trace, role, media types,
/// Idempotency-Key, permit), and runs it. Never throws; the answer may come later, from another
/// thread.
void dispatch(const exchange_ptr& ex);
} // namespace jumun::http
