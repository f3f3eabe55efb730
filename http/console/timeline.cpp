#include "http/console/inspector.hpp"
#include "http/console/recordings.hpp"
#include "http/console/resources.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/json_writer.hpp"
#include "http/render.hpp"
#include <algorithm>

namespace jumun::http {
namespace {
/// Something that happened to an order, in the lane of whoever did it.
struct entry {
  std::int64_t at_us = 0;
  std::string lane;
  std::string_view kind; // event, commit or message
  std::string name, from, detail;
  std::int64_t wait_us = -1, took_us = -1; // -1: not known
  const domain::event* event = nullptr;
};

std::string lane_of_sku(std::string_view sku) {
  return "inventory/" + std::to_string(domain::shard_of(sku));
}

/// Whose decision an event tells of.
std::string lane_of(const domain::event& e) {
  using type = domain::event_type;
  switch (e.type) {
    case type::stock_decreased:
    case type::stock_increased:
    case type::stock_rejected: return e.sku.empty() ? "saga" : lane_of_sku(e.sku);
    case type::payment_approved:
    case type::payment_declined:
    case type::payment_outcome_unknown:
    case type::payment_canceled: return "payment";
    case type::delivery_started:
    case type::delivery_canceled:
    case type::delivery_picked_up:
    case type::delivery_completed:
    case type::delivery_failed: return "delivery";
    default: return "saga";
  }
}

std::string detail_of(const domain::event& e) {
  std::string out;
  const auto add = [&out](const std::string& s) { out += (out.empty() ? "" : ", ") + s; };
  if (!e.sku.empty()) add(std::to_string(e.quantity) + " × " + e.sku);
  if (!e.currency.empty()) add(std::to_string(e.amount) + " " + e.currency);
  if (!e.detail.empty()) add(e.detail);
  if (!e.reason.empty()) add(e.reason);
  return out;
}

void add_events(std::vector<entry>& to, const order_rows& rows) {
  for (const auto& e : rows.history) {
    entry x;
    x.at_us = e.time_ms * 1000;
    x.lane = lane_of(e), x.kind = "event", x.name = domain::name_of(e.type);
    x.detail = detail_of(e), x.event = &e;
    to.push_back(std::move(x));
  }
}

void add_commit(std::vector<entry>& to, std::int64_t at_ms, std::string lane, std::string name,
  std::string detail) {
  entry x;
  x.at_us = at_ms * 1000;
  x.lane = std::move(lane), x.kind = "commit", x.name = std::move(name),
  x.detail = std::move(detail);
  to.push_back(std::move(x));
}

std::string_view name_of(domain::reservation_state s) {
  switch (s) {
    case domain::reservation_state::live: return "live";
    case domain::reservation_state::refused: return "refused";
    case domain::reservation_state::committed: return "committed";
    case domain::reservation_state::released: return "released";
  }
  return "";
}
std::string_view name_of(domain::charge_state s) {
  switch (s) {
    case domain::charge_state::approved: return "approved";
    case domain::charge_state::declined: return "declined";
    case domain::charge_state::cancelling: return "cancelling";
    case domain::charge_state::cancelled: return "cancelled";
  }
  return "";
}
std::string_view name_of(domain::booking_state s) {
  switch (s) {
    case domain::booking_state::started: return "started";
    case domain::booking_state::refused: return "refused";
    case domain::booking_state::cancelled: return "cancelled";
  }
  return "";
}

/// Each receiver's own row of the order, as it was written last.
void add_rows(std::vector<entry>& to, const order_rows& rows) {
  const auto& o = rows.now;
  add_commit(to, o.updated_ms, "saga", "order row",
    "version " + std::to_string(o.version) + ", " + std::string{domain::name_of(o.at)});
  for (const auto& r : rows.held)
    add_commit(to, r.updated_ms, lane_of_sku(r.sku), "reservation row",
      std::to_string(r.quantity) + " × " + r.sku + ", " + std::string{name_of(r.state)});
  if (rows.payment)
    add_commit(to, rows.payment->updated_ms, "payment", "payment row",
      std::string{name_of(rows.payment->state)} + ", taken " + std::to_string(rows.payment->amount)
        + ", given back " + std::to_string(rows.payment->refunded));
  if (rows.delivery)
    add_commit(to, rows.delivery->updated_ms, "delivery", "delivery row",
      std::string{name_of(rows.delivery->state)});
}

/// `saga/ord_…` is the lane `saga`; a shard's payment and delivery actors are the order's only
/// ones.
std::string lane_of_actor(const std::string& name) {
  const auto kind = name.substr(0, name.find('/'));
  return kind == "inventory" ? name : kind;
}

void add_messages(std::vector<entry>& to, const recorded& r) {
  for (const auto& m : r.messages) {
    entry x;
    x.at_us = m.at_us;
    x.lane = lane_of_actor(m.to), x.kind = "message", x.name = m.message;
    x.from = lane_of_actor(m.from), x.wait_us = m.wait_us, x.took_us = m.took_us;
    to.push_back(std::move(x));
  }
}

void put_entry(json_writer& w, const entry& x) {
  w.open('{');
  w.text("at", time_text(x.at_us / 1000));
  w.number("at_us", x.at_us);
  w.text("lane", x.lane);
  w.text("kind", x.kind);
  w.text("name", x.name);
  w.text_or_null("from", x.from);
  x.kind == "message" ? w.text("to", x.lane) : w.null("to");
  w.text("detail", x.detail);
  x.wait_us < 0 ? w.null("wait_us") : w.number("wait_us", x.wait_us);
  x.took_us < 0 ? w.null("duration_us") : w.number("duration_us", x.took_us);
  x.event ? w.raw("event", event_json(*x.event, std::string_view{})) : w.null("event");
  w.close('}');
}

void put_lane(
  json_writer& w, std::string_view id, const std::string& actor, int shard, std::string_view node) {
  w.open('{');
  w.text("id", id);
  w.text("actor", actor);
  w.number("shard", shard);
  w.text_or_null("node", node);
  w.close('}');
}

/// In the order in which a command travels: the saga, whom it asks, and who is behind them.
void put_lanes(json_writer& w, const exchange_ptr& ex, const domain::order& o) {
  const auto& here = ex->at->options.node;
  const auto shard = domain::shard_of(o.id);
  const auto of_shard = [&](const char* kind) {
    put_lane(w, kind, std::string{kind} + "/" + std::to_string(shard), shard, here);
  };
  w.open("lanes", '[');
  of_shard("supervisor");
  put_lane(w, "saga", "saga/" + to_text(domain::id_kind::order, o.id), shard, here);
  std::vector<std::string> shelves;
  for (const auto& l : o.lines) {
    const auto lane = lane_of_sku(l.sku);
    if (std::find(shelves.begin(), shelves.end(), lane) != shelves.end()) continue;
    const auto of = domain::shard_of(l.sku);
    put_lane(w, lane, lane, of, served_by(*ex->at).test(of) ? here : "");
    shelves.push_back(lane);
  }
  of_shard("payment");
  of_shard("delivery");
  w.close(']');
}

std::string timeline_json(
  const exchange_ptr& ex, const order_rows& rows, const std::optional<recorded>& messages) {
  std::vector<entry> all;
  add_events(all, rows);
  add_rows(all, rows);
  if (messages) add_messages(all, *messages);
  std::stable_sort(
    all.begin(), all.end(), [](const entry& a, const entry& b) { return a.at_us < b.at_us; });
  json_writer w{16 * 1024};
  w.open('{');
  w.text("order_id", to_text(domain::id_kind::order, rows.now.id));
  put_lanes(w, ex, rows.now);
  w.open("entries", '[');
  for (const auto& x : all) put_entry(w, x);
  w.close(']');
  if (messages) w.open("recording", '{');
  messages ? put_recorded_fields(w, *messages, /*with_messages=*/false) : w.null("recording");
  if (messages) w.close('}');
  w.close('}');
  return w.take();
}
} // namespace

/// GET /admin/v1/orders/{order}/timeline → 200: what its rows tell, and its messages where they
/// were recorded; oldest first; 404.
void get_timeline(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  const auto id = domain::parse_id(domain::id_kind::order, ex->params[0]);
  const auto rows = inside && id ? inside->rows_of(*id) : std::nullopt;
  if (!rows) return send(ex, problems::not_found, "no order has this id");
  send_json(ex,
    timeline_json(ex, *rows, inside->recording_of(to_text(domain::id_kind::order, rows->now.id))));
}
} // namespace jumun::http
