#include "http/audited.hpp"
#include "http/cluster_view.hpp"
#include "http/command.hpp"
#include "http/fields.hpp"
#include "http/forwarding.hpp"
#include "http/json_writer.hpp"
#include "http/lists.hpp"
#include "http/resources.hpp"

namespace jumun::http {
namespace {
std::string member_json(const member_info& m) {
  json_writer w;
  w.open('{');
  w.text("id", m.node);
  w.text("role", m.role);
  w.text("state", m.state);
  w.count("shards", m.shards);
  w.text_or_null("release", m.release);
  w.text_or_null("incarnation", m.incarnation);
  w.count("protocol", m.protocol);
  w.count("map_version", m.map_version);
  w.text_or_null("tunnel", m.tunnel);
  w.text_or_null("http", m.http);
  w.text_or_null("ops", m.ops);
  w.close('}');
  return w.take();
}

/// What one node sees of the others.
std::string sight_json(const cluster_info& c) {
  json_writer w;
  w.open('{');
  w.text("node", c.node);
  w.count("map_version", c.map_version);
  w.text_or_null("agreement_error", c.agreement_error);
  w.text_or_null(
    "certificate_until", c.certificate_until_ms ? time_text(c.certificate_until_ms) : "");
  w.open("peers", '[');
  for (const auto& s : c.sees) {
    w.open('{');
    w.text("node", s.node);
    w.text("state", s.state);
    w.count("rtt_us", s.rtt_us);
    w.count("connects", s.connects);
    w.count("in_flight", s.in_flight);
    w.count("unhandled", s.unhandled);
    w.count("refused_for_credit", s.refused_for_credit);
    w.count("unknown", s.unknown);
    w.count("links", s.links);
    w.text_or_null("last_error", s.last_error);
    w.close('}');
  }
  w.close(']');
  w.close('}');
  return w.take();
}

/// `key` as send_whole_part() wants it: shards sort by their number.
std::string three_digits(int n) {
  const auto text = std::to_string(n);
  return std::string(3 - text.size(), '0') + text;
}
} // namespace

std::string cluster_json(const cluster_info& c, const std::vector<std::string>& sights) {
  json_writer w;
  w.open('{');
  w.text("node", c.node);
  w.text("coordinator", c.coordinator);
  w.count("map_version", c.map_version);
  w.text_or_null("assigner", c.assigner);
  w.count("shards", domain::shard_count);
  w.open("members", '[');
  for (const auto& m : c.members) w.raw(member_json(m));
  w.close(']');
  w.open("sees", '[');
  for (const auto& s : sights) w.raw(s);
  w.close(']');
  w.close('}');
  return w.take();
}

namespace {
void put_count(json_writer& w, std::string_view name, const std::optional<std::uint64_t>& n) {
  if (n)
    w.count(name, *n);
  else
    w.null(name);
}
void put_move(json_writer& w, const move_info& m) {
  w.open("move", '{');
  w.text("from", m.from);
  w.text("to", m.to);
  w.text("step", m.step);
  w.count("rows", m.rows);
  w.count("bytes", m.bytes);
  w.close('}');
}
} // namespace

std::string shard_json(const shard_info& s) {
  json_writer w;
  w.open('{');
  w.number("shard", s.shard);
  w.text_or_null("owner", s.owner);
  w.count("epoch", s.epoch);
  w.text("state", s.state);
  w.text_or_null("moving_to", s.moving_to);
  put_count(w, "lag_us", s.lag_us);
  put_count(w, "mailbox", s.mailbox);
  put_count(w, "sagas_open", s.sagas_open);
  put_count(w, "decisions", s.decisions);
  if (s.move)
    put_move(w, *s.move);
  else
    w.null("move");
  w.close('}');
  return w.take();
}

namespace {
std::optional<int> shard_number(std::string_view text) {
  const auto n = parse_offset(text);
  if (!n || *n >= domain::shard_count) return {};
  return static_cast<int>(*n);
}

/// 202 with `body`, or why not.
void send_moving(const exchange_ptr& ex, moving came_to, deed what, std::string body) {
  if (came_to == moving::unknown_node)
    return send(ex, problems::not_found, "no node has this id; GET /admin/v1/cluster lists them");
  if (came_to == moving::nowhere_to_go)
    return send(ex, problems::no_other_node, "no other node is there that takes shards");
  if (came_to == moving::unavailable)
    return send(ex, problems::overloaded, "the other nodes can't be told now; ask again");
  response r;
  r.status = 202, r.body = std::move(body);
  reply_recorded(ex, std::move(what), std::move(r));
}
} // namespace

/// GET /admin/v1/cluster → 200: the members, who agrees on the owners of shards, and whom each node
/// that answers sees.
void get_cluster(const exchange_ptr& ex) {
  if (!ex->at->to.cluster) return send(ex, problems::not_found);
  const auto c = ex->at->to.cluster->cluster();
  if (ex->wants_rows) return send_whole_part(ex, list_part::form::cluster, {sight_json(c)});
  send_json(ex, cluster_json(c, {sight_json(c)}));
}

/// GET /admin/v1/shards → 200, all 256: each as its owner says.
void list_shards(const exchange_ptr& ex) {
  if (!ex->at->to.cluster) return send(ex, problems::not_found);
  const bool part = ex->wants_rows.has_value();
  const auto ours = served_by(*ex->at);
  std::vector<std::string> data;
  std::vector<int> numbers;
  for (const auto& s : ex->at->to.cluster->shards()) {
    if (part && !ours.test(static_cast<std::size_t>(s.shard))) continue;
    data.push_back(shard_json(s));
    numbers.push_back(s.shard);
  }
  if (!part) return send_page(ex, data, "");
  send_whole_part(ex, list_part::form::shards, std::move(data),
    [&](std::size_t i) { return three_digits(numbers[i]); });
}

/// POST /admin/v1/shards/{n}/move {to} → 202, also when it is there already; 404, 409
/// no-other-node, 422.
void move_shard(const exchange_ptr& ex) {
  const auto shard = shard_number(ex->params[0]);
  if (!shard || !ex->at->to.cluster)
    return send(ex, problems::not_found, "shards are numbered 0..255");
  const auto body = read_body(ex);
  if (const auto* bad = std::get_if<problem>(&body)) return send(ex, *bad);
  std::vector<field_error> errors;
  object_reader in{std::get<json_value>(body), "", errors};
  const auto to = in.text("to", 1, limits::node_id_bytes_max);
  in.finish();
  if (!errors.empty()) return refuse_once(ex, 0, std::move(errors)); // no key: it is just sent
  json_writer w;
  w.open('{');
  w.number("shard", *shard);
  w.text("to", to);
  w.close('}');
  send_moving(ex, ex->at->to.cluster->move(*shard, to),
    {"shard.move", "shard " + std::to_string(*shard) + " to " + to}, w.take());
}

namespace {
std::string node_state(const std::string& id, std::string_view state) {
  json_writer w;
  w.open('{');
  w.text("id", id);
  w.text("state", state);
  w.close('}');
  return w.take();
}
} // namespace

/// POST /admin/v1/nodes/{id}/drain → 202; 404, 409 no-other-node.
void drain_node(const exchange_ptr& ex) {
  if (!ex->at->to.cluster) return send(ex, problems::not_found);
  const auto& id = ex->params[0];
  send_moving(ex, ex->at->to.cluster->drain(id), {"node.drain", id}, node_state(id, "draining"));
}

/// POST /admin/v1/nodes/{id}/resume → 202, also when it was not being drained; 404.
void resume_node(const exchange_ptr& ex) {
  if (!ex->at->to.cluster) return send(ex, problems::not_found);
  const auto& id = ex->params[0];
  send_moving(ex, ex->at->to.cluster->resume(id), {"node.resume", id}, node_state(id, "up"));
}
} // namespace jumun::http
