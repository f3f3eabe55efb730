#include "http/problem.hpp"
#include "domain/invariant.hpp"
#include "http/json_writer.hpp"

namespace jumun::http {
namespace {
namespace p = problems;
// clang-format off
constexpr const problem_kind* kinds[] = {
  &p::bad_request,
  &p::malformed_json,
  &p::invalid_cursor,
  &p::unauthenticated,
  &p::forbidden,
  &p::not_found,
  &p::method_not_allowed,
  &p::not_acceptable,
  &p::request_timeout,
  &p::insufficient_stock,
  &p::price_changed,
  &p::not_cancellable,
  &p::invalid_transition,
  &p::action_not_allowed,
  &p::key_running,
  &p::no_other_node,
  &p::backup_running,
  &p::webhook_disabled,
  &p::webhooks_full,
  &p::cursor_expired,
  &p::length_required,
  &p::precondition_failed,
  &p::too_large,
  &p::uri_too_long,
  &p::unsupported_media_type,
  &p::expectation_failed,
  &p::validation_failed,
  &p::key_reused,
  &p::precondition_required,
  &p::too_many_requests,
  &p::header_too_large,
  &p::internal_error,
  &p::not_implemented,
  &p::overloaded,
  &p::shard_unavailable,
  &p::outcome_unknown,
  &p::version_not_supported,
};
// clang-format on
} // namespace

std::span<const problem_kind* const> all_problems() { return kinds; }

const problem_kind* find_problem(std::string_view code) {
  for (const auto* kind : kinds)
    if (kind->code == code) return kind;
  return nullptr;
}

const problem_kind& kind_of(domain::refusal why) {
  switch (why) {
    case domain::refusal::not_found: return problems::not_found;
    case domain::refusal::price_changed: return problems::price_changed;
    case domain::refusal::insufficient_stock: return problems::insufficient_stock;
    case domain::refusal::not_cancellable: return problems::not_cancellable;
    case domain::refusal::invalid_transition: return problems::invalid_transition;
    case domain::refusal::key_reused: return problems::key_reused;
    case domain::refusal::key_running: return problems::key_running;
    case domain::refusal::precondition_failed: return problems::precondition_failed;
    case domain::refusal::overloaded: return problems::overloaded;
    case domain::refusal::shard_unavailable: return problems::shard_unavailable;
    case domain::refusal::disk_nearly_full: return problems::overloaded;
  }
  JUMUN_INVARIANT(false, "every refusal has a status");
  return problems::internal_error;
}

std::string problem_body(const problem& p, std::string_view trace_id) {
  json_writer w;
  w.open('{');
  w.text("type", std::string{"/problems/"}.append(p.kind->code));
  w.text("title", p.kind->title);
  w.number("status", p.kind->status);
  w.text("detail", p.detail.empty() ? std::string{p.kind->title}.append(".") : p.detail);
  w.text("code", p.kind->code);
  w.text("trace_id", trace_id);
  if (p.allowed_actions) {
    w.open("allowed_actions", '[');
    for (const auto& a : *p.allowed_actions) w.element(a);
    w.close(']');
  }
  if (!p.errors.empty()) {
    w.open("errors", '[');
    for (const auto& e : p.errors) {
      w.open('{');
      w.text("pointer", e.pointer);
      w.text("detail", e.detail);
      w.close('}');
    }
    w.close(']');
  }
  w.close('}');
  return w.take();
}

domain::stored_reply problem_reply(const problem& p, std::string_view trace_id) {
  domain::stored_reply r;
  r.status = static_cast<std::uint16_t>(p.kind->status);
  r.content_type = "application/problem+json";
  r.body = problem_body(p, trace_id);
  return r;
}
} // namespace jumun::http
