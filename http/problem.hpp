#pragma once
#include "domain/request.hpp"
#include <span>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jumun::http {
/// One kind of error: its status, its stable code, and its title (RFC 9457).
struct problem_kind {
  unsigned status;
  std::string_view code;
  std::string_view title;
};

/// Every error that the edge can send (API.md, "Errors").
namespace problems {
inline constexpr problem_kind bad_request{400, "bad-request", "The request is not well formed"};
inline constexpr problem_kind malformed_json{400, "malformed-json", "The body is not valid JSON"};
inline constexpr problem_kind invalid_cursor{
  400, "invalid-cursor", "The cursor is not one of ours"};
inline constexpr problem_kind unauthenticated{401, "unauthenticated", "Who are you?"};
inline constexpr problem_kind forbidden{403, "forbidden", "Your role may not do this"};
inline constexpr problem_kind not_found{404, "not-found", "There is no such thing"};
inline constexpr problem_kind method_not_allowed{
  405, "method-not-allowed", "The resource does not have this method"};
inline constexpr problem_kind not_acceptable{
  406, "not-acceptable", "The resource has no such representation"};
inline constexpr problem_kind request_timeout{
  408, "request-timeout", "The request came too slowly"};
inline constexpr problem_kind insufficient_stock{
  409, "insufficient-stock", "There is not enough stock"};
inline constexpr problem_kind price_changed{409, "price-changed", "The price is another one"};
inline constexpr problem_kind not_cancellable{
  409, "not-cancellable", "The order can no longer be cancelled"};
inline constexpr problem_kind invalid_transition{
  409, "invalid-transition", "The delivery cannot go there from where it is"};
inline constexpr problem_kind action_not_allowed{
  409, "action-not-allowed", "The saga can't take this action where it stands"};
inline constexpr problem_kind key_running{
  409, "idempotency-key-running", "The first request with this key is still running"};
inline constexpr problem_kind no_other_node{
  409, "no-other-node", "There is no other node that could take it"};
inline constexpr problem_kind backup_running{
  409, "backup-running", "A backup is being made already"};
inline constexpr problem_kind webhook_disabled{409, "webhook-disabled", "The webhook is disabled"};
inline constexpr problem_kind webhooks_full{
  409, "webhooks-full", "There are as many webhooks as there may be"};
inline constexpr problem_kind cursor_expired{410, "cursor-expired", "The cursor is too old"};
inline constexpr problem_kind length_required{
  411, "length-required", "The body needs a Content-Length"};
inline constexpr problem_kind precondition_failed{
  412, "precondition-failed", "The resource is not in the version you named"};
inline constexpr problem_kind too_large{413, "too-large", "The body is too large"};
inline constexpr problem_kind uri_too_long{414, "uri-too-long", "The request target is too long"};
inline constexpr problem_kind unsupported_media_type{
  415, "unsupported-media-type", "The body must be application/json"};
inline constexpr problem_kind expectation_failed{
  417, "expectation-failed", "The only expectation that is met is 100-continue"};
inline constexpr problem_kind validation_failed{
  422, "validation-failed", "The request breaks a rule"};
inline constexpr problem_kind key_reused{
  422, "idempotency-key-reused", "The key was used with another body"};
inline constexpr problem_kind precondition_required{
  428, "precondition-required", "The request needs an If-Match"};
inline constexpr problem_kind too_many_requests{
  429, "too-many-requests", "You send too many requests"};
inline constexpr problem_kind header_too_large{431, "header-too-large", "The header is too large"};
inline constexpr problem_kind internal_error{500, "internal-error", "We made a mistake"};
inline constexpr problem_kind not_implemented{
  501, "not-implemented", "The method is not known here"};
inline constexpr problem_kind overloaded{503, "overloaded", "The server is overloaded"};
inline constexpr problem_kind shard_unavailable{
  503, "shard-unavailable", "The shard of this request cannot answer"};
inline constexpr problem_kind outcome_unknown{
  504, "outcome-unknown", "The outcome is not known yet"};
inline constexpr problem_kind version_not_supported{
  505, "version-not-supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here"};
} // namespace problems

/// All of the above. A test reads this file and finds each in docs/problems.md.
[[nodiscard]] std::span<const problem_kind* const> all_problems();
/// By its code; null: there is none.
[[nodiscard]] const problem_kind* find_problem(std::string_view code);

/// One broken rule: where (RFC 6901), and what is allowed there.
struct field_error {
  std::string pointer;
  std::string detail;
  bool operator==(const field_error&) const = default;
};

/// A problem before it is rendered. `detail` never carries anything from a body.
struct problem {
  const problem_kind* kind = &problems::internal_error;
  std::string detail;
  std::vector<field_error> errors;
  std::optional<std::vector<std::string_view>> allowed_actions = {}; // literals; action_not_allowed
};

/// How each refusal of the inside reads outside: the only such map.
[[nodiscard]] const problem_kind& kind_of(domain::refusal why);

/// RFC 9457 body: type, title, status, detail (where there is none: the title), code, trace_id,
/// errors (unless empty).
[[nodiscard]] std::string problem_body(const problem& p, std::string_view trace_id);

/// The same as a whole answer, in the form that an Idempotency-Key keeps.
[[nodiscard]] domain::stored_reply problem_reply(const problem& p, std::string_view trace_id);
} // namespace jumun::http
