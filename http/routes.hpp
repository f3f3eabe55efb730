#pragma once
#include "http/exchange.hpp"
#include <span>

namespace jumun::http {
/// What a request needs before its handler runs.
enum class crowd : std::uint8_t { probe, request, new_order }; // a probe needs no permit

/// Which node of a cluster a request belongs to.
enum class home : std::uint8_t {
  here, // whichever was asked
  order,
  payment,
  delivery,  // the owner of the order whose id begins the path's variables
  sku,       // the owner of the SKU that does
  key,       // the owner of the Idempotency-Key's shard; without one any owner
  hook,      // the owner of the order that the body is about
  webhook,   // the owner of the webhook whose id begins the path's variables
  actor,     // the node that the actor's id names, or the owner of the shard that its name does
  any_owner, // who owns shards, and so can write down what was done
  list,      // all nodes that own shards: each has a part
  all_nodes, // the same with those that own none
};

struct route {
  std::string_view method; // GET also serves HEAD
  std::string_view path;   // a segment in braces matches any one that is not empty
  listener on;
  unsigned roles; // any of them, or open_to_all
  home at;
  void (*run)(const exchange_ptr&);
  bool reads = false; // it may wait for a disk: on the reader threads
  crowd as = crowd::request;
  bool streams = false; // also as text/event-stream
  bool again = false;   // a POST that does nothing more when it comes twice
};
/// Every route there is.
[[nodiscard]] std::span<const route> all_routes();
/// The path template of all_routes()[at]; empty: `at` is no route's place.
[[nodiscard]] std::string_view route_path(std::size_t at);

/// Whose keys a route opens to on this listener: a customer's none of the shop on the ops one.
[[nodiscard]] unsigned roles_of(const route& r, listener on);

/// Finds the request's route, does what is the same for all of them (trace, role, media types,
/// Idempotency-Key, permit), and runs it. Never throws; the answer may come later, from another
/// thread.
void dispatch(const exchange_ptr& ex);

/// The same for a request that another node has done it for. One that belongs to a third node is
/// not sent on: whoever sent it looks at the map of owners again.
void dispatch_forwarded(const exchange_ptr& ex);

/// The same for a request that this node makes itself, in the name of a client who has a permit for
/// it: it runs where it belongs.
void dispatch_own(const exchange_ptr& ex);

/// Runs the handler, on the thread that it needs.
void run_here(const exchange_ptr& ex, const route& r);
} // namespace jumun::http
