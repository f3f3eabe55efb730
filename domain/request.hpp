#pragma once
#include "domain/saga.hpp"
#include "domain/stock.hpp"
#include <optional>
#include <string>

namespace jumun::domain {
/// What each command brings with it from the edge.
struct request_context {
  std::string principal;   // who asks; "dev" in dev mode
  std::string traceparent; // W3C Trace Context, always set by the edge
  std::string trace_id;    // its 32 hex digits, for problems
  bool traced = false;     // it is the client's own; else one was made for this request
  std::string key; // hash of (principal, method, path, Idempotency-Key); empty: none was given
  std::string fingerprint; // hash of the body
};

/// A whole answer, as stored for an Idempotency-Key: the same bytes each time.
struct stored_reply {
  std::uint16_t status = 200;
  std::string content_type = "application/json";
  std::string etag;     // empty: none
  std::string location; // empty: none
  std::string body;
  bool replayed = false; // not stored: set where it is read back
  bool operator==(const stored_reply&) const = default;
};

/// The record behind an Idempotency-Key. Without a reply: accepted, and its first asker still
/// waits.
struct idempotency_record {
  std::string fingerprint;
  std::optional<stored_reply> reply;
  std::optional<order_id> order; // of a POST /v1/orders
  std::uint64_t boot = 0;        // the process that is at it; another one may take over
  std::int64_t created_ms = 0;
};

struct place_order {
  request_context from;
  order draft;                // everything but id, version, times
  bool wants_settled = false; // Prefer: wait: the reply is rendered and remembered later
};
struct cancel_order {
  request_context from;
  order_id order;
  std::string reason;
};
struct act_on_saga {
  request_context from;
  std::string roles; // of the asker, for the audit log
  order_id order;
  operator_acted what;
  std::optional<std::uint64_t> if_version; // If-Match
};
struct report_delivery {
  request_context from;
  order_id order;
  courier_reported report;
};
struct adjust_stock {
  request_context from;
  std::string sku;
  adjustment change;
};
struct count_stock {
  request_context from;
  std::string sku;
  std::int64_t on_hand = 0;
  std::uint64_t if_version = 0; // If-Match
};
struct put_product {
  request_context from;
  product row;
  std::optional<std::uint64_t> if_version; // If-Match
  bool if_absent = false;                  // If-None-Match: *
};
/// Keeps a reply made at the edge (a validation error, a settled order) for the key's next use.
struct remember_reply {
  request_context from;
  shard_id shard = 0;
  stored_reply reply;
};

/// Every reason for which a well-formed request is turned down; `code` in a problem.
enum class refusal : std::uint8_t {
  not_found = 1,
  price_changed,       // 409
  insufficient_stock,  // 409
  not_cancellable,     // 409
  invalid_transition,  // 409: a courier's step backwards
  key_reused,          // 422 idempotency-key-reused
  key_running,         // 409 idempotency-key-running, Retry-After
  precondition_failed, // 412
  overloaded,          // 503
  shard_unavailable,   // 503
  disk_nearly_full,    // 503
};
} // namespace jumun::domain
