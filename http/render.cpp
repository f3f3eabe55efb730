#include "http/render.hpp"
#include "http/fields.hpp"
#include "http/json_writer.hpp"
#include "http/server_options.hpp"
#include "http/standing.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
using domain::id_kind;

void put_money(
  json_writer& w, std::string_view name, std::int64_t amount, std::string_view currency) {
  w.open(name, '{');
  w.number("amount", amount);
  w.text("currency", currency);
  w.close('}');
}

void put_lines(json_writer& w, const domain::order& o) {
  w.open("lines", '[');
  for (const auto& l : o.lines) {
    w.open('{');
    w.text("sku", l.sku);
    w.text("name", l.name);
    w.number("quantity", l.quantity);
    put_money(w, "unit_price", l.unit_price, o.currency);
    w.close('}');
  }
  w.close(']');
}

void put_payment_state(json_writer& w, const domain::order& o) {
  w.text("status", domain::name_of(o.payment));
  put_money(w, "amount", o.total, o.currency);
  put_money(w, "refunded", o.refunded, o.currency);
}

void put_cancellation_state(json_writer& w, const domain::order& o) {
  w.text("status", cancellation_completed(o) ? "completed" : "accepted");
  w.text_or_null("reason", o.cancel_reason);
  w.text("requested_at", time_text(o.cancel_requested_ms));
}

void put_cancellation(json_writer& w, const domain::order& o) {
  if (!o.cancel_requested) return w.null("cancellation");
  w.open("cancellation", '{');
  w.text("id", to_text(id_kind::cancellation, o.id));
  put_cancellation_state(w, o);
  w.close('}');
}

void put_failure(json_writer& w, const domain::order& o) {
  if (o.failure_code.empty()) return w.null("failure");
  w.open("failure", '{');
  w.text("code", o.failure_code);
  w.text("detail", o.failure_detail);
  w.close('}');
}

void put_stock_figures(json_writer& w, const domain::stock& s) {
  w.number("on_hand", s.on_hand);
  w.number("reserved", s.reserved);
  w.number("available", s.available());
  w.count("version", s.version);
}

void put_event_data(json_writer& w, const domain::event& e) {
  w.open("data", '{');
  if (domain::parse_id(id_kind::order, e.key)) w.text("order_id", e.key);
  if (!e.sku.empty()) w.text("sku", e.sku);
  if (e.quantity != 0) w.number("quantity", e.quantity);
  if (!e.currency.empty()) put_money(w, "amount", e.amount, e.currency);
  if (!e.reason.empty()) w.text("reason", e.reason);
  const bool acted = e.type == domain::event_type::operator_acted;
  if (!e.detail.empty()) w.text(acted ? "action" : "detail", e.detail);
  w.close('}');
}

domain::stored_reply reply_of(unsigned status, std::string body, std::string etag) {
  domain::stored_reply r;
  r.status = static_cast<std::uint16_t>(status);
  r.body = std::move(body);
  r.etag = std::move(etag);
  return r;
}

// -- the steps of a saga, as an operator reads them: API.md's table, from the row alone ----------

std::string_view reserve_state(const domain::order& o) {
  using domain::line_state;
  const auto all = [&](line_state s) {
    return std::all_of(
      o.lines.begin(), o.lines.end(), [&](const domain::order_line& l) { return l.state == s; });
  };
  const auto any = [&](line_state s) {
    return std::any_of(
      o.lines.begin(), o.lines.end(), [&](const domain::order_line& l) { return l.state == s; });
  };
  if (any(line_state::refused)) return "refused";
  if (all(line_state::released)) return "undone";
  if (any(line_state::released)) return "undoing";
  return any(line_state::open) ? "running" : "done";
}

std::string_view charge_state(const domain::order& o) {
  switch (o.payment) {
    case domain::payment_status::none: return "open";
    case domain::payment_status::pending: return "running";
    case domain::payment_status::approved: return "done";
    case domain::payment_status::declined: return "refused";
    case domain::payment_status::unknown: return "unknown";
    case domain::payment_status::refunded:
    case domain::payment_status::voided: return "undone";
    case domain::payment_status::resolved:
      return "resolved"; // by a person, outside of the provider
  }
  return "open";
}

std::string_view deliver_state(const domain::order& o) {
  switch (o.delivery) {
    case domain::delivery_status::none: return "open";
    case domain::delivery_status::started:
    case domain::delivery_status::picked_up:
    case domain::delivery_status::delivered: return "done";
    case domain::delivery_status::failed: return "failed";
    case domain::delivery_status::cancelled: return "undone";
    case domain::delivery_status::refused: return "refused";
  }
  return "open";
}

std::string_view commit_state(const domain::order& o) {
  const auto committed = std::count_if(o.lines.begin(), o.lines.end(),
    [](const domain::order_line& l) { return l.state == domain::line_state::committed; });
  if (committed == 0) return "open";
  return static_cast<std::size_t>(committed) == o.lines.size() ? "done" : "running";
}

void put_steps(json_writer& w, const domain::order& o) {
  const std::pair<std::string_view, std::string_view> steps[] = {
    {"reserve_stock", reserve_state(o)},
    {"charge", charge_state(o)},
    {"start_delivery", deliver_state(o)},
    {"commit_stock", commit_state(o)},
  };
  w.open("steps", '[');
  for (const auto& [name, state] : steps) {
    w.open('{');
    w.text("name", name);
    w.text("state", state);
    w.close('}');
  }
  w.close(']');
}
} // namespace

std::string order_json(const domain::order& o) {
  json_writer w{1024};
  w.open('{');
  w.text("id", to_text(id_kind::order, o.id));
  w.text("status", status_of(o));
  w.text("saga", saga_state_of(o));
  w.text("customer_id", o.customer);
  put_lines(w, o);
  put_money(w, "total", o.total, o.currency);
  w.open("payment", '{');
  w.text("id", to_text(id_kind::payment, o.id));
  put_payment_state(w, o);
  w.close('}');
  w.open("delivery", '{');
  w.text("id", to_text(id_kind::delivery, o.id));
  w.text("status", domain::name_of(o.delivery));
  w.close('}');
  put_cancellation(w, o);
  put_failure(w, o);
  w.raw("allowed_actions", cancellable(o) ? R"(["cancel"])" : "[]");
  w.count("version", o.version);
  w.text("created_at", time_text(o.created_ms));
  w.text("updated_at", time_text(o.updated_ms));
  w.close('}');
  return w.take();
}

std::string payment_json(const domain::order& o) {
  json_writer w;
  w.open('{');
  w.text("id", to_text(id_kind::payment, o.id));
  w.text("order_id", to_text(id_kind::order, o.id));
  w.text("method", o.method);
  put_payment_state(w, o);
  w.count("version", o.version);
  w.text("updated_at", time_text(o.updated_ms));
  w.close('}');
  return w.take();
}

std::string delivery_json(const domain::order& o) {
  json_writer w;
  w.open('{');
  w.text("id", to_text(id_kind::delivery, o.id));
  w.text("order_id", to_text(id_kind::order, o.id));
  w.text("status", domain::name_of(o.delivery));
  w.count("version", o.version);
  w.text("updated_at", time_text(o.updated_ms));
  w.close('}');
  return w.take();
}

bool cancellation_completed(const domain::order& o) {
  return o.at == domain::phase::cancelled || o.at == domain::phase::rejected;
}

std::string cancellation_json(const domain::order& o) {
  json_writer w;
  w.open('{');
  w.text("id", to_text(id_kind::cancellation, o.id));
  w.text("order_id", to_text(id_kind::order, o.id));
  put_cancellation_state(w, o);
  w.close('}');
  return w.take();
}

std::string product_json(const domain::product& p, std::int64_t available) {
  json_writer w;
  w.open('{');
  w.text("sku", p.sku);
  w.text("name", p.name);
  put_money(w, "unit_price", p.unit_price.amount, p.unit_price.currency);
  w.number("available", available);
  w.count("version", p.version);
  w.close('}');
  return w.take();
}

std::string product_tag(std::uint64_t version, std::uint64_t stock_version) {
  return std::to_string(version) + '-' + std::to_string(stock_version);
}

std::string stock_json(const domain::stock& s) {
  json_writer w;
  w.open('{');
  w.text("sku", s.sku);
  put_stock_figures(w, s);
  w.close('}');
  return w.take();
}

std::string movement_json(const domain::movement& m) {
  json_writer w;
  w.open('{');
  w.text("sku", m.sku);
  w.count("number", m.number);
  w.number("delta", m.delta);
  w.text("reason", m.reason);
  w.text_or_null("reference", m.reference);
  if (m.order) w.text("order_id", to_text(id_kind::order, *m.order));
  w.number("on_hand", m.on_hand_after);
  w.text("time", time_text(m.time_ms));
  w.close('}');
  return w.take();
}

std::string adjustment_json(const domain::stock& s, const domain::movement& m) {
  json_writer w;
  w.open('{');
  w.text("sku", m.sku);
  w.count("number", m.number);
  w.number("delta", m.delta);
  w.text("reason", m.reason);
  w.text_or_null("reference", m.reference);
  w.text("time", time_text(m.time_ms));
  put_stock_figures(w, s);
  w.close('}');
  return w.take();
}

std::string event_id(std::string_view key, std::uint64_t sequence) {
  std::string name{key};
  name += '\0';
  name += std::to_string(sequence);
  const auto hi = domain::stable_hash(name);
  name += "#event"; // another function of the same bytes: 128 bits in all
  return to_text(id_kind::event, {hi, domain::stable_hash(name)});
}

std::string event_json(const domain::event& e, std::uint64_t offset) {
  return event_json(e, std::to_string(offset));
}

std::string event_json(const domain::event& e, std::string_view cursor) {
  json_writer w;
  w.open('{');
  w.text("specversion", "1.0");
  w.text("id", event_id(e.key, e.sequence));
  w.text("source", "/jumun");
  w.text("type", domain::name_of(e.type));
  w.text("subject", e.key);
  w.text("time", time_text(e.time_ms));
  w.count("sequence", e.sequence);
  w.text("partitionkey", e.key);
  if (!e.traceparent.empty()) w.text("traceparent", e.traceparent);
  w.text("datacontenttype", "application/json");
  w.text("topic", domain::topic_of(e.type));
  w.text("cursor", cursor);
  put_event_data(w, e);
  w.close('}');
  return w.take();
}

std::string event_frame(const domain::event& e, std::uint64_t offset) {
  return event_frame(e, std::to_string(offset));
}

std::string event_frame(const domain::event& e, std::string_view cursor) {
  std::string out{"id: "};
  out.append(cursor).append("\nevent: ").append(domain::name_of(e.type));
  out.append("\ndata: "); // the JSON has no line breaks
  return out.append(event_json(e, cursor)).append("\n\n");
}

std::string test_event_json(std::string_view id, std::int64_t time_ms) {
  json_writer w;
  w.open('{');
  w.text("specversion", "1.0");
  w.text("id", id);
  w.text("source", "/jumun");
  w.text("type", "WebhookTest");
  w.text("time", time_text(time_ms));
  w.text("datacontenttype", "application/json");
  w.open("data", '{');
  w.close('}');
  w.close('}');
  return w.take();
}

std::string saga_json(const domain::order& o, std::string_view node) {
  json_writer w{1024};
  w.open('{');
  w.text("order_id", to_text(id_kind::order, o.id));
  w.text("status", status_of(o));
  w.text("saga", saga_state_of(o));
  w.text("phase", domain::name_of(o.at));
  w.text("customer_id", o.customer);
  put_steps(w, o);
  w.open("allowed_actions", '[');
  for (const auto a : allowed_actions(o)) w.element(name_of(a));
  w.close(']');
  w.text_or_null("since", o.phase_since_ms ? time_text(o.phase_since_ms) : "");
  w.number("attempts", o.attempts);
  w.text_or_null("next_attempt_at", o.next_attempt_ms ? time_text(o.next_attempt_ms) : "");
  w.text_or_null("last_error", o.last_error);
  w.open("owner", '{');
  w.number("shard", domain::shard_of(o.id));
  w.text("node", node);
  w.close('}');
  put_money(w, "money_at_risk", money_at_risk(o), o.currency);
  w.text("explain", explain(o));
  put_standing(w, o);
  w.count("version", o.version);
  w.text("created_at", time_text(o.created_ms));
  w.text("updated_at", time_text(o.updated_ms));
  w.close('}');
  return w.take();
}

std::string actor_json(const actor_info& a) {
  json_writer w;
  w.open('{');
  w.text("id", a.id);
  w.text("name", a.name);
  w.text("kind", a.kind);
  w.text_or_null("parent", a.parent);
  w.text("node", a.node);
  a.shard < 0 ? w.null("shard") : w.number("shard", a.shard);
  w.text("state", a.state);
  w.number("mailbox_depth", a.mailbox_depth);
  w.count("messages_handled", a.handled);
  w.count("restarts", a.restarts);
  w.text_or_null("last_error", a.last_error);
  if (!a.live_state.empty()) w.raw("live_state", a.live_state);
  w.close('}');
  return w.take();
}

namespace {
void put_coverage(json_writer& w, const coverage& of) {
  w.flag("partial", of.partial());
  w.open("missing_shards", '[');
  for (const auto n : domain::numbers_of(~of.shards)) w.raw(std::to_string(n));
  w.close(']');
}
} // namespace

std::vector<std::string> ledger_rows(const std::vector<ledger_entry>& entries) {
  std::vector<std::string> out;
  out.reserve(entries.size());
  for (const auto& e : entries) {
    json_writer w{180};
    w.open('{');
    w.text("kind", e.kind);
    w.text("order_id", e.order_id);
    w.text("payment_id", e.payment_id);
    w.number("amount", e.amount);
    w.text("currency", e.currency);
    w.text("time", time_text(e.time_ms));
    w.close('}');
    out.push_back(w.take());
  }
  return out;
}

std::string ledger_json(const std::vector<std::string>& rows, const std::optional<coverage>& of) {
  json_writer w{rows.size() * 180 + 16};
  w.open('{');
  w.open("data", '[');
  for (const auto& row : rows) w.raw(row);
  w.close(']');
  if (of) put_coverage(w, *of);
  w.close('}');
  return w.take();
}

std::string readiness_json(const std::vector<readiness_check>& checks, bool ready) {
  json_writer w;
  w.open('{');
  w.text("status", ready ? "ready" : "not ready");
  w.open("checks", '[');
  for (const auto& c : checks) {
    w.open('{');
    w.text("name", c.name);
    w.flag("ok", c.ok);
    w.text("detail", c.detail);
    w.close('}');
  }
  w.close(']');
  w.close('}');
  return w.take();
}

std::string list_json(
  const std::vector<std::string>& data, std::string_view next_cursor, const coverage& of) {
  std::size_t bytes = 128 + next_cursor.size();
  for (const auto& row : data) bytes += row.size() + 1;
  json_writer w{bytes};
  w.open('{');
  w.open("data", '[');
  for (const auto& row : data) w.raw(row);
  w.close(']');
  w.text_or_null("next_cursor", next_cursor);
  put_coverage(w, of);
  w.close('}');
  return w.take();
}

domain::stored_reply renderer::placed(const domain::order& o) const {
  auto r = reply_of(201, order_json(o), etag_of(o.version));
  r.location = order_path(o.id);
  return r;
}

domain::stored_reply renderer::cancellation(const domain::order& o) const {
  auto r =
    reply_of(cancellation_completed(o) ? 200 : 202, cancellation_json(o), etag_of(o.version));
  r.location = order_path(o.id) + "/cancellations/" + to_text(id_kind::cancellation, o.id);
  return r;
}

domain::stored_reply renderer::delivery(const domain::order& o) const {
  return reply_of(200, delivery_json(o), etag_of(o.version));
}

domain::stored_reply renderer::acted(const domain::order& o) const {
  return reply_of(202, saga_json(o, server_options{}.node), etag_of(o.version));
}

domain::stored_reply renderer::not_allowed(
  const domain::order& o, domain::operator_action a, const domain::request_context& from) const {
  problem p{&problems::action_not_allowed, "The saga is ", {}};
  p.detail.append(saga_state_of(o)).append(" and the order ").append(status_of(o));
  p.detail.append("; ").append(name_of(a)).append(" is not for it now.");
  p.allowed_actions.emplace();
  for (const auto may : allowed_actions(o)) p.allowed_actions->push_back(name_of(may));
  return problem_reply(p, from.trace_id);
}

domain::stored_reply renderer::adjusted(const domain::stock& s, const domain::movement& m) const {
  auto r = reply_of(201, adjustment_json(s, m), etag_of(s.version));
  r.location = "/v1/inventory/" + percent_encoded(s.sku) + "/movements";
  return r;
}

domain::stored_reply renderer::counted(const domain::stock& s) const {
  return reply_of(200, stock_json(s), etag_of(s.version));
}

domain::stored_reply renderer::product_put(
  const domain::product& p, const domain::stock& s, bool is_new) const {
  auto r = reply_of(is_new ? 201 : 200, product_json(p, s.available()),
    '"' + product_tag(p.version, s.version) + '"');
  if (is_new) r.location = "/v1/products/" + percent_encoded(p.sku);
  return r;
}

domain::stored_reply renderer::refused(domain::refusal why, std::string_view detail,
  std::string_view pointer, const domain::request_context& from) const {
  problem p{&kind_of(why), std::string{detail}, {}};
  if (!pointer.empty()) p.errors.push_back({std::string{pointer}, p.detail});
  return problem_reply(p, from.trace_id);
}

std::string order_path(domain::order_id id) { return "/v1/orders/" + to_text(id_kind::order, id); }

std::string percent_encoded(std::string_view s) {
  std::string out;
  for (const char c : s) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                       || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    constexpr std::string_view hex = "0123456789ABCDEF";
    const auto u = static_cast<unsigned char>(c);
    out += '%', out += hex[u >> 4], out += hex[u & 15];
  }
  return out;
}
} // namespace jumun::http
