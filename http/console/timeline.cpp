#include "http/console/inspector.hpp"
#include "http/console/recordings.hpp"
#include "http/console/resources.hpp"
#include "http/console/shelves.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/json_writer.hpp"
#include "http/render.hpp"
#include <algorithm>
#include <iterator>

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

void add_reservations(std::vector<entry>& to, const std::vector<domain::reservation>& held) {
  for (const auto& r : held)
    add_commit(to, r.updated_ms, lane_of_sku(r.sku), "reservation row",
      std::to_string(r.quantity) + " × " + r.sku + ", " + std::string{name_of(r.state)});
}

/// Each receiver's own row of the order, as it was written last.
void add_rows(std::vector<entry>& to, const order_rows& rows) {
  const auto& o = rows.now;
  add_commit(to, o.updated_ms, "saga", "order row",
    "version " + std::to_string(o.version) + ", " + std::string{domain::name_of(o.at)});
  add_reservations(to, rows.held);
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

std::string entry_json(const entry& x) {
  json_writer w;
  w.open('{');
  w.text("at", time_text(x.at_us / 1000));
  w.number("at_us", x.at_us);
  w.text("lane", x.lane);
  w.text("kind", x.kind);
  w.text("name", x.name);
  w.text_or_null("from", x.from);
  x.kind == "message" ? w.text("to", x.lane) : w.null("to");
  w.text("detail", x.detail);
  put_known_us(w, "wait_us", x.wait_us);
  put_known_us(w, "duration_us", x.took_us);
  x.event ? w.raw("event", event_json(*x.event, std::string_view{})) : w.null("event");
  w.close('}');
  return w.take();
}
std::vector<timed_row> told(const std::vector<entry>& all) {
  std::vector<timed_row> out;
  out.reserve(all.size());
  for (const auto& x : all) out.push_back({x.at_us, entry_json(x)});
  return out;
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

/// Empty: nobody is known to own the shard.
std::string node_of(const exchange_ptr& ex, domain::shard_id shard) {
  if (served_by(*ex->at).test(shard) || !ex->at->to.others) return ex->at->options.node;
  return ex->at->to.others->owner_of(shard).node;
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
    put_lane(w, lane, lane, of, node_of(ex, of));
    shelves.push_back(lane);
  }
  of_shard("payment");
  of_shard("delivery");
  w.close(']');
}

std::string timeline_json(const exchange_ptr& ex, const order_rows& rows,
  const std::optional<recorded>& messages, shelf_rows elsewhere) {
  std::vector<entry> here;
  add_events(here, rows);
  add_rows(here, rows);
  if (messages) add_messages(here, *messages);
  auto all = told(here);
  std::move(elsewhere.rows.begin(), elsewhere.rows.end(), std::back_inserter(all));
  sort_by_time(all);
  json_writer w{16 * 1024};
  w.open('{');
  w.text("order_id", to_text(domain::id_kind::order, rows.now.id));
  put_lanes(w, ex, rows.now);
  w.open("entries", '[');
  for (const auto& row : all) w.raw(row.json);
  w.close(']');
  if (messages) w.open("recording", '{');
  messages ? put_recorded_fields(w, *messages, elsewhere.silent) : w.null("recording");
  if (messages) w.close('}');
  put_silent(w, elsewhere.silent);
  w.close('}');
  return w.take();
}

/// What this node's shelves know of another node's order.
void send_shelves_of(const exchange_ptr& ex, inspector& inside, domain::order_id id) {
  std::vector<entry> all;
  add_reservations(all, inside.reservations_of(id, read_shelf_question(ex).lines));
  const auto messages = inside.recording_of(ex->params[0]);
  if (messages) add_messages(all, *messages);
  send_shelf_rows(ex, told(all), messages ? messages->seen : 0);
}
} // namespace

/// GET /admin/v1/orders/{order}/timeline → 200: what its rows tell, and its messages where they
/// were recorded, on all nodes that take part; oldest first; 404.
void get_timeline(const exchange_ptr& ex) {
  auto* inside = ex->at->to.inspector;
  const auto id = domain::parse_id(domain::id_kind::order, ex->params[0]);
  if (inside && id && ex->wants_rows) return send_shelves_of(ex, *inside, *id);
  auto rows = inside && id ? inside->rows_of(*id) : std::nullopt;
  if (!rows) return send(ex, problems::not_found, "no order has this id");
  auto messages = inside->recording_of(to_text(domain::id_kind::order, *id));
  ask_shelves(ex, *id, {},
    [ex, rows = std::move(*rows), messages = std::move(messages)](shelf_rows elsewhere) mutable {
      if (messages) messages->seen += elsewhere.seen;
      send_json(ex, timeline_json(ex, rows, messages, std::move(elsewhere)));
    });
}
} // namespace jumun::http
